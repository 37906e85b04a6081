//! The verifier half: a token and the time go in, a result comes out, by the keys and measurements that it was given.

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::RecordedAppraisal;
use atls_core::Verifier;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_core::pki_types::UnixTime;
use atls_formats::psa;
use atls_formats::psa::Lifecycle;
use atls_formats::psa::Profile;
use atls_formats::psa::SignedToken;
use atls_formats::psa::SoftwareComponent;
use ring::signature::ECDSA_P256_SHA256_FIXED;
use ring::signature::UnparsedPublicKey;

use crate::attester::SimAttester;
use crate::attester::media_type;
use crate::claims::SimClaims;
use crate::trust_anchor::TrustAnchor;

/// Appraises simulated Evidence, offline. Its results say [`Origin::Simulated`], which default policies refuse.
///
/// ```
/// use std::sync::Arc;
/// use atls_core::{RelyingParty, StandardPolicy};
/// use atls_sim::{SimAttester, SimVerifier, TrustAnchor};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let key = SimAttester::generate()?.trust_anchor().public_key().to_vec();
/// let device = TrustAnchor::from_public_key(&key)?;
/// let relying_party = RelyingParty::builder()
///     .verifier(Arc::new(SimVerifier::new(device)))
///     .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
///     .build()?;
/// # let _ = relying_party;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SimVerifier {
    anchors: Vec<TrustAnchor>,
    reference_values: Vec<ReferenceValue>,
    media_types: Vec<MediaType>,
}

impl SimVerifier {
    /// Trusts one simulated device, running [`SimAttester::SOFTWARE`].
    pub fn new(anchor: TrustAnchor) -> Self {
        Self {
            anchors: vec![anchor],
            reference_values: vec![ReferenceValue {
                name: "SimAttester::SOFTWARE".to_owned(),
                measurement: SimAttester::SOFTWARE,
            }],
            media_types: media_type(Profile::Tfm).into_iter().collect(),
        }
    }

    /// Trusts one more device.
    #[must_use]
    pub fn with_trust_anchor(mut self, anchor: TrustAnchor) -> Self {
        self.anchors.push(anchor);
        self
    }

    /// The measurements of known software, instead of [`SimAttester::SOFTWARE`]. With none, no software is known.
    #[must_use]
    pub fn with_reference_values(mut self, measurements: Vec<[u8; 32]>) -> Self {
        let unnamed = |measurement| ReferenceValue {
            name: String::new(),
            measurement,
        };
        self.reference_values = measurements.into_iter().map(unnamed).collect();
        self
    }

    /// One more known software, under the name that logs and findings show.
    #[must_use]
    pub fn with_known_software(mut self, name: &str, measurement: [u8; 32]) -> Self {
        self.reference_values.push(ReferenceValue {
            name: name.to_owned(),
            measurement,
        });
        self
    }

    /// Appraises a recorded token as [`Verifier::appraise`] does, **without its binding**: signature, device, software and
    /// lifecycle are appraised, and the challenge that the token carries is compared with nothing. For trying a policy on Evidence
    /// out of a file.
    ///
    /// # Errors
    /// [`AppraisalError`]: no result.
    pub async fn appraise_recorded(
        &self,
        evidence: &[u8],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, AppraisalError> {
        Ok(self.result(self.verify(evidence)?, now))
    }

    fn verify(&self, evidence: &[u8]) -> Result<SimClaims, AppraisalError> {
        let token = SignedToken::decode(evidence)?;
        if !token.is_plain_es256() {
            return Err(AppraisalError::Malformed);
        }
        let claims = SimClaims::of(token.claims())?;
        let mut anchors = self.anchors.iter();
        let anchor = anchors.find(|anchor| anchor.instance_id() == claims.instance_id);
        let anchor = anchor.ok_or(AppraisalError::UnknownKey)?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, anchor.public_key())
            .verify(&token.signed(), token.signature())
            .map_err(|_| AppraisalError::BadSignature)?;
        Ok(claims)
    }

    /// The result about a verified token: the table in the crate's README.
    fn result(&self, claims: SimClaims, now: UnixTime) -> RecordedAppraisal {
        let lifecycle = check_lifecycle(claims.lifecycle);
        let software = claims.software.iter();
        let software: Vec<_> = software.map(|part| self.check_software(part)).collect();
        let is_known = software.iter().all(has_passed);
        let configuration = if has_passed(&lifecycle) { 2 } else { 96 };
        let executables = if is_known { 2 } else { 33 };
        let vector = TrustVector::new()
            .with(Category::InstanceIdentity, TrustClaim::new(2))
            .with(Category::Configuration, TrustClaim::new(configuration))
            .with(Category::Executables, TrustClaim::new(executables));
        let appraisal = match is_known {
            true => Appraisal::new(vector),
            // 33 alone is a warning, and a policy that accepts warnings must not accept any software.
            false => Appraisal::new(vector).with_status(Tier::Contraindicated),
        };
        let ear = Ear::local(verifier_id(), now, "sim", appraisal);
        RecordedAppraisal::new(ear, Origin::Simulated, claims.nonce.clone())
            .with_image(self.image(&claims))
            .with_instances(claims.instances())
            .with_claims(claims)
            .with_findings([vec![lifecycle], software].concat())
    }

    fn known(&self, part: &SoftwareComponent) -> Option<&ReferenceValue> {
        let mut known = self.reference_values.iter();
        known.find(|value| value.measurement == part.measurement)
    }

    fn check_software(&self, part: &SoftwareComponent) -> Finding {
        let finding = if self.known(part).is_some() {
            Finding::passed("sim.software")
        } else {
            Finding::failed("sim.software").with_note(
                "unknown measurement: add it to the verifier's reference values, or run a known build",
            )
        };
        let finding = finding.with_seen_bytes(&part.measurement);
        self.reference_values
            .iter()
            .fold(finding, |finding, value| {
                finding.with_allowed_bytes(&value.name, &value.measurement)
            })
    }

    /// The names of all software, where each part is known by one.
    fn image(&self, claims: &SimClaims) -> Option<String> {
        let names: Option<Vec<&str>> = claims
            .software
            .iter()
            .map(|part| Some(self.known(part)?.name.as_str()).filter(|name| !name.is_empty()))
            .collect();
        Some(names?.join(", "))
    }
}

#[derive(Clone, Debug)]
struct ReferenceValue {
    name: String,
    measurement: [u8; 32],
}

fn has_passed(finding: &Finding) -> bool {
    finding.outcome() == Outcome::Passed
}

fn check_lifecycle(lifecycle: Lifecycle) -> Finding {
    let finding = match lifecycle {
        Lifecycle::Secured => Finding::passed("sim.lifecycle"),
        _ => Finding::failed("sim.lifecycle").with_note(
            "the device is in development or has debug access; bring it into its secured state",
        ),
    };
    finding
        .with_seen(format_args!("{:#06x}", lifecycle.code()))
        .with_allowed("secured", "0x3000 to 0x30ff")
}

impl Verifier for SimVerifier {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            let result = self.result(self.verify(evidence.bytes())?, now);
            result.bind(&psa::eat_nonce(evidence.bound()))
        })
    }
}

fn verifier_id() -> VerifierId {
    VerifierId::new("atls-sim", env!("CARGO_PKG_VERSION"))
}
