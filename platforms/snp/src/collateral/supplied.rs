//! Collateral that the application brings: from its disk, its image, or a service of its own.

use std::fmt;
use std::sync::Arc;

use atls_collateral::CollateralError;
use atls_collateral::Fetched;
use atls_core::AppraisalError;
use atls_core::BoxFuture;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::CertificateRevocationListDer;
use atls_core::pki_types::UnixTime;
use atls_core::pki_types::pem::PemObject;
use atls_formats::snp::CertificateKind;
use atls_formats::snp::Product;
use atls_formats::snp::SigningKey;
use atls_formats::snp::pem;

use super::SnpCollateral;
use super::VekId;
use crate::vek::VekExtensions;
use crate::x509::Certificate;
use crate::x509::time;

/// Certificates and revocation lists, given beforehand. For verifiers that reach no network.
///
/// A revocation list is good until its next update, so whoever supplies it supplies it again in time: after that
/// everybody is refused.
#[derive(Clone, Default)]
pub struct SuppliedCollateral {
    veks: Vec<(VekExtensions, Arc<[u8]>)>,
    /// In PEM.
    issuers: String,
    crls: Vec<(Product, SigningKey, Fetched)>,
}

impl SuppliedCollateral {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds certificates of any kind: one in DER, or any number in PEM.
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`] for what is no certificate, or no certificate in PEM.
    pub fn with_certificates(mut self, bytes: &[u8]) -> Result<Self, AppraisalError> {
        let certificates = if bytes.first() == Some(&0x30) {
            vec![bytes.to_vec()]
        } else {
            CertificateDer::pem_slice_iter(bytes)
                .map(|certificate| certificate.map(|der| der.to_vec()))
                .collect::<Result<_, _>>()
                .map_err(|_| AppraisalError::Malformed)?
        };
        if certificates.is_empty() {
            return Err(AppraisalError::Malformed);
        }
        for der in certificates {
            let certificate = Certificate::decode(&der)?;
            match VekExtensions::read(&certificate) {
                Ok(extensions) => self.veks.push((extensions, der.into())),
                Err(_) => self.issuers.push_str(&pem(CertificateKind::Ask, &der)),
            }
        }
        Ok(self)
    }

    /// Adds AMD's revocation list, in DER or PEM: `https://kdsintf.amd.com/vcek/v1/PRODUCT/crl`, or `vlek`. It replaces
    /// an older one.
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`] for what is no revocation list.
    pub fn with_crl(
        mut self,
        product: Product,
        key: SigningKey,
        bytes: &[u8],
    ) -> Result<Self, AppraisalError> {
        let der = if bytes.first() == Some(&0x30) {
            bytes.to_vec()
        } else {
            CertificateRevocationListDer::from_pem_slice(bytes)
                .map_err(|_| AppraisalError::Malformed)?
                .to_vec()
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
    fn vek<'a>(
        &'a self,
        vek: &'a VekId,
        _: UnixTime,
    ) -> BoxFuture<'a, Result<Option<Fetched>, CollateralError>> {
        let mut veks = self.veks.iter();
        let found = veks.find(|(known, _)| {
            known.product == vek.product
                && known.hwid.as_ref() == Some(&vek.hwid)
                && known.tcb == vek.tcb
        });
        let found = found.map(|(_, der)| supplied(der));
        Box::pin(async { Ok(found) })
    }

    fn issuers(
        &self,
        _: Product,
        _: SigningKey,
        _: UnixTime,
    ) -> BoxFuture<'_, Result<Option<Fetched>, CollateralError>> {
        let issuers = (!self.issuers.is_empty()).then(|| supplied(&self.issuers.as_bytes().into()));
        Box::pin(async { Ok(issuers) })
    }

    fn crl(
        &self,
        product: Product,
        key: SigningKey,
        _: UnixTime,
    ) -> BoxFuture<'_, Result<Option<Fetched>, CollateralError>> {
        let mut crls = self.crls.iter();
        let found = crls.find(|(known, kind, _)| (*known, *kind) == (product, key));
        let found = found.map(|(_, _, list)| list.clone());
        Box::pin(async { Ok(found) })
    }
}

/// For as long as it says itself.
fn supplied(bytes: &Arc<[u8]>) -> Fetched {
    Fetched::new(Arc::clone(bytes), time(u64::MAX))
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
