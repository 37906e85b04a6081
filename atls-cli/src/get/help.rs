//! What to do about a connection that failed.

use std::error::Error;
use std::io;

use atls_core::PolicyViolation;
use atls_core::Refusal;
use rustls::CertificateError;

pub(super) fn of(error: &atls_tower::Error) -> Option<&'static str> {
    if error.is_not_attested_tls() || error.is_old_tls() {
        return Some("it is an ordinary HTTPS server; is this the right port?");
    }
    if error.is_no_tls() {
        return Some("it does not speak TLS; is this the right port?");
    }
    if error.refused_by_peer().is_some() {
        return Some("why is in the log of the server, and is told to nobody else");
    }
    if let Some(certificate) = certificate_error(error) {
        return Some(about_certificate(certificate));
    }
    match error.refusal()? {
        Refusal::NoVerifier => Some("the policy file needs a table for the server's platform"),
        Refusal::Policy(PolicyViolation::Simulated) => Some(
            "for tests: --trust-sim KEY, or --dangerous-accept-simulated beside --policy or --verifier",
        ),
        Refusal::Policy(PolicyViolation::Binding(_)) => {
            Some("--mode accepts the weaker ones, by name")
        }
        Refusal::Policy(_) => Some("`atls get -v` tells each check, with what it allows"),
        _ => None,
    }
}

/// What rustls says of the server's certificate.
fn certificate_error(error: &atls_tower::Error) -> Option<&CertificateError> {
    let error = error.source()?.downcast_ref::<io::Error>()?;
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    match error {
        rustls::Error::InvalidCertificate(certificate) => Some(certificate),
        _ => None,
    }
}

fn about_certificate(error: &CertificateError) -> &'static str {
    match error {
        // webpki's own word, which rustls passes on in a box.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is that of an authority (CA:TRUE), as `openssl req -x509` makes it; for a server add -addext basicConstraints=critical,CA:FALSE"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "ask under a name that its certificate has"
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            "compare the clocks of both ends, or give the server another certificate"
        }
        _ => "--ca FILE names the authority that issued its certificate, or the certificate itself",
    }
}
