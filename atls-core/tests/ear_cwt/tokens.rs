//! Tokens in CBOR that are altered before they are signed.

use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::Tier;
use atls_core::ear::VerificationKeys;
use atls_core::ear::cwt;
use ciborium::Value as Cbor;

use crate::support::issuer::Issuer;
use crate::support::issuer::NONCE;
use crate::support::issuer::check;
use crate::support::providers;

pub(crate) fn read_ear(claims: &Cbor) -> Result<Tier, EarError> {
    decode(&Issuer::es256(), claims).map(|ear| ear.status())
}

pub(crate) fn decode(issuer: &Issuer, claims: &Cbor) -> Result<Ear, EarError> {
    decode_token(&issuer.cwt(claims), &issuer.keys())
}

pub(crate) fn decode_token(token: &[u8], keys: &VerificationKeys) -> Result<Ear, EarError> {
    let supported = providers()[0].signature_verification_algorithms;
    let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
    cwt::decode(token, keys, &supported, &check)
}
