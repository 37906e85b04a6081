//! Trust anchors: AMD's root keys, or one of a forged platform in their place.

mod amd;

use std::fmt;

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_formats::snp::Product;
use atls_formats::snp::SigningKey;

use crate::x509::Certificate;
use crate::x509::RsaKey;
use crate::x509::Serial;
use crate::x509::Validity;
use amd::AUTHORITIES;
use amd::AmdAuthority;

/// The root key of a forged platform. A verifier trusts it only **in place of AMD's**, and marks its results as
/// [`Origin::Simulated`], which default policies refuse. There is no mixture of both.
#[derive(Clone)]
pub struct SnpRoot(Anchor);

impl SnpRoot {
    /// Reads a self-signed certificate in DER, named `ARK-` and the product.
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`] for another certificate, [`AppraisalError::UnknownKey`] for one of another name.
    pub fn decode(ark: &[u8]) -> Result<Self, AppraisalError> {
        let ark = Authority::of(&Certificate::decode(ark)?)?;
        let mut products = Product::ALL.into_iter();
        let product = products.find(|product| ark.common_name == ark_name(*product));
        Ok(Self(Anchor {
            product: product.ok_or(AppraisalError::UnknownKey)?,
            ark,
            ask: None,
            asvk: None,
        }))
    }
}

impl fmt::Debug for SnpRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SnpRoot")
            .field(&self.0.ark.common_name)
            .finish()
    }
}

/// The root keys that a verifier trusts, one for each product.
#[derive(Clone)]
pub(crate) struct Roots {
    anchors: Vec<Anchor>,
    origin: Origin,
}

impl Roots {
    /// AMD's: the public keys of ARK, ASK and ASVK for Milan, Genoa and Turin, with serial number and validity. Their
    /// certificates need not come with the Evidence.
    pub(crate) fn amd() -> Self {
        let anchors = AUTHORITIES.map(|(product, [ark, ask, asvk])| Anchor {
            product,
            ark: Authority::of_amd(ark_name(product), &ark),
            ask: Some(Authority::of_amd(ask_name(product), &ask)),
            asvk: Some(Authority::of_amd(asvk_name(product), &asvk)),
        });
        Self {
            anchors: anchors.into(),
            origin: Origin::Device,
        }
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

impl From<SnpRoot> for Roots {
    fn from(root: SnpRoot) -> Self {
        Self {
            anchors: vec![root.0],
            origin: Origin::Simulated,
        }
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

    /// The name of that intermediate.
    pub(crate) fn intermediate_name(&self, key: SigningKey) -> String {
        match key {
            SigningKey::Vcek => ask_name(self.product),
            SigningKey::Vlek => asvk_name(self.product),
        }
    }
}

/// A key that signs certificates, with the name, serial number and validity of its own certificate.
#[derive(Clone)]
pub(crate) struct Authority {
    pub(crate) common_name: String,
    pub(crate) key: RsaKey,
    pub(crate) serial: Serial,
    pub(crate) validity: Validity,
}

impl Authority {
    /// Reads the certificate and verifies nothing.
    ///
    /// # Errors
    /// [`AppraisalError`] for the certificate of anything but an authority.
    pub(crate) fn of(certificate: &Certificate<'_>) -> Result<Self, AppraisalError> {
        let common_name = certificate.common_name();
        Ok(Self {
            common_name: common_name.ok_or(AppraisalError::Malformed)?.to_owned(),
            key: certificate.authority_key()?,
            serial: certificate.serial(),
            validity: certificate.validity()?,
        })
    }

    fn of_amd(common_name: String, authority: &AmdAuthority) -> Self {
        Self {
            common_name,
            key: RsaKey::from_modulus(authority.modulus),
            serial: Serial::new(&authority.serial.to_be_bytes()),
            validity: Validity {
                not_before: authority.not_before,
                not_after: authority.not_after,
            },
        }
    }
}

pub(crate) fn ark_name(product: Product) -> String {
    format!("ARK-{product}")
}

fn ask_name(product: Product) -> String {
    format!("SEV-{product}")
}

fn asvk_name(product: Product) -> String {
    format!("SEV-VLEK-{product}")
}

#[cfg(test)]
mod tests;
