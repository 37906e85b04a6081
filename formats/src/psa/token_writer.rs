//! Tokens written: for simulators and tests, which sign with keys of their own.

use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1;
use coset::CoseSign1Builder;
use coset::HeaderBuilder;
use coset::TaggedCborSerializable;

use super::ecdsa::Ecdsa;
use super::lifecycle::Lifecycle;
use super::numbers::CLIENT_ID;
use super::numbers::EAT_NONCE;
use super::numbers::EAT_PROFILE;
use super::numbers::IMPLEMENTATION_ID;
use super::numbers::LIFECYCLE;
use super::numbers::SOFTWARE;
use super::numbers::UEID;
use super::profile::Profile;
use super::software::SoftwareComponent;

/// The claims of a token that is to be signed.
#[derive(Clone, Copy, Debug)]
#[allow(
    clippy::exhaustive_structs,
    reason = "whoever writes a token fills all of these"
)]
pub struct ClaimsToSign<'a> {
    /// `eat_profile`.
    pub profile: Profile,
    /// `eat_nonce`, 32, 48 or 64 bytes.
    pub nonce: &'a [u8],
    /// `ueid`, 33 bytes.
    pub instance_id: &'a [u8],
    /// `psa-implementation-id`, 32 bytes.
    pub implementation_id: &'a [u8],
    /// `psa-client-id`.
    pub client_id: i32,
    /// `psa-security-lifecycle`.
    pub lifecycle: Lifecycle,
    /// `bootseed`, 8 to 32 bytes.
    pub boot_seed: &'a [u8],
    /// `psa-software-components`.
    pub software: &'a [SoftwareComponent],
}

/// A token that lacks its signature.
#[derive(Clone, Debug)]
pub struct TokenToSign {
    sign1: CoseSign1,
}

impl TokenToSign {
    /// A token with these claims, to be signed with ES256. `None` is not expected: writing to memory does not fail.
    pub fn over(claims: &ClaimsToSign<'_>) -> Option<Self> {
        let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
        let software = claims.software.iter().map(SoftwareComponent::encode);
        let profile = claims.profile;
        let claims = vec![
            (EAT_PROFILE.into(), claims.profile.name().into()),
            (EAT_NONCE.into(), bytes(claims.nonce)),
            (UEID.into(), bytes(claims.instance_id)),
            (IMPLEMENTATION_ID.into(), bytes(claims.implementation_id)),
            (CLIENT_ID.into(), claims.client_id.into()),
            (LIFECYCLE.into(), claims.lifecycle.code().into()),
            (claims.profile.boot_seed().into(), bytes(claims.boot_seed)),
            (SOFTWARE.into(), Value::Array(software.collect())),
        ];
        Self::of(Ecdsa::Es256, &Value::Map(profile.numbered(claims)))
    }

    /// A token with these claims, to be signed by this algorithm.
    pub(super) fn of(ecdsa: Ecdsa, claims: &Value) -> Option<Self> {
        let protected = HeaderBuilder::new().algorithm(ecdsa.algorithm()).build();
        let sign1 = CoseSign1Builder::new()
            .protected(protected)
            .payload(claims.clone().to_vec().ok()?)
            .build();
        Some(Self { sign1 })
    }

    /// The bytes to sign: `Sig_structure` (RFC 9052 §4.4).
    pub fn bytes(&self) -> Vec<u8> {
        self.sign1.tbs_data(b"")
    }

    /// The whole token with this signature, `r || s`. `None` is not expected.
    pub fn with_signature(mut self, signature: &[u8]) -> Option<Vec<u8>> {
        self.sign1.signature = signature.to_vec();
        self.sign1.to_tagged_vec().ok()
    }
}
