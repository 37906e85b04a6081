//! The certificate of a reverse proxy, replaced while it runs.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::time::SystemTime;

use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::PrivateKeyDer;
use atls_core::pki_types::pem::PemObject;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;

use crate::failure::Failure;
use crate::source;
use crate::tls;

/// Two files, and what was last read of them.
pub(super) struct Identity {
    chain: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
    stamp: Mutex<Stamp>,
}

/// When both files were last written.
type Stamp = [Option<SystemTime>; 2];

impl Identity {
    pub(super) fn open(chain: &Path, key: &Path) -> Result<Arc<Self>, Failure> {
        let stamp = [modified(chain), modified(key)];
        Ok(Arc::new(Self {
            current: RwLock::new(read(chain, key)?),
            chain: chain.to_owned(),
            key: key.to_owned(),
            stamp: Mutex::new(stamp),
        }))
    }

    /// Reads both files again. Where they are wrong the old certificate stays.
    pub(super) fn reload(&self) -> Result<(), Failure> {
        let stamp = self.now();
        let fresh = read(&self.chain, &self.key)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        *self.stamp.lock().unwrap_or_else(PoisonError::into_inner) = stamp;
        Ok(())
    }

    /// The same, if a file was written since.
    pub(super) fn reload_if_changed(&self) -> Result<bool, Failure> {
        let known = *self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        if known == self.now() {
            return Ok(false);
        }
        self.reload()?;
        Ok(true)
    }

    fn now(&self) -> Stamp {
        [modified(&self.chain), modified(&self.key)]
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Some(current.clone())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("chain", &self.chain)
            .finish_non_exhaustive()
    }
}

fn read(chain: &Path, key: &Path) -> Result<Arc<CertifiedKey>, Failure> {
    let wrong = |path: &Path, what: &str| Failure::usage(format!("{}: {what}", path.display()));
    let pem = source::read(chain, source::MAX_KEYS)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates =
        certificates.map_err(|error| wrong(chain, "it is no chain in PEM").because(&error))?;
    let pem = source::read(key, source::MAX_KEYS)?;
    let private = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| wrong(key, "it is no key in PEM").because(&error))?;
    let certified = CertifiedKey::from_der(certificates, private, &tls::provider());
    let certified =
        certified.map_err(|error| wrong(chain, "chain and key are no identity").because(&error))?;
    Ok(Arc::new(certified))
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|about| about.modified())
        .ok()
}
