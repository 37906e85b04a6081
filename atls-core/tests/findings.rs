//! The checks behind a result, on their way to the operator.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;
use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::PeerAttestation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::combine::AllAgree;
use atls_core::combine::Cached;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_core::limits::MAX_FINDINGS;
use atls_core::pki_types::UnixTime;
use atls_core::report;
use support::Pair;
use support::identity;
use support::providers;
use test_support::at;
use test_support::ready;

#[test]
fn an_accepted_peer_has_the_findings_and_the_image_of_its_verifier() {
    let verifier = Reporting::new(2, vec![Finding::passed("a.svn").with_seen(7)]).image("web 1.4");
    let peer = appraise(Cached::new(verifier)).unwrap();
    let item = &peer.items()[0];
    assert_eq!(item.findings(), [Finding::passed("a.svn").with_seen(7)]);
    assert_eq!(item.image(), Some("web 1.4"));
}

#[test]
fn a_refusal_has_what_was_not_passed_worst_first_and_says_it() {
    let findings = vec![
        Finding::passed("a.debug"),
        Finding::warning("a.svn").with_seen(3),
        Finding::failed("a.image")
            .with_seen("beef")
            .with_allowed("web 1.4", "cafe"),
    ];
    let refusal = appraise(Reporting::new(96, findings.clone())).unwrap_err();
    assert_eq!(refusal.status(), Some(Tier::Contraindicated));
    let expected = [findings[2].clone(), findings[1].clone()];
    assert_eq!(refusal.findings(), expected);
    assert_eq!(
        report(&refusal).to_string(),
        "attestation does not satisfy the policy: attestation status is contraindicated: \
         a.image failed: seen beef, allowed are web 1.4 (cafe); a.svn warning: seen 3"
    );
}

#[test]
fn an_account_of_a_refusal_has_each_claim_in_words_and_each_check_worst_first() {
    let findings = vec![
        Finding::passed("a.debug"),
        Finding::failed("a.image")
            .with_seen("beef")
            .with_allowed("web 1.4", "cafe")
            .with_place("policy.toml", 12),
    ];
    let refusal = appraise(Reporting::new(96, findings)).unwrap_err();
    let account = refusal.explain().to_string();
    let lines: Vec<_> = account.lines().collect();
    assert_eq!(
        lines,
        [
            "refused by fault of the peer: attestation does not satisfy the policy",
            "attestation status is contraindicated",
            &format!("item {}: contraindicated", media_type()),
            "  device: hardware 96, hardware or firmware is genuine and not acceptable",
            "  a.image failed: seen beef, allowed are web 1.4 (cafe) (policy.toml, line 12)",
            "  a.debug passed",
        ]
    );
}

#[test]
fn an_account_of_another_refusal_is_its_causes_and_whose_fault_it_is() {
    let unreachable = Refusal::Appraisal(AppraisalError::Unreachable);
    let account = unreachable.explain().to_string();
    assert!(account.starts_with("refused by fault of the verifier: appraisal failed: verifier"));
    assert_eq!(account.lines().count(), 1);
}

#[test]
fn a_result_without_findings_is_told_by_its_claims() {
    let refusal = appraise(Reporting::new(97, Vec::new())).unwrap_err();
    let [finding] = refusal.findings() else {
        panic!("{refusal:?}");
    };
    assert_eq!(finding.check(), "device.hardware");
    assert_eq!(finding.outcome(), Outcome::Failed);
    assert_eq!(finding.seen(), Some("97"));
    assert_eq!(finding.note(), Some("hardware or firmware is not known"));
    let unclaimed = appraise(Reporting::new(0, Vec::new())).unwrap_err();
    assert_eq!(unclaimed.findings()[0].check(), "device.status");
}

/// A verifier that warns of a coming change and refuses for something else.
#[test]
fn a_warning_does_not_hide_the_claim_that_refuses() {
    let warning = Finding::warning("a.collateral").with_note("ends tomorrow");
    let refusal = appraise(Reporting::new(96, vec![warning])).unwrap_err();
    let checks: Vec<_> = refusal.findings().iter().map(Finding::check).collect();
    assert_eq!(checks, ["device.hardware", "a.collateral"]);
}

