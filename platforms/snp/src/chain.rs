//! The chain from a trusted root to the key that signed the report.
//!
//! Certificates go in; a [`Chain`] with verified key and earliest end comes out. A failure is an `AppraisalError`.

use atls_core::AppraisalError;
use atls_core::pki_types::UnixTime;
use atls_formats::snp::Product;
use atls_formats::snp::Report;
use atls_formats::snp::SigningKey;

use crate::roots::Anchor;
use crate::roots::Authority;
use crate::roots::Roots;
use crate::roots::ark_name;
use crate::vek::VekExtensions;
use crate::x509::Certificate;
use crate::x509::Serial;

/// A VEK under a trusted root, verified at a given time.
pub(crate) struct Chain {
    /// An uncompressed point of P-384, 97 bytes.
    pub(crate) key: Vec<u8>,
    pub(crate) extensions: VekExtensions,
    pub(crate) ark: Authority,
    /// The serial numbers of ARK, intermediate and VEK.
    pub(crate) serials: [Serial; 3],
    /// The earliest end of the three, seconds since the epoch.
    pub(crate) not_after: u64,
}

impl Chain {
    /// Verifies a VEK's certificate. `authorities` are certificates in DER that came along. Those with the names of this chain's
    /// ARK and intermediate must be right: the ARK's has the trusted key, and that key signed the intermediate's. Certificates of
    /// other names belong to other chains. [`Roots`] fills in for those that did not come along.
    ///
    /// # Errors
    /// [`AppraisalError::UnknownKey`] for another root or without an intermediate, [`AppraisalError::BadSignature`],
    /// [`AppraisalError::Expired`] when one of the three is not valid, [`AppraisalError::Malformed`].
    pub(crate) fn verify<'a>(
        roots: &Roots,
        vek: &[u8],
        authorities: impl IntoIterator<Item = &'a [u8]>,
        now: UnixTime,
    ) -> Result<Self, AppraisalError> {
        let vek = Certificate::decode(vek)?;
        let extensions = VekExtensions::read(&vek)?;
        let anchor = roots.anchor(extensions.product)?;
        let (ark, intermediate) =
            authorities_of(anchor, extensions.product, extensions.key, authorities)?;
        if vek.issuer_common_name() != Some(&intermediate.common_name) {
            return Err(AppraisalError::UnknownKey);
        }
        vek.verify(&intermediate.key)?;
        let validities = [ark.validity, intermediate.validity, vek.validity()?];
        let mut not_after = u64::MAX;
        for validity in validities {
            not_after = not_after.min(validity.check(now)?.not_after);
        }
        Ok(Self {
            key: vek.p384_key()?.to_vec(),
            serials: [ark.serial.clone(), intermediate.serial, vek.serial()],
            ark,
            extensions,
            not_after,
        })
    }

    /// This chain, if its VEK is the report's.
    ///
    /// # Errors
    /// [`AppraisalError::UnknownKey`]
    pub(crate) fn fitting(self, report: &Report<'_>) -> Result<Self, AppraisalError> {
        match self.extensions.fit(report) {
            true => Ok(self),
            false => Err(AppraisalError::UnknownKey),
        }
    }

    /// Ends the chain no later than that, seconds since the epoch.
    pub(crate) fn ending(mut self, until: u64) -> Self {
        self.not_after = self.not_after.min(until);
        self
    }
}

/// Verifies a product's intermediate, and its ARK if that is among the certificates, and gives the earlier end of their validity,
/// seconds since the epoch.
///
/// # Errors
/// As [`Chain::verify`].
pub(crate) fn verify_authorities<'a>(
    roots: &Roots,
    product: Product,
    key: SigningKey,
    certificates: impl IntoIterator<Item = &'a [u8]>,
    now: UnixTime,
) -> Result<u64, AppraisalError> {
    let anchor = roots.anchor(product)?;
    let (ark, intermediate) = authorities_of(anchor, product, key, certificates)?;
    let ark_end = ark.validity.check(now)?.not_after;
    Ok(intermediate.validity.check(now)?.not_after.min(ark_end))
}

/// The same for exactly two certificates, of the ARK and of the intermediate.
///
/// # Errors
/// As [`Chain::verify`].
pub(crate) fn verify_issuers(
    roots: &Roots,
    product: Product,
    key: SigningKey,
    certificates: &[Vec<u8>],
    now: UnixTime,
) -> Result<u64, AppraisalError> {
    let anchor = roots.anchor(product)?;
    let mut names = Vec::new();
    for der in certificates {
        let certificate = Certificate::decode(der)?;
        let name = certificate.common_name().ok_or(AppraisalError::Malformed)?;
        names.push(name.to_owned());
    }
    names.sort();
    if names != [ark_name(product), anchor.intermediate_name(key)] {
        return Err(AppraisalError::Malformed);
    }
    let certificates = certificates.iter().map(|der| &**der);
    verify_authorities(roots, product, key, certificates, now)
}

/// Whether the certificate of the intermediate must come from outside, because it is not known beforehand.
pub(crate) fn lacks_intermediate(roots: &Roots, product: Product, key: SigningKey) -> bool {
    roots
        .anchor(product)
        .is_ok_and(|anchor| anchor.intermediate(key).is_none())
}

fn authorities_of<'a>(
    anchor: &Anchor,
    product: Product,
    key: SigningKey,
    certificates: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Authority, Authority), AppraisalError> {
    let mut ark = anchor.ark.clone();
    let mut intermediate = anchor.intermediate(key).cloned();
    let (ark_name, name) = (ark_name(product), anchor.intermediate_name(key));
    for certificate in certificates {
        let certificate = Certificate::decode(certificate)?;
        let is_ark = match certificate.common_name() {
            Some(known) if known == ark_name => true,
            Some(known) if known == name => false,
            _ => continue,
        };
        let authority = Authority::of(&certificate)?;
        if is_ark && authority.key != anchor.ark.key {
            return Err(AppraisalError::UnknownKey);
        }
        if certificate.issuer_common_name() != Some(&ark_name) {
            return Err(AppraisalError::UnknownKey);
        }
        certificate.verify(&anchor.ark.key)?;
        if is_ark {
            ark = authority;
        } else {
            intermediate = Some(authority);
        }
    }
    let intermediate = intermediate.ok_or(AppraisalError::UnknownKey)?;
    Ok((ark, intermediate))
}
