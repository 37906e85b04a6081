//! Two ends of a connection, and Evidence of a given size.

use std::sync::Arc;

use atls_core::Fault;
use atls_core::ProtocolError;
use atls_core::cmw::Cmw;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::Challenge;
use atls_core::exchange::SendError;
use atls_core::session::Session;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;

use crate::support::Pair;
use crate::support::forge;
use crate::support::identity;
use crate::support::identity_of;

pub(crate) const P256: &[u8] = &[0, 2, 4, 3];

pub(crate) fn assert_local(error: &ProtocolError, expected: SendError) {
    assert_eq!(*error, ProtocolError::Sending(expected));
    assert_eq!(error.fault(), Fault::Local);
}

/// A connection whose client answers with `client`, or with a key of its own.
pub(crate) fn pair(provider: &CryptoProvider, client: Option<Arc<CertifiedKey>>) -> Pair {
    let server = identity_of(provider, &rcgen::PKCS_ECDSA_P256_SHA256);
    let client = client.unwrap_or_else(|| identity(provider));
    Pair::new(provider.clone(), &server, Some(client))
}

pub(crate) fn challenge(client: &dyn Session) -> Challenge {
    let extensions = [(13, P256), (CMW_ATTESTATION, &b""[..])];
    let request = forge::request(13, b"context", &extensions);
    Challenge::receive(client, &request).unwrap()
}

pub(crate) fn evidence(length: usize) -> Cmw {
    Cmw::evidence("a/b".parse().unwrap(), vec![0; length])
}
