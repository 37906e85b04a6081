//! Sources of keys that change.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::BoxFuture;
use atls_core::ear::EarError;
use atls_core::ear::KeySource;
use atls_core::ear::VerificationKeys;
use atls_core::ear::jwt;
use atls_core::ear::verify_with;
use atls_core::pki_types::UnixTime;
use aws_lc_rs::rsa::KeySize;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use test_support::ready;

use crate::keys::Rsa;
use crate::keys::verify;

#[test]
fn newer_keys_are_asked_for_once_and_only_after_an_unknown_signature() {
    let (old, new) = (Rsa::new(KeySize::Rsa2048), Rsa::new(KeySize::Rsa2048));
    let source = Rotating {
        first: Some(old.keys()),
        second: Some(new.keys()),
        looked: AtomicUsize::new(0),
    };
    let verified = |token: &str| ready(verify_with(&source, at(), |keys| verify(token, keys)));
    assert!(verified(&old.token("RS256")).is_ok());
    assert_eq!(source.looked.load(Ordering::SeqCst), 0);
    assert!(verified(&new.token("RS256")).is_ok());
    assert_eq!(source.looked.load(Ordering::SeqCst), 1);
    let stranger = Rsa::new(KeySize::Rsa2048).token("RS256");
    assert_eq!(verified(&stranger), Err(EarError::BadSignature));
    assert_eq!(source.looked.load(Ordering::SeqCst), 2);
    // A malformed token is no reason to look.
    assert_eq!(verified("a.b"), Err(EarError::Malformed));
    assert_eq!(source.looked.load(Ordering::SeqCst), 2);
}

#[test]
fn without_keys_nothing_verifies() {
    let source = Rotating {
        first: None,
        second: None,
        looked: AtomicUsize::new(0),
    };
    let verified = ready(verify_with(&source, at(), |_| Ok(())));
    assert_eq!(verified, Err(EarError::NoKeys));
    assert_eq!(
        AppraisalError::from(EarError::NoKeys),
        AppraisalError::Unreachable
    );
}

#[test]
fn a_token_that_is_no_result_gives_its_claims_once_verified() {
    let signer = Rsa::new(KeySize::Rsa2048);
    let supported = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let claims = jwt::verify(&signer.token("RS256"), &signer.keys(), &supported).unwrap();
    assert_eq!(claims["any"], "claim");
    let unsigned = format!(
        "{}.{}.",
        BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
        BASE64_URL_SAFE_NO_PAD.encode("{}")
    );
    assert_eq!(
        jwt::verify(&unsigned, &signer.keys(), &supported),
        Err(EarError::Algorithm)
    );
}

struct Rotating {
    first: Option<VerificationKeys>,
    second: Option<VerificationKeys>,
    looked: AtomicUsize,
}

impl KeySource for Rotating {
    fn keys(&self, _now: UnixTime) -> BoxFuture<'_, Result<VerificationKeys, EarError>> {
        Box::pin(std::future::ready(
            self.first.clone().ok_or(EarError::NoKeys),
        ))
    }

    fn newer_keys(&self, _now: UnixTime) -> BoxFuture<'_, Option<VerificationKeys>> {
        self.looked.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(self.second.clone()))
    }
}

fn at() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_000_000))
}
