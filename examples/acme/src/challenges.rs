//! The challenges that are pending, for [`ServerTerms::tls_alpn_01`](atls_tower::ServerTerms::tls_alpn_01).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use rcgen::CertificateParams;
use rcgen::CustomExtension;
use rcgen::DistinguishedName;
use rcgen::KeyPair;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;

use crate::error::OrderError;
use crate::name::Name;

/// The certificates of pending challenges, by the name in the ClientHello.
#[derive(Debug, Default)]
pub struct Challenges {
    pending: Mutex<BTreeMap<String, Arc<CertifiedKey>>>,
}

impl Challenges {
    /// Answers the challenge for this name for as long as the value that it gives is kept. `digest` is the SHA-256 of the key authorization.
    pub(crate) fn answer(
        self: &Arc<Self>,
        name: &Name,
        digest: &[u8; 32],
        provider: &CryptoProvider,
    ) -> Result<Pending, OrderError> {
        let certificate = Arc::new(certificate(name, digest, provider)?);
        let name = name.in_challenge();
        self.locked().insert(name.clone(), certificate.clone());
        Ok(Pending {
            challenges: self.clone(),
            name,
            certificate,
        })
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, Arc<CertifiedKey>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Challenges {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.locked().get(hello.server_name()?).cloned()
    }
}

/// A challenge that is answered until this is dropped.
#[derive(Debug)]
pub(crate) struct Pending {
    challenges: Arc<Challenges>,
    name: String,
    certificate: Arc<CertifiedKey>,
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut pending = self.challenges.locked();
        // A later order for the name has an answer of its own.
        if let Some(current) = pending.get(&self.name)
            && Arc::ptr_eq(current, &self.certificate)
        {
            pending.remove(&self.name);
        }
    }
}

/// RFC 8737 §3: self-signed, for this name alone, with the digest in a critical extension. Its key is for this challenge alone.
fn certificate(
    name: &Name,
    digest: &[u8; 32],
    provider: &CryptoProvider,
) -> Result<CertifiedKey, OrderError> {
    let mut parameters = CertificateParams::new(vec![name.into()])?;
    parameters.distinguished_name = DistinguishedName::new();
    parameters.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = parameters.self_signed(&key)?;
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let key = provider.key_provider.load_private_key(key)?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_challenge_is_pending_until_its_order_drops_it() {
        let challenges = Arc::new(Challenges::default());
        let names = ["a.example", "192.0.2.1"].map(|name| name.parse::<Name>().unwrap());
        let answer = |name| challenges.answer(name, &[7; 32], &demo::provider());
        let pending = names.each_ref().map(|name| answer(name).unwrap());
        let known = || challenges.locked().keys().cloned().collect::<Vec<_>>();
        assert_eq!(known(), ["1.2.0.192.in-addr.arpa", "a.example"]);
        let [first, _second] = pending;
        let later = answer(&names[0]).unwrap();
        drop(first);
        assert_eq!(known(), ["1.2.0.192.in-addr.arpa", "a.example"]);
        drop(later);
        assert_eq!(known(), ["1.2.0.192.in-addr.arpa"]);
    }
}
