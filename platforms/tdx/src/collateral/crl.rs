//! Certificate revocation lists (RFC 5280 §5), as far as their dates, issuer and signature go.

use atls_core::bounded;
use atls_core::limits::MAX_REVOCATION_VALUES;
use x509_cert::crl::CertificateList;
use x509_cert::der::Decode;

use crate::platform::PckCa;

/// The fields of a list whose signature is not verified yet.
#[derive(Clone, Debug)]
pub(super) struct Crl {
    /// `thisUpdate`, seconds since the epoch.
    pub(super) issued: u64,
    /// `nextUpdate`, seconds since the epoch; every list must have one.
    pub(super) expires: u64,
    issuer: String,
}

impl Crl {
    pub(super) fn decode(der: &[u8]) -> Option<Self> {
        if !bounded::der(MAX_REVOCATION_VALUES, der) {
            return None;
        }
        let list: CertificateList = CertificateList::from_der(der).ok()?;
        let list = list.tbs_cert_list;
        Some(Self {
            issued: list.this_update.to_unix_duration().as_secs(),
            expires: list.next_update?.to_unix_duration().as_secs(),
            issuer: list.issuer.to_string(),
        })
    }

    /// The issuer of the list, if it is one of Intel's issuers of PCK certificates.
    pub(super) fn pck_ca(&self) -> Option<PckCa> {
        let names = |name| self.issuer.contains(name);
        match (names("PCK Platform CA"), names("PCK Processor CA")) {
            (true, false) => Some(PckCa::Platform),
            (false, true) => Some(PckCa::Processor),
            _ => None,
        }
    }
}
