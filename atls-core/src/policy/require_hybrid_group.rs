//! A policy for the key exchange under an attestation.

use rustls::NamedGroup;

use super::Policy;
use super::candidate::Candidate;
use super::violation::PolicyViolation;

/// Accepts only connections whose key exchange combines an elliptic curve and ML-KEM, so that what is recorded today cannot be read
/// when one of the two is broken.
///
/// Formal analyses of attestation after the handshake assume a key exchange that holds. A group that is not known is refused.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_core::{RelyingParty, policy::RequireHybridGroup};
/// # use atls_sim::{SimAttester, SimVerifier};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let verifier = SimVerifier::new(SimAttester::generate()?.trust_anchor());
/// let builder = RelyingParty::builder().verifier(Arc::new(verifier));
/// let relying_party = builder.policy(RequireHybridGroup).build()?;
/// # let _ = relying_party;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "it has no parts")]
pub struct RequireHybridGroup;

impl Policy for RequireHybridGroup {
    fn check(&self, candidate: &Candidate) -> Result<(), PolicyViolation> {
        match candidate.tls().group() {
            Ok(group) if HYBRID.contains(&group) => Ok(()),
            Ok(group) => Err(PolicyViolation::NotHybrid(group)),
            Err(reason) => Err(PolicyViolation::GroupNotKnown(reason)),
        }
    }
}

/// draft-ietf-tls-ecdhe-mlkem.
const HYBRID: [NamedGroup; 3] = [
    NamedGroup::X25519MLKEM768,
    NamedGroup::secp256r1MLKEM768,
    SECP384R1MLKEM1024,
];

/// rustls has no name for it yet.
const SECP384R1MLKEM1024: NamedGroup = NamedGroup::Unknown(0x11ed);

#[cfg(test)]
mod tests {
    use rustls::crypto::ring::cipher_suite;

    use super::super::sample;
    use super::*;
    use crate::session::Handshake;
    use crate::session::Side;

    #[test]
    fn only_a_group_that_is_known_to_be_hybrid_passes() {
        let observed = || {
            let suite = cipher_suite::TLS13_AES_128_GCM_SHA256.tls13().unwrap();
            Handshake::observed(Side::Server, suite, None, Vec::new()).unwrap()
        };
        let check = |handshake: Handshake| {
            let mut candidate = sample::candidate(vec![sample::item("cpu", "")]);
            candidate.tls = handshake.tls();
            RequireHybridGroup.check(&candidate)
        };
        for hybrid in HYBRID {
            assert_eq!(check(observed().with_group(hybrid)), Ok(()));
        }
        for other in [NamedGroup::X25519, NamedGroup::MLKEM768] {
            let refused = check(observed().with_group(other));
            assert_eq!(refused, Err(PolicyViolation::NotHybrid(other)));
        }
        assert!(matches!(
            check(observed()),
            Err(PolicyViolation::GroupNotKnown(_))
        ));
    }
}
