//! The pieces of collateral, by name, and why one is outside of its time.

use std::fmt;

use atls_core::Stale;
use atls_core::pki_types::UnixTime;
use atls_formats::snp::Product;
use atls_formats::snp::SigningKey;
use atls_formats::snp::Tcb;

use crate::crl;
use crate::vek::VekExtensions;
use crate::x509;
use crate::x509::Certificate;
use crate::x509::Validity;
use crate::x509::time;

/// A piece of collateral that AMD's key distribution service has (AMD document 57230 §4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SnpPiece {
    /// The revocation list, in DER.
    Crl(Product, SigningKey),
    /// The certificates of intermediate and root, in PEM.
    Issuers(Product, SigningKey),
    /// The certificate of a chip's key, in DER. AMD gives a provider's key to that provider only.
    Vek(VekId),
}

/// A VCEK, by its chip and the versions of its firmware.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct VekId {
    /// The processor.
    pub product: Product,
    /// The hardware ID: 64 bytes, of Turin 8 bytes.
    pub hwid: Vec<u8>,
    /// The versions in the report.
    pub tcb: Tcb,
}

impl VekId {
    /// Whether a certificate with these extensions is the one.
    pub(crate) fn is_of(&self, extensions: &VekExtensions) -> bool {
        extensions.key == SigningKey::Vcek
            && extensions.product == self.product
            && extensions.hwid.as_ref() == Some(&self.hwid)
            && extensions.tcb == self.tcb
    }
}

/// Without the hardware ID, which names a machine.
impl fmt::Debug for VekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VekId")
            .field("product", &self.product)
            .field("tcb", &self.tcb)
            .finish_non_exhaustive()
    }
}

impl SnpPiece {
    /// The name in errors.
    pub(crate) fn name(&self) -> &'static str {
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

    /// Why these contents are outside of their time: the part that expired first, or the part that becomes valid last.
    pub(crate) fn stale(&self, contents: &[u8], now: UnixTime) -> Stale {
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

    /// Verifies nothing.
    fn validities(&self, contents: &[u8]) -> Vec<Validity> {
        let of = |der: &[u8]| Certificate::decode(der).and_then(|it| it.validity()).ok();
        match self {
            Self::Crl(..) => crl::validity(contents).into_iter().collect(),
            Self::Issuers(..) => {
                let certificates = x509::from_pem(contents).unwrap_or_default();
                certificates.iter().filter_map(|der| of(der)).collect()
            }
            Self::Vek(_) => of(contents).into_iter().collect(),
        }
    }
}
