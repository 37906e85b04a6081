//! The pieces of collateral, and how an operator reads of them.

use atls_core::Stale;
use atls_core::pki_types::UnixTime;
use atls_formats::snp::Product;
use atls_formats::snp::SigningKey;

use super::VekId;
use super::issuers_of;
use crate::crl;
use crate::x509::Certificate;
use crate::x509::Validity;
use crate::x509::time;

/// What a source is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnpPiece<'a> {
    /// The revocation list.
    Crl(Product, SigningKey),
    /// Intermediate and root.
    Issuers(Product, SigningKey),
    /// The certificate of a chip's key.
    Vek(&'a VekId),
}

impl SnpPiece<'_> {
    /// As errors name it.
    pub(crate) fn name(self) -> &'static str {
        use Product::{Genoa, Milan, Turin};
        use SigningKey::{Vcek, Vlek};
        match self {
            Self::Crl(Milan, Vcek) => "VCEK CRL of Milan",
            Self::Crl(Milan, Vlek) => "VLEK CRL of Milan",
            Self::Crl(Genoa, Vcek) => "VCEK CRL of Genoa",
            Self::Crl(Genoa, Vlek) => "VLEK CRL of Genoa",
            Self::Crl(Turin, Vcek) => "VCEK CRL of Turin",
            Self::Crl(Turin, Vlek) => "VLEK CRL of Turin",
            Self::Issuers(Milan, Vcek) => "ASK and ARK of Milan",
            Self::Issuers(Milan, Vlek) => "ASVK and ARK of Milan",
            Self::Issuers(Genoa, Vcek) => "ASK and ARK of Genoa",
            Self::Issuers(Genoa, Vlek) => "ASVK and ARK of Genoa",
            Self::Issuers(Turin, Vcek) => "ASK and ARK of Turin",
            Self::Issuers(Turin, Vlek) => "ASVK and ARK of Turin",
            Self::Vek(vek) => match vek.product {
                Milan => "VCEK certificate of Milan",
                Genoa => "VCEK certificate of Genoa",
                Turin => "VCEK certificate of Turin",
            },
        }
    }

    /// Why its contents are outside of their time: the part of them that expired first, or one that is yet to be valid.
    pub(crate) fn stale(self, contents: &[u8], now: UnixTime) -> Stale {
        let validities = self.validities(contents);
        let second = now.as_secs();
        let ends = validities.iter().map(|validity| validity.not_after);
        if let Some(end) = ends.filter(|end| *end < second).min() {
            return Stale::expired(self.name(), time(end));
        }
        let begins = validities.iter().map(|validity| validity.not_before);
        match begins.filter(|begin| second < *begin).max() {
            Some(begin) => Stale::early(self.name(), time(begin)),
            None => Stale::undated(self.name()),
        }
    }

    /// Nothing is verified.
    fn validities(self, contents: &[u8]) -> Vec<Validity> {
        let of = |der: &[u8]| Certificate::decode(der).and_then(|it| it.validity()).ok();
        match self {
            Self::Crl(..) => crl::validity(contents).into_iter().collect(),
            Self::Issuers(..) => {
                let certificates = issuers_of(contents).unwrap_or_default();
                certificates.iter().filter_map(|der| of(der)).collect()
            }
            Self::Vek(_) => of(contents).into_iter().collect(),
        }
    }
}
