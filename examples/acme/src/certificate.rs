//! What an ACME server sent, once it is known to be of use.

use std::sync::Arc;
use std::time::Duration;

use atls_core::limits::MAX_CHAIN;
use instant_acme::CertificateIdentifier;
use rustls::client::verify_server_name;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject;
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::sign::SigningKey;

use crate::error::OrderError;
use crate::name::Name;
use crate::suggestion;

/// A certificate of the service, with the key that was made for it.
#[derive(Clone, Debug)]
pub struct Certificate {
    key: Arc<CertifiedKey>,
    /// Seconds since the epoch.
    not_before: u64,
    not_after: u64,
}

impl Certificate {
    /// Reads a chain in PEM, end-entity first. Whether clients trust its root is theirs to say.
    ///
    /// # Errors
    /// [`OrderError::Certificate`] for a chain that no client could take: of another key, without one of the names, not valid now.
    pub fn received(
        pem: &str,
        key: Arc<dyn SigningKey>,
        names: &[Name],
        now: UnixTime,
    ) -> Result<Self, OrderError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes())
            .take(MAX_CHAIN.saturating_add(1))
            .collect();
        let chain = chain.map_err(|_| unusable("it is not PEM"))?;
        if chain.len() > MAX_CHAIN {
            return Err(unusable("its chain is longer than peers take"));
        }
        let key = CertifiedKey::new(chain, key);
        key.keys_match()
            .map_err(|_| unusable("it is for another key"))?;
        let end_entity = key.end_entity_cert()?;
        let parsed =
            ParsedCertificate::try_from(end_entity).map_err(|_| unusable("it cannot be read"))?;
        for name in names {
            verify_server_name(&parsed, name.server_name())
                .map_err(|_| unusable("it has not all of the names"))?;
        }
        let (not_before, not_after) =
            validity(end_entity).ok_or_else(|| unusable("it cannot be read"))?;
        if !(not_before..not_after).contains(&now.as_secs()) {
            return Err(unusable(
                "it is not valid now, by the clock of this machine",
            ));
        }
        Ok(Self {
            key: Arc::new(key),
            not_before,
            not_after,
        })
    }

    /// The chain, end-entity first, and the key.
    pub fn key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }

    /// Seconds since the epoch: two thirds into its life. A server that is away for weeks does no harm to a certificate of 90 days.
    pub fn renewal_due(&self) -> u64 {
        let third = self.not_after.saturating_sub(self.not_before) / 3;
        self.not_after.saturating_sub(third)
    }

    /// Seconds since the epoch: five sixths into its life. No server has it renewed later.
    pub(crate) fn latest_renewal(&self) -> u64 {
        let sixth = self.not_after.saturating_sub(self.not_before) / 6;
        self.not_after.saturating_sub(sixth)
    }

    /// The name by which an ACME server is asked about it.
    pub(crate) fn identifier(&self) -> Option<CertificateIdentifier<'static>> {
        suggestion::identifier(self.key.cert.first()?)
    }

    /// Seconds since the epoch.
    pub fn not_after(&self) -> u64 {
        self.not_after
    }

    /// Zero once it has expired.
    pub fn valid_for(&self, now: UnixTime) -> Duration {
        Duration::from_secs(self.not_after.saturating_sub(now.as_secs()))
    }
}

fn validity(certificate: &CertificateDer<'_>) -> Option<(u64, u64)> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let validity = certificate.validity();
    let not_before = u64::try_from(validity.not_before.timestamp()).ok()?;
    let not_after = u64::try_from(validity.not_after.timestamp()).ok()?;
    Some((not_before, not_after))
}

fn unusable(why: &'static str) -> OrderError {
    OrderError::Certificate(why)
}