#[test]
fn verifiers_that_agree_tell_the_findings_of_all() {
    let one = Reporting::new(2, vec![Finding::passed("a.one")]).image("web 1.4");
    let other = Reporting::new(2, vec![Finding::passed("b.other")]);
    let peer = appraise(both(one.clone(), other)).unwrap();
    let checks: Vec<_> = peer.items()[0]
        .findings()
        .iter()
        .map(Finding::check)
        .collect();
    assert_eq!(checks, ["a.one", "b.other"]);
    assert_eq!(peer.items()[0].image(), Some("web 1.4"));
    let otherwise = Reporting::new(2, Vec::new()).image("web 1.5");
    let peer = appraise(both(one, otherwise)).unwrap();
    assert_eq!(peer.items()[0].image(), None);
}

#[test]
fn findings_are_bounded_and_what_failed_is_kept() {
    let mut findings = vec![Finding::passed("a.passed"); MAX_FINDINGS];
    findings.push(Finding::failed("a.failed"));
    let refusal = appraise(Reporting::new(96, findings.clone())).unwrap_err();
    assert_eq!(refusal.findings(), [Finding::failed("a.failed")]);
    let peer = appraise(Reporting::new(2, findings)).unwrap();
    assert_eq!(peer.items()[0].findings().len(), MAX_FINDINGS);
}

#[test]
fn a_line_holds_the_first_of_many_findings_and_the_number_of_the_others() {
    let findings = vec![Finding::failed("a.b").with_note("x".repeat(200)); 20];
    let refusal = appraise(Reporting::new(96, findings)).unwrap_err();
    let line = report(&refusal).to_string();
    assert_eq!(line.matches("a.b failed").count(), 4);
    assert!(line.ends_with("; and 16 more"), "{line}");
}

#[test]
fn a_peer_cannot_have_a_long_line_written() {
    let long = "x".repeat(1000);
    let finding = (0..100).fold(Finding::failed("a.b"), |finding, _| {
        finding.with_allowed(&long, &long)
    });
    let findings = vec![finding.with_seen(&long).with_note(&long); MAX_FINDINGS];
    let refusal = appraise(Reporting::new(96, findings)).unwrap_err();
    let line = report(&refusal).to_string();
    assert!(line.len() < 2500, "{} bytes", line.len());
    assert!(line.contains(" and 98 more;"), "{line}");
    // For operators who ask.
    assert_eq!(refusal.findings()[0].allowed().len(), Finding::MAX_ALLOWED);
}

/// Says of all Evidence the same.
#[derive(Clone)]
struct Reporting {
    hardware: i8,
    findings: Vec<Finding>,
    image: Option<&'static str>,
    media_types: [MediaType; 1],
}

impl Reporting {
    fn new(hardware: i8, findings: Vec<Finding>) -> Self {
        Self {
            hardware,
            findings,
            image: None,
            media_types: [media_type()],
        }
    }

    fn image(mut self, name: &'static str) -> Self {
        self.image = Some(name);
        self
    }
}

impl Verifier for Reporting {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        let claim = TrustClaim::new(self.hardware);
        let vector = TrustVector::new().with(Category::Hardware, claim);
        let id = VerifierId::new("test", "1");
        let ear = Ear::local(id, now, "device", Appraisal::new(vector));
        let matched = support::matched(evidence.bound());
        let appraised = Appraised::bound_to_connection(ear, Origin::Device, matched)
            .with_findings(self.findings.clone());
        let appraised = appraised.with_image(self.image);
        Box::pin(std::future::ready(Ok(appraised)))
    }
}

fn both(one: Reporting, other: Reporting) -> AllAgree {
    AllAgree::new(vec![Arc::new(one), Arc::new(other)]).unwrap()
}

fn appraise(verifier: impl Verifier + 'static) -> Result<PeerAttestation, Refusal> {
    let party = RelyingParty::builder().verifier(Arc::new(verifier));
    let party = party.build().unwrap();
    ready(party.appraise(credential(), at(1_000_000)))
}

fn credential() -> Credential {
    let provider = &providers()[0];
    let pair = Pair::new(provider.clone(), &identity(provider), None);
    let (request, pending) = atls_core::exchange::request(&pair.client, provider, None).unwrap();
    let challenge = Challenge::receive(&pair.server, &request).unwrap();
    let cmw = Cmw::evidence(media_type(), b"evidence".to_vec());
    pending.finish(&challenge.answer(&cmw).unwrap()).unwrap()
}

fn media_type() -> MediaType {
    "test/evidence".parse().unwrap()
}
