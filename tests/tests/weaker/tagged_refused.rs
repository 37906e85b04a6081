//! Attacks on DICE tagged evidence. The attacker holds a genuine machine, or quotes of one, and any key he likes.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Binding;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::certificate;
use atls_core::exchange::certificate::ID_PE_CMW;
use atls_core::exchange::certificate::TAGGED_EVIDENCE;
use atls_tower::Error;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use end_to_end::DcapDevice;
use end_to_end::ForgedKey;
use end_to_end::Tee;
use end_to_end::World;
use end_to_end::dcap_challenge;
use end_to_end::weak;

use crate::support::FixedCertificate;
use crate::support::accept_one;
use crate::support::asking_tls;
use crate::support::attesting_plainly;
use crate::support::not_bound;
use crate::support::present_to;
use crate::tagged::TEES;

type Extensions = Vec<(&'static [u64], Vec<u8>)>;

/// The attacker's means.
struct Attacker {
    device: DcapDevice,
    key: ForgedKey,
    other: ForgedKey,
    /// `{ "pubkey-hash": … }` of `key`, and what a quote over it carries.
    claims: Vec<u8>,
    report_data: [u8; 64],
}

impl Attacker {
    fn new(world: &World, tee: Tee) -> Self {
        let key = ForgedKey::new();
        let (claims, report_data) = certificate::claims_for_key(&key.spki()).unwrap();
        Self {
            device: DcapDevice::new(world, tee),
            key,
            other: ForgedKey::new(),
            claims,
            report_data,
        }
    }

    /// These claims, honestly quoted.
    fn quoted(&self, claims: &[u8]) -> Extensions {
        vec![(TAGGED_EVIDENCE, self.device.tagged(claims))]
    }

    /// These claims beside a quote over something.
    fn quote_beside(&self, report_data: &[u8; 64], claims: &[u8]) -> Extensions {
        let value = self.device.tagged_beside(report_data, claims);
        vec![(TAGGED_EVIDENCE, value)]
    }

    /// The good certificate with something done to the extension.
    fn altered(&self, alter: impl Fn(&mut Vec<u8>)) -> Extensions {
        let mut extensions = self.quoted(&self.claims);
        extensions.iter_mut().for_each(|(_, value)| alter(value));
        extensions
    }

    /// How a peer that trusts this machine refuses such a certificate: as a client, and as a server.
    async fn refused(&self, world: &World, extensions: Extensions) -> [Error; 2] {
        let certified = self.key.certify_with(extensions);
        let party = self.device.weakly_trusted();
        let as_server = present_to(world, Mode::InCertificate, party.clone(), certified.clone());
        let terms = ServerTerms::new()
            .clients_attest(Mode::InCertificate)
            .require_peer(party);
        let as_client = accept_one(world, terms, Some(Arc::new(FixedCertificate(certified))));
        [as_server.await, as_client.await.unwrap_err()]
    }

    async fn refused_with(&self, world: &World, extensions: Extensions, expected: ProtocolError) {
        for error in self.refused(world, extensions).await {
            assert_eq!(error.protocol(), Some(&expected), "{error:?}");
        }
    }

    async fn refused_for(&self, world: &World, extensions: Extensions, expected: Refusal) {
        for error in self.refused(world, extensions).await {
            assert_eq!(error.refusal(), Some(&expected), "{error:?}");
        }
    }
}

#[tokio::test]
async fn the_certificate_that_the_others_are_altered_from_is_accepted() {
    for tee in TEES {
        let world = World::new();
        let attacker = Attacker::new(&world, tee);
        let certified = attacker.key.certify_with(attacker.altered(|_| ()));
        let terms = ServerTerms::new()
            .clients_attest(Mode::InCertificate)
            .require_peer(attacker.device.weakly_trusted());
        let server = world.serve_with(terms, asking_tls(&world)).await;
        let client = attesting_plainly(&world, Some(Arc::new(FixedCertificate(certified))));
        let response = client.get(server.url("/binding")).send().await.unwrap();
        let binding = response.text().await.unwrap();
        assert_eq!(binding, Binding::Key.to_string());
    }
}

#[tokio::test]
async fn claims_about_another_key_are_refused() {
    for tee in TEES {
        let world = World::new();
        let attacker = Attacker::new(&world, tee);
        let (of_other, report_data) = certificate::claims_for_key(&attacker.other.spki()).unwrap();
        let stolen = attacker.quoted(&of_other);
        attacker
            .refused_with(&world, stolen, ProtocolError::KeyMismatch)
            .await;
        // The same quote beside claims of his own.
        let swapped = attacker.quote_beside(&report_data, &attacker.claims);
        attacker.refused_for(&world, swapped, not_bound()).await;
    }
}

#[tokio::test]
async fn claims_altered_after_they_were_quoted_are_refused() {
    for tee in TEES {
        let world = World::new();
        let attacker = Attacker::new(&world, tee);
        let claims = &attacker.claims;
        // a1, 6b "pubkey-hash", 58 24 …: one more claim, or another encoding of the same.
        let more = [&[0xa2], &claims[1..], &[0x61, b'a', 1]].concat();
        let indefinite = [&[0xbf], &claims[1..], &[0xff]].concat();
        for altered in [more, indefinite] {
            let extensions = attacker.quote_beside(&attacker.report_data, &altered);
            attacker.refused_for(&world, extensions, not_bound()).await;
        }
    }
}

#[tokio::test]
async fn a_quote_over_anything_but_the_digest_and_zeros_is_refused() {
    for tee in TEES {
        let world = World::new();
        let attacker = Attacker::new(&world, tee);
        let about_key = OwnedAttestRequest::for_key(&*attacker.key.signing).unwrap();
        let mut last = attacker.report_data;
        last[63] = 1;
        let mut first = attacker.report_data;
        first[0] ^= 1;
        for report_data in [last, first, [0; 64], dcap_challenge(about_key.as_request())] {
            let extensions = attacker.quote_beside(&report_data, &attacker.claims);
            attacker.refused_for(&world, extensions, not_bound()).await;
        }
    }
}

#[tokio::test]
async fn a_quote_over_claims_is_no_evidence_in_a_cmw() {
    for tee in TEES {
        let world = World::new();
        let attacker = Attacker::new(&world, tee);
        let made = attacker.device.evidence(&attacker.report_data);
        let value = certificate::cmw_extension(&made).unwrap();
        let extensions = vec![(ID_PE_CMW, value)];
        attacker.refused_for(&world, extensions, not_bound()).await;
    }
}

#[tokio::test]
async fn claims_without_the_digest_of_the_key_are_refused() {
    for tee in TEES {
        let world = World::new();
        let attacker = Attacker::new(&world, tee);
        let mut wrong_algorithm = attacker.claims.clone();
        let at = wrong_algorithm.len() - 35;
        // 82 01 58 20 …
        assert_eq!(wrong_algorithm[at - 1..=at], [0x82, 1]);
        wrong_algorithm[at] = 7;
        let mut renamed = attacker.claims.clone();
        renamed[2] = b'P';
        for claims in [vec![0xa0], renamed, wrong_algorithm] {
            let quoted = attacker.quoted(&claims);
            attacker
                .refused_with(&world, quoted, ProtocolError::KeyMismatch)
                .await;
        }
    }
}

#[tokio::test]
async fn another_tag_is_refused_even_where_attestation_is_only_asked_for() {
    for tee in TEES {
        let world = World::new();
        let attacker = Attacker::new(&world, tee);
        let other_tag = || attacker.altered(|value| value[2] += 1);
        let expected = ProtocolError::UnknownEvidence;
        attacker
            .refused_with(&world, other_tag(), expected.clone())
            .await;
        let terms = ServerTerms::new()
            .clients_attest(Mode::InCertificate)
            .ask_peer(attacker.device.weakly_trusted());
        let certified = attacker.key.certify_with(other_tag());
        let refused = accept_one(&world, terms, Some(Arc::new(FixedCertificate(certified)))).await;
        assert_eq!(refused.unwrap_err().protocol(), Some(&expected));
    }
}

#[tokio::test]
async fn trailing_bytes_are_refused() {
    for tee in TEES {
        let world = World::new();
        let attacker = Attacker::new(&world, tee);
        let after_extension = attacker.altered(|value| value.push(0));
        let after_claims = attacker.quoted(&[&attacker.claims[..], &[0]].concat());
        for extensions in [after_extension, after_claims] {
            attacker
                .refused_with(&world, extensions, ProtocolError::Malformed)
                .await;
        }
        let quote = [&attacker.device.quote(&attacker.report_data)[..], &[1]].concat();
        let value = certificate::tagged_evidence(&quote, &attacker.claims).unwrap();
        let malformed = Refusal::Appraisal(AppraisalError::Malformed);
        attacker
            .refused_for(&world, vec![(TAGGED_EVIDENCE, value)], malformed)
            .await;
    }
}

/// Each of them alone is accepted.
#[tokio::test]
async fn both_extensions_at_once_or_one_twice_are_refused() {
    for tee in TEES {
        let world = World::new();
        let attacker = Attacker::new(&world, tee);
        let about_key = OwnedAttestRequest::for_key(&*attacker.key.signing).unwrap();
        let made = attacker
            .device
            .evidence(&dcap_challenge(about_key.as_request()));
        let cmw = vec![(ID_PE_CMW, certificate::cmw_extension(&made).unwrap())];
        let tagged = attacker.altered(|_| ());
        for extensions in [
            [cmw.clone(), tagged.clone()],
            [tagged.clone(), cmw],
            [tagged.clone(), tagged],
        ] {
            attacker
                .refused_with(&world, extensions.concat(), ProtocolError::Malformed)
                .await;
        }
    }
}

#[tokio::test]
async fn a_machine_under_another_root_is_refused() {
    for tee in TEES {
        let world = World::new();
        let attacker = Attacker::new(&world, tee);
        let trusted = DcapDevice::new(&world, tee);
        let certified = attacker.key.certify_with(attacker.altered(|_| ()));
        let party = trusted.weakly_trusted();
        let error = present_to(&world, Mode::InCertificate, party, certified).await;
        let refusal = error.refusal().unwrap();
        assert!(
            matches!(
                refusal,
                Refusal::Appraisal(AppraisalError::UnknownKey | AppraisalError::BadSignature)
            ),
            "{refusal:?}"
        );
    }
}

/// It has no room for a nonce; and a peer that knows no quotes has nobody to appraise it.
#[tokio::test]
async fn it_serves_no_other_mode_and_no_other_verifier() {
    for tee in TEES {
        let world = World::new();
        let attacker = Attacker::new(&world, tee);
        let certified = attacker.key.certify_with(attacker.altered(|_| ()));
        let party = attacker.device.weakly_trusted();
        let error = present_to(&world, Mode::InHandshake, party, certified.clone()).await;
        assert!(error.is_peer_unattested());
        let party = weak(&world.server_device, Binding::Key);
        let error = present_to(&world, Mode::InCertificate, party, certified).await;
        assert_eq!(error.refusal(), Some(&Refusal::NoVerifier));
    }
}
