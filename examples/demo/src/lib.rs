//! Shared by the examples: TLS for `localhost`, under a certificate authority of their own.
//!
//! A service has a certificate of a public authority instead, and its clients the roots of their platform.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "it is for programs for a terminal"
)]

mod program;
pub mod testing;

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertifiedIssuer;
use rcgen::DnType;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::IsCa;
use rcgen::KeyPair;
use rcgen::KeyUsagePurpose;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs;
use rustls::crypto::aws_lc_rs::kx_group;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

pub use program::no_arguments;
pub use program::one_word;
pub use program::program;

/// The cryptography of all examples: aws-lc-rs, which has hybrids with ML-KEM, and X25519MLKEM768 first. Any rustls provider does.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        kx_groups: vec![
            kx_group::X25519MLKEM768,
            kx_group::X25519,
            kx_group::SECP256R1,
            kx_group::SECP384R1,
        ],
        ..aws_lc_rs::default_provider()
    })
}

/// The same with X25519MLKEM768 alone: for clients that demand it, and for those of reqwest, which know the group of a connection only
/// if there is no choice.
pub fn hybrid_provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        kx_groups: vec![kx_group::X25519MLKEM768],
        ..aws_lc_rs::default_provider()
    })
}

/// A certificate authority that lives as long as its process.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// A fresh one.
    ///
    /// # Errors
    /// Those of rcgen.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let mut parameters = CertificateParams::new(Vec::new())?;
        parameters
            .distinguished_name
            .push(DnType::CommonName, "demonstration authority");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?;
        Ok(Self { issuer })
    }

    /// For clients: trust this authority.
    ///
    /// # Errors
    /// Those of rustls.
    pub fn roots(&self) -> Result<RootCertStore, Box<dyn Error>> {
        roots_of(&self.issuer.pem())
    }

    /// For clients in other processes.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A chain and key for `localhost`, 127.0.0.1 and `::1`.
    ///
    /// # Errors
    /// Those of rcgen.
    pub fn issue(&self) -> Result<Issued, Box<dyn Error>> {
        self.issue_for(&["localhost", "127.0.0.1", "::1"])
    }

    /// A chain and key for a server of these names.
    ///
    /// # Errors
    /// Those of rcgen.
    pub fn issue_for(&self, names: &[&str]) -> Result<Issued, Box<dyn Error>> {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut parameters = CertificateParams::new(names)?;
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = parameters.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::try_from(key.serialize_der())?,
        })
    }

    /// A chain and key for a client without name.
    ///
    /// # Errors
    /// Those of rcgen.
    pub fn issue_client(&self) -> Result<Issued, Box<dyn Error>> {
        let mut parameters = CertificateParams::new(Vec::new())?;
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let certificate = parameters.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::try_from(key.serialize_der())?,
        })
    }

    /// A client configuration that trusts this authority.
    ///
    /// # Errors
    /// Those of rustls.
    pub fn client(&self, alpn: &[&str]) -> Result<ClientConfig, Box<dyn Error>> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(self.roots()?)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(config)
    }

    /// A server configuration with a fresh certificate, for HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// Those of rcgen and rustls.
    pub fn server(&self) -> Result<ServerConfig, Box<dyn Error>> {
        self.issue()?.server()
    }
}

/// A certificate and its key.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "not published")]
pub struct Issued {
    /// End-entity first.
    pub chain: Vec<CertificateDer<'static>>,
    /// PKCS #8.
    pub key: PrivateKeyDer<'static>,
}

impl Issued {
    /// A server configuration, for HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// Those of rustls.
    pub fn server(&self) -> Result<ServerConfig, Box<dyn Error>> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// Demands attestation by this device. The policy must name the simulator to accept it; leave that line out with real
/// hardware.
///
/// # Errors
/// None: the configuration is a good one.
pub fn trusting(device: &SimAttester) -> Result<Arc<RelyingParty>, Box<dyn Error>> {
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(SimVerifier::new(device.trust_anchor())))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .build()?;
    Ok(Arc::new(relying_party))
}

/// Roots out of a PEM file.
///
/// # Errors
/// Where it holds no certificate.
pub fn roots_of(pem: &str) -> Result<RootCertStore, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate?)?;
    }
    Ok(roots)
}

/// Hands a file to another example, through `target/demo`, or the folder that `ATLS_DEMO` names.
///
/// # Errors
/// Those of the file system.
pub fn publish(name: &str, content: &[u8]) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder())?;
    std::fs::write(folder().join(name), content)?;
    Ok(())
}

/// Reads the text that another example has [`publish`]ed.
///
/// # Errors
/// Those of the file system; most likely the other example was not started.
pub fn published(name: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let path = folder().join(name);
    let read = std::fs::read(&path);
    read.map_err(|error| {
        format!(
            "{}: {error}; start the server example first",
            path.display()
        )
        .into()
    })
}

fn folder() -> PathBuf {
    let named = std::env::var_os("ATLS_DEMO").map(PathBuf::from);
    named.unwrap_or_else(|| PathBuf::from("target/demo"))
}
