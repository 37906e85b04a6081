//! Collateral from the application: out of its disk, its image, or a service of its own.

use std::fmt;
use std::sync::Arc;

use atls_collateral::CollateralError;
use atls_collateral::Fetched;
use atls_core::AppraisalError;
use atls_core::BoxFuture;
use atls_core::pki_types::CertificateRevocationListDer;
use atls_core::pki_types::UnixTime;
use atls_core::pki_types::pem::PemObject;
use atls_formats::snp::CertificateKind;
use atls_formats::snp::Product;
use atls_formats::snp::SigningKey;
use atls_formats::snp::pem;

use super::SnpCollateral;
use super::piece::SnpPiece;
use crate::vek::VekExtensions;
use crate::x509;
use crate::x509::Certificate;
use crate::x509::time;

/// Certificates and revocation lists, given beforehand, for verifiers that reach no network.
///
/// A revocation list is good until its next update. Supply the next one in time, or every peer is refused.
#[derive(Clone, Default)]
pub struct SuppliedCollateral {
    veks: Vec<(VekExtensions, Arc<[u8]>)>,
    /// In PEM.
    issuers: String,
    crls: Vec<(Product, SigningKey, Fetched)>,
}

impl SuppliedCollateral {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds certificates of any kind: one in DER, or any number in PEM.
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`] for anything else.
    pub fn with_certificates(mut self, bytes: &[u8]) -> Result<Self, AppraisalError> {
        let certificates = match bytes {
            [DER, ..] => Some(vec![bytes.to_vec()]),
            pem => x509::from_pem(pem),
        };
        for der in certificates.ok_or(AppraisalError::Malformed)? {
            let certificate = Certificate::decode(&der)?;
            match VekExtensions::read(&certificate) {
                Ok(extensions) => self.veks.push((extensions, der.into())),
                Err(_) => self.issuers.push_str(&pem(CertificateKind::Ask, &der)),
            }
        }
        Ok(self)
    }

    /// Adds AMD's revocation list, in DER or PEM: `https://kdsintf.amd.com/vcek/v1/PRODUCT/crl`, or `vlek`. It replaces
    /// an earlier one.
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`] for anything but a revocation list.
    pub fn with_crl(
        mut self,
        product: Product,
        key: SigningKey,
        bytes: &[u8],
    ) -> Result<Self, AppraisalError> {
        let der = match bytes {
            [DER, ..] => bytes.to_vec(),
            pem => CertificateRevocationListDer::from_pem_slice(pem)
                .map_err(|_| AppraisalError::Malformed)?
                .to_vec(),
        };
        let validity = crate::crl::validity(&der).ok_or(AppraisalError::Malformed)?;
        let list = Fetched::new(der, time(validity.not_after));
        self.crls
            .retain(|(known, kind, _)| (*known, *kind) != (product, key));
        self.crls.push((product, key, list));
        Ok(self)
    }
}

impl SnpCollateral for SuppliedCollateral {
    fn get<'a>(
        &'a self,
        piece: &'a SnpPiece,
        _: UnixTime,
    ) -> BoxFuture<'a, Result<Option<Fetched>, CollateralError>> {
        // A certificate says itself until when it is valid.
        let forever = |bytes: Arc<[u8]>| Fetched::new(bytes, time(u64::MAX));
        let found = match piece {
            SnpPiece::Crl(product, key) => {
                let mut crls = self.crls.iter();
                let found = crls.find(|(known, kind, _)| (known, kind) == (product, key));
                found.map(|(_, _, list)| list.clone())
            }
            SnpPiece::Issuers(..) => {
                (!self.issuers.is_empty()).then(|| forever(self.issuers.as_bytes().into()))
            }
            SnpPiece::Vek(vek) => {
                let mut veks = self.veks.iter();
                let found = veks.find(|(known, _)| vek.is_of(known));
                found.map(|(_, der)| forever(Arc::clone(der)))
            }
        };
        Box::pin(async { Ok(found) })
    }
}

impl fmt::Debug for SuppliedCollateral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuppliedCollateral")
            .field("veks", &self.veks.len())
            .field("issuers", &!self.issuers.is_empty())
            .field("crls", &self.crls.len())
            .finish()
    }
}

/// The first byte of a SEQUENCE in DER. Text in PEM begins with another.
const DER: u8 = 0x30;
