//! The cryptography of this program, and the authorities that it trusts in TLS.

use std::path::PathBuf;
use std::sync::Arc;

use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::pem::PemObject;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;

use crate::failure::Failure;
use crate::source;

/// The cryptography of this program.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The authorities in these files; those of the system where no file is named.
///
/// # Errors
/// A usage failure for a file without certificates, a local fault for a system without authorities.
pub(crate) fn roots(files: &[PathBuf]) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    for path in files {
        let pem = source::read(path, source::MAX_KEYS)?;
        let wrong = || Failure::usage(format!("{}: it is no certificate in PEM", path.display()));
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| wrong().because(&error))?;
            let added = roots.add(certificate);
            added.map_err(|error| wrong().because(&error))?;
        }
        if roots.len() == before {
            return Err(wrong());
        }
    }
    if files.is_empty() {
        let of_system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(of_system.certs);
        if roots.is_empty() {
            return Err(Failure::fault("this system has no certificate authorities")
                .with_help("name a file of them, in PEM: --ca FILE"));
        }
    }
    Ok(roots)
}
