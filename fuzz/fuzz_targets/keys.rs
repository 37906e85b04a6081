//! Any text as keys of a verifier: a JWK, a JWK set, a set of which some algorithms are taken, a fingerprint; and as a key of Arm in PEM.
#![no_main]

use atls_cca::PublicKey;
use atls_core::ear::Algorithm;
use atls_core::ear::VerificationKeys;
use atls_remote::KeyFingerprint;

atls_fuzz::target!(|text: &str| {
    let _ = VerificationKeys::from_jwk(text);
    if let Ok(all) = VerificationKeys::from_jwk_set(text) {
        assert!(all.contains(&all));
    }
    let allowed = [Algorithm::Rs256, Algorithm::Ps384];
    if let Ok(some) = VerificationKeys::from_jwk_set_allowing(text, &allowed) {
        assert!(some.contains(&some));
    }
    if let Ok(jwk) = serde_json::from_str(text) {
        let _ = KeyFingerprint::of(&jwk);
    }
    if let Ok(fingerprint) = text.parse::<KeyFingerprint>() {
        assert_eq!(fingerprint.to_string(), text);
    }
    let _ = PublicKey::from_pem(text);
});
