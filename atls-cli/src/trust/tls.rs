//! The TLS of clients of attested servers.

use atls_tower::weaker::dangerous_any_server;
use rustls::ClientConfig;

use super::options::TrustOptions;
use crate::failure::Failure;
use crate::tls::provider;
use crate::tls::roots;

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
