//! The TLS of clients.

use std::path::PathBuf;

use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::pem::PemObject;
use atls_tower::weaker::dangerous_any_server;
use rustls::ClientConfig;
use rustls::RootCertStore;

use super::options::TrustOptions;
use super::provider;
use crate::failure::Failure;
use crate::source;

/// A client of attested servers.
pub(crate) fn client(options: &TrustOptions, alpn: &[&str]) -> Result<ClientConfig, Failure> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| Failure::fault("TLS cannot be set up").because(&error))?;
    let mut config = if options.dangerous_any_certificate {
        builder
            .dangerous()
            .with_custom_certificate_verifier(dangerous_any_server(&provider()))
            .with_no_client_auth()
    } else {
        builder
            .with_root_certificates(roots(&options.ca)?)
            .with_no_client_auth()
    };
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(config)
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
