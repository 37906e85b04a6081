//! Trust anchors: whose signatures count.

mod genoa;
mod milan;
mod turin;

use std::fmt;

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_formats::snp::Product;
use atls_formats::snp::SigningKey;

use crate::x509::Certificate;
use crate::x509::RsaKey;
use crate::x509::Serial;
use crate::x509::Validity;

/// The root keys that a verifier trusts, one for each product.
///
/// Either AMD's or a test's, never both: what a test's root signed is marked as [`Origin::Simulated`], which every
/// default policy refuses.
#[derive(Clone)]
pub struct Roots {
    anchors: Vec<Anchor>,
    origin: Origin,
}

impl Roots {
    /// AMD's: the public keys of ARK, ASK and ASVK for Milan, Genoa and Turin, with the numbers and validity of their
    /// certificates. The certificates themselves need not come with the Evidence.
    pub fn amd() -> Self {
        let anchors = [
            (Product::Milan, milan::ARK, milan::ASK, milan::ASVK),
            (Product::Genoa, genoa::ARK, genoa::ASK, genoa::ASVK),
            (Product::Turin, turin::ARK, turin::ASK, turin::ASVK),
        ];
        let anchors = anchors.map(|(product, ark, ask, asvk)| Anchor {
            product,
            ark: ark.into(),
            ask: Some(ask.into()),
            asvk: Some(asvk.into()),
        });
        Self {
            anchors: anchors.into(),
            origin: Origin::Device,
        }
    }

    /// Another root in place of AMD's: **whoever has its key forges any machine**. For forged platforms in tests; what
    /// it signs is marked as [`Origin::Simulated`].
    ///
    /// `ark` is a self-signed certificate in DER, named `ARK-` and the product. The other products have no root then.
    ///
    /// # Errors
    /// [`AppraisalError`] where that is no such certificate.
    pub fn dangerous_custom(product: Product, ark: &[u8]) -> Result<Self, AppraisalError> {
        let ark = Authority::of(&Certificate::decode(ark)?)?;
        if ark.common_name != ark_name(product) {
            return Err(AppraisalError::UnknownKey);
        }
        Ok(Self {
            anchors: vec![Anchor {
                product,
                ark,
                ask: None,
                asvk: None,
            }],
            origin: Origin::Simulated,
        })
    }

    /// # Errors
    /// [`AppraisalError::UnknownKey`] where there is no root for it.
    pub(crate) fn anchor(&self, product: Product) -> Result<&Anchor, AppraisalError> {
        let anchor = self.anchors.iter().find(|known| known.product == product);
        anchor.ok_or(AppraisalError::UnknownKey)
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.anchors.iter().map(|anchor| &anchor.ark.common_name);
        f.debug_struct("Roots")
            .field("anchors", &names.collect::<Vec<_>>())
            .field("origin", &self.origin)
            .finish()
    }
}

/// One product's root, and its intermediates where they are known beforehand.
#[derive(Clone)]
pub(crate) struct Anchor {
    product: Product,
    pub(crate) ark: Authority,
    ask: Option<Authority>,
    asvk: Option<Authority>,
}

impl Anchor {
    /// The intermediate that signs keys of this kind.
    pub(crate) fn intermediate(&self, key: SigningKey) -> Option<&Authority> {
        match key {
            SigningKey::Vcek => self.ask.as_ref(),
            SigningKey::Vlek => self.asvk.as_ref(),
        }
    }

    /// How that intermediate is named.
    pub(crate) fn intermediate_name(&self, key: SigningKey) -> String {
        match key {
            SigningKey::Vcek => format!("SEV-{}", self.product),
            SigningKey::Vlek => format!("SEV-VLEK-{}", self.product),
        }
    }
}

/// A key that signs certificates, and what else its own certificate says.
#[derive(Clone)]
pub(crate) struct Authority {
    pub(crate) common_name: String,
    pub(crate) key: RsaKey,
    pub(crate) serial: Serial,
    pub(crate) validity: Validity,
}

impl Authority {
    /// # Errors
    /// [`AppraisalError`] where it is no authority's certificate. Nothing is verified.
    pub(crate) fn of(certificate: &Certificate<'_>) -> Result<Self, AppraisalError> {
        let common_name = certificate.common_name();
        Ok(Self {
            common_name: common_name.ok_or(AppraisalError::Malformed)?.to_owned(),
            key: certificate.authority_key()?,
            serial: certificate.serial(),
            validity: certificate.validity()?,
        })
    }
}

impl From<AmdAuthority> for Authority {
    fn from(authority: AmdAuthority) -> Self {
        Self {
            common_name: authority.common_name.to_owned(),
            key: RsaKey::from_modulus(authority.modulus),
            serial: Serial::new(&authority.serial.to_be_bytes()),
            validity: Validity {
                not_before: authority.not_before,
                not_after: authority.not_after,
            },
        }
    }
}

/// One of AMD's authorities as a constant: RSA with 4096 bits and the exponent 65537; seconds since the epoch.
struct AmdAuthority {
    common_name: &'static str,
    serial: u32,
    not_before: u64,
    not_after: u64,
    modulus: &'static [u8; 512],
}

pub(crate) fn ark_name(product: Product) -> String {
    format!("ARK-{product}")
}

#[cfg(test)]
mod tests;
