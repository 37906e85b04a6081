//! Simulated devices, by their public keys.

use std::path::Path;

use atls_formats::psa::EcKey;
use atls_sim::TrustAnchor;
use pki_types::SubjectPublicKeyInfoDer;
use pki_types::pem::PemObject;

use super::options::AppraisalOptions;
use crate::failure::Failure;
use crate::source;

impl AppraisalOptions {
    /// The devices that `--trust-sim` names.
    ///
    /// # Errors
    /// A usage failure where a file has no key of P-256.
    pub(crate) fn simulated_devices(&self) -> Result<Vec<TrustAnchor>, Failure> {
        self.trust_sim.iter().map(|path| device(path)).collect()
    }
}

/// The file has the point itself, or the key as OpenSSL writes it.
fn device(path: &Path) -> Result<TrustAnchor, Failure> {
    let bytes = source::read(path, MAX_KEY)?;
    let spki = SubjectPublicKeyInfoDer::from_pem_slice(&bytes).ok();
    let key = spki.and_then(|spki| EcKey::from_spki(&spki));
    let point = key.as_ref().map_or(&bytes[..], EcKey::point);
    TrustAnchor::from_public_key(point).map_err(|_| {
        Failure::usage(format!(
            "{}: it is no key of a simulated device: the 65 bytes of an uncompressed P-256 point, or that public key in PEM",
            path.display()
        ))
        .with_help("`openssl pkey -in DEVICE.pem -pubout` writes it, from the key of `--attester sim=DEVICE.pem`")
    })
}

/// A point has 65 bytes, a key in PEM 178.
const MAX_KEY: usize = 1024;
