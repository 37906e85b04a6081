//! The certificate of a reverse proxy, replaced while it runs.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::PrivateKeyDer;
use atls_core::pki_types::UnixTime;
use atls_core::pki_types::pem::PemObject;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::reread::Reread;
use super::watched::When;
use crate::failure::Failure;
use crate::source;
use crate::tls;

/// Two files, and what was last read of them.
pub(super) struct Identity {
    files: Reread<Current>,
}

/// A chain with its key, and the seconds since 1970 from which and to which its first certificate is valid.
#[derive(Clone)]
struct Current {
    key: Arc<CertifiedKey>,
    from: i64,
    to: i64,
}

impl Identity {
    pub(super) fn open(chain: &Path, key: &Path) -> Result<Arc<Self>, Failure> {
        let (chain, key) = (chain.to_owned(), key.to_owned());
        let both = [chain.clone(), key.clone()];
        Ok(Arc::new(Self {
            files: Reread::open(both, move || read(&chain, &key))?,
        }))
    }

    /// Reads both files again. Tells whether they were read.
    pub(super) fn reload(&self, when: When) -> Result<bool, Failure> {
        self.files.reload(when)
    }

    /// The chain and the key of now.
    pub(super) fn current(&self) -> Arc<CertifiedKey> {
        self.files.now().key
    }

    pub(super) fn is_valid(&self, now: UnixTime) -> bool {
        let Current { from, to, .. } = self.files.now();
        i64::try_from(now.as_secs()).is_ok_and(|now| (from..=to).contains(&now))
    }

    /// The end of the certificate, in seconds since 1970.
    pub(super) fn expires(&self) -> i64 {
        self.files.now().to
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

fn read(chain: &Path, key: &Path) -> Result<Current, Failure> {
    let wrong = |path: &Path, what: &str| Failure::usage(format!("{}: {what}", path.display()));
    let pem = source::read(chain, source::MAX_KEYS)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates =
        certificates.map_err(|error| wrong(chain, "it is no chain in PEM").because(&error))?;
    if certificates.is_empty() {
        return Err(wrong(chain, "it holds no certificate in PEM"));
    }
    let pem = source::read(key, source::MAX_KEYS)?;
    let private = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| wrong(key, "it is no key in PEM").because(&error))?;
    let certified = CertifiedKey::from_der(certificates, private, &tls::provider());
    let certified =
        certified.map_err(|error| wrong(chain, "chain and key are no identity").because(&error))?;
    let leaf = certified.end_entity_cert();
    let leaf = leaf.map_err(|error| wrong(chain, "it holds no certificate").because(&error))?;
    let (_, leaf) = X509Certificate::from_der(leaf)
        .map_err(|error| wrong(chain, "its certificate cannot be read").because(&error))?;
    let validity = leaf.validity();
    let current = Current {
        from: validity.not_before.timestamp(),
        to: validity.not_after.timestamp(),
        key: Arc::new(certified),
    };
    Ok(current)
}
