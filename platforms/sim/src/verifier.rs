//! The verifier half: pure octets, given the keys it trusts.

use std::fmt;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::Verifier;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
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

/// The public key of one simulated device.
#[derive(Clone, PartialEq, Eq)]
pub struct TrustAnchor {
    instance_id: Vec<u8>,
    point: Vec<u8>,
}

impl TrustAnchor {
    /// From an uncompressed P-256 point, 65 octets.
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

    /// `ueid` of the device, 33 octets.
    pub fn instance_id(&self) -> &[u8] {
        &self.instance_id
    }

    /// The public key, an uncompressed P-256 point, 65 octets: for provisioning another verifier.
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
#[derive(Clone, Debug)]
pub struct SimVerifier {
    anchors: Vec<TrustAnchor>,
    reference_values: Vec<[u8; 32]>,
    media_types: Vec<MediaType>,
}

impl SimVerifier {
    /// Trusts one simulated device, running [`SimAttester::SOFTWARE`].
    pub fn trusting(anchor: TrustAnchor) -> Self {
        Self {
            anchors: vec![anchor],
            reference_values: vec![SimAttester::SOFTWARE],
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
        self.reference_values = measurements;
        self
    }

    fn verify(&self, evidence: &Evidence<'_>) -> Result<SimClaims, AppraisalError> {
        let token = token::open(evidence.bytes())?;
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
        if claims.nonce != crate::challenge(evidence.bound()) {
            return Err(AppraisalError::NotBound);
        }
        Ok(claims)
    }

    fn judge(&self, claims: &SimClaims) -> TrustVector {
        let known = |measurement| self.reference_values.contains(measurement);
        let executables = if claims.software.iter().all(|part| known(&part.measurement)) {
            2
        } else {
            33
        };
        let configuration = if claims.lifecycle == Lifecycle::Secured {
            2
        } else {
            96
        };
        TrustVector::new()
            .with(Category::InstanceIdentity, TrustClaim::new(2))
            .with(Category::Configuration, TrustClaim::new(configuration))
            .with(Category::Executables, TrustClaim::new(executables))
    }
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
            let claims = self.verify(evidence)?;
            let appraisal = Appraisal::new(self.judge(&claims));
            let ear = Ear::local(verifier_id(), now, "sim", appraisal);
            Ok(Appraised::new(ear, Origin::Simulated).with_claims(claims))
        })
    }
}

fn verifier_id() -> VerifierId {
    VerifierId::new("atls-sim", env!("CARGO_PKG_VERSION"))
}
