//! A passport that is presented again and again.

use std::fmt;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::cmw::Cmw;

/// Presents one result for as long as it is valid, and asks nobody: for many connections and a slow issuer.
///
/// It says nothing about a connection. Peers that accept it see it bound to a key, which must be the key that authenticates this end;
/// a thief of that key attests as this machine.
#[derive(Clone)]
pub struct ReusablePassport {
    media_types: [MediaType; 1],
    passport: Vec<u8>,
}

impl ReusablePassport {
    /// The signed result, and its media type, such as `application/eat+jwt; eat_profile="…"`.
    pub fn new(media_type: MediaType, passport: Vec<u8>) -> Self {
        Self {
            media_types: [media_type],
            passport,
        }
    }
}

impl Attester for ReusablePassport {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest<'a>(&'a self, _: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        let [media_type] = &self.media_types;
        let passport = Cmw::attestation_results(media_type.clone(), self.passport.clone());
        Box::pin(std::future::ready(Ok(passport)))
    }
}

impl fmt::Debug for ReusablePassport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReusablePassport")
            .field("media_types", &self.media_types)
            .finish_non_exhaustive()
    }
}
