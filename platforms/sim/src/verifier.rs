//! The verifier half: pure bytes, given the keys it trusts.

use std::fmt;

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
use ring::signature::ECDSA_P256_SHA256_FIXED;
use ring::signature::UnparsedPublicKey;

use crate::attester;
use crate::attester::SimAttester;
use crate::attester::SimError;
use crate::token;
use crate::token::Lifecycle;
use crate::token::Profile;
use crate::token::SimClaims;
use crate::token::SoftwareComponent;

/// The public key of one simulated device.
#[derive(Clone, PartialEq, Eq)]
pub struct TrustAnchor {
    instance_id: Vec<u8>,
    point: Vec<u8>,
}

impl TrustAnchor {
    /// From an uncompressed P-256 point, 65 bytes.
    pub(crate) fn of(point: &[u8]) -> Self {
        Self {
            instance_id: attester::instance_id(point),
            point: point.to_vec(),
        }
    }

    /// From the [`public_key`](Self::public_key) of a device in another process.
    ///
    /// # Errors
    /// [`SimError`] where that is no uncompressed P-256 point.
    pub fn from_public_key(point: &[u8]) -> Result<Self, SimError> {
        match point {
            [4, xy @ ..] if xy.len() == 64 => Ok(Self::of(point)),
            _ => Err(SimError::Key),
        }
    }

    /// `ueid` of the device, 33 bytes.
    pub fn instance_id(&self) -> &[u8] {
        &self.instance_id
    }

    /// The public key, an uncompressed P-256 point, 65 bytes: for provisioning another verifier.
    pub fn public_key(&self) -> &[u8] {
        &self.point
    }
}

impl fmt::Debug for TrustAnchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustAnchor").finish_non_exhaustive()
    }
}

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
///     .verifier(Arc::new(SimVerifier::trusting(device)))
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
    pub fn trusting(anchor: TrustAnchor) -> Self {
        Self {
            anchors: vec![anchor],
            reference_values: vec![ReferenceValue {
                name: "SimAttester::SOFTWARE".to_owned(),
                measurement: SimAttester::SOFTWARE,
            }],
            media_types: Profile::Tfm.media_type().into_iter().collect(),
        }
    }

    /// Trusts one more device.
    #[must_use]
    pub fn and_trusting(mut self, anchor: TrustAnchor) -> Self {
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

    /// One more known software, with the name that logs and findings have for it.
    #[must_use]
    pub fn and_software(mut self, name: &str, measurement: [u8; 32]) -> Self {
        self.reference_values.push(ReferenceValue {
            name: name.to_owned(),
            measurement,
        });
        self
    }

    /// Appraises a recorded token as [`Verifier::appraise`] does, **but for its binding**: signature, device, software and
    /// lifecycle are judged, and nothing is compared with the challenge that the token carries. For trying a policy on Evidence
    /// out of a file.
    ///
    /// # Errors
    /// [`AppraisalError`]: no result.
    pub async fn appraise_recorded(
        &self,
        evidence: &[u8],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, AppraisalError> {
        let claims = self.verify(evidence)?;
        let judged = self.judged(&claims, now);
        let challenge = claims.nonce.clone();
        let recorded = RecordedAppraisal::new(judged.ear, Origin::Simulated, challenge)
            .with_claims(claims)
            .with_findings(judged.findings);
        Ok(match judged.image {
            Some(image) => recorded.with_image(image),
            None => recorded,
        })
    }

    fn verify(&self, evidence: &[u8]) -> Result<SimClaims, AppraisalError> {
        let token = token::open(evidence)?;
        let payload = token.payload.as_deref().ok_or(AppraisalError::Malformed)?;
        let claims = SimClaims::decode(payload)?;
        let anchor = self
            .anchors
            .iter()
            .find(|anchor| anchor.instance_id == claims.instance_id);
        let anchor = anchor.ok_or(AppraisalError::UnknownKey)?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &anchor.point);
        token
            .verify_signature(b"", |signature, message| key.verify(message, signature))
            .map_err(|_| AppraisalError::BadSignature)?;
        Ok(claims)
    }

    fn judged(&self, claims: &SimClaims, now: UnixTime) -> Judged {
        let judgement = Judgement::of(self, claims);
        Judged {
            ear: Ear::local(verifier_id(), now, "sim", judgement.appraisal()),
            findings: judgement.into_findings(),
            image: self.image(claims),
        }
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

/// What is said of a genuine token.
struct Judged {
    ear: Ear,
    findings: Vec<Finding>,
    image: Option<String>,
}

/// The checks behind a result, and what follows from them.
struct Judgement {
    lifecycle: Finding,
    software: Vec<Finding>,
}

impl Judgement {
    fn of(verifier: &SimVerifier, claims: &SimClaims) -> Self {
        let software = claims.software.iter();
        Self {
            lifecycle: check_lifecycle(claims.lifecycle),
            software: software.map(|part| verifier.check_software(part)).collect(),
        }
    }

    /// Unknown software is contraindicated: who accepts warnings must not accept any software.
    fn appraisal(&self) -> Appraisal {
        let appraisal = Appraisal::new(self.vector());
        match self.software.iter().all(passed) {
            true => appraisal,
            false => appraisal.with_status(Tier::Contraindicated),
        }
    }

    fn vector(&self) -> TrustVector {
        let configuration = if passed(&self.lifecycle) { 2 } else { 96 };
        let executables = if self.software.iter().all(passed) {
            2
        } else {
            33
        };
        TrustVector::new()
            .with(Category::InstanceIdentity, TrustClaim::new(2))
            .with(Category::Configuration, TrustClaim::new(configuration))
            .with(Category::Executables, TrustClaim::new(executables))
    }

    fn into_findings(self) -> Vec<Finding> {
        let mut findings = vec![self.lifecycle];
        findings.extend(self.software);
        findings
    }
}

fn passed(finding: &Finding) -> bool {
    finding.outcome() == Outcome::Passed
}

fn check_lifecycle(lifecycle: Lifecycle) -> Finding {
    let finding = match lifecycle {
        Lifecycle::Secured => Finding::passed("sim.lifecycle"),
        Lifecycle::Other(_) => Finding::failed("sim.lifecycle").with_note(
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
            let claims = self.verify(evidence.bytes())?;
            let matched = crate::challenge(evidence.bound()).compare(&claims.nonce)?;
            let judged = self.judged(&claims, now);
            let appraised = Appraised::bound_to_connection(judged.ear, Origin::Simulated, matched)
                .with_claims(claims)
                .with_findings(judged.findings);
            Ok(match judged.image {
                Some(image) => appraised.with_image(image),
                None => appraised,
            })
        })
    }
}

fn verifier_id() -> VerifierId {
    VerifierId::new("atls-sim", env!("CARGO_PKG_VERSION"))
}
