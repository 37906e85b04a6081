//! The relying party of these tests, and the Evidence of one connection.

use std::sync::Arc;

use atls_core::PeerAttestation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_snp::SnpPolicy;
use atls_snp::SnpVerifier;
use atls_snp::testing::ForgedSnp;
use test_support::Connection;
use test_support::at;
use test_support::ready;

use crate::support::NOW;

pub(crate) fn party(platform: &ForgedSnp, policy: SnpPolicy) -> RelyingParty {
    accepting(platform.verifier(policy).unwrap())
}

pub(crate) fn accepting(verifier: SnpVerifier) -> RelyingParty {
    RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .build()
        .unwrap()
}

pub(crate) fn attested(
    platform: &ForgedSnp,
    policy: SnpPolicy,
) -> Result<PeerAttestation, Refusal> {
    let credential = Connection::new().credential(&mut platform.attester().unwrap());
    ready(party(platform, policy).appraise(credential, at(NOW)))
}
