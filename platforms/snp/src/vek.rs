//! The key that signed a report, VCEK or VLEK, with AMD's statements about it (AMD document 57230 §3, §4).
//!
//! A certificate goes in, its extensions come out. A missing or malformed extension is `Malformed`.

use atls_core::AppraisalError;
use atls_formats::snp::Product;
use atls_formats::snp::Report;
use atls_formats::snp::SigningKey;
use atls_formats::snp::Tcb;

use crate::x509::Certificate;

/// AMD's extensions of a VEK certificate, `1.3.6.1.4.1.3704.1.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VekExtensions {
    pub(crate) key: SigningKey,
    pub(crate) product: Product,
    /// The versions of firmware for which the key was derived.
    pub(crate) tcb: Tcb,
    /// VCEK: the hardware ID of the chip.
    pub(crate) hwid: Option<Vec<u8>>,
    /// VLEK: the name of the cloud provider.
    pub(crate) provider: Option<String>,
}

impl VekExtensions {
    /// # Errors
    /// [`AppraisalError::Malformed`] if an extension is missing or of another form, or the certificate is of another kind.
    pub(crate) fn read(certificate: &Certificate<'_>) -> Result<Self, AppraisalError> {
        Self::find(certificate).ok_or(AppraisalError::Malformed)
    }

    /// Whether that key can have signed the report: same product, same firmware. A VCEK must also be this chip's, unless the report
    /// hides its chip.
    pub(crate) fn fit(&self, report: &Report<'_>) -> bool {
        let same_product = match report.product() {
            Ok(Some(product)) => product == self.product,
            Ok(None) => true,
            Err(_) => false,
        };
        let same_chip = match (report.signing_key, &self.hwid) {
            (SigningKey::Vcek, Some(hwid)) => {
                report.hides_chip() || report.hwid(self.product) == Some(hwid)
            }
            (SigningKey::Vlek, None) => true,
            _ => false,
        };
        let reported = Tcb::decode(self.product, report.reported_tcb);
        self.key == report.signing_key
            && same_product
            && same_chip
            && reported.as_ref() == Some(&self.tcb)
    }

    fn find(certificate: &Certificate<'_>) -> Option<Self> {
        let key = match certificate.common_name()? {
            "SEV-VCEK" => SigningKey::Vcek,
            "SEV-VLEK" => SigningKey::Vlek,
            _ => return None,
        };
        let value = |suffix: &[u8]| {
            let mut extensions = certificate.extensions_under(AMD);
            let found = extensions.find(|(known, _)| *known == suffix);
            found.map(|(_, value)| value)
        };
        let version = |part: u8| integer(value(&[3, part])?);
        let structure = integer(value(&[1])?)?;
        let product = Product::of_certificate(ia5_string(value(&[2])?)?)?;
        let reserved = (4..=7).filter_map(|part| value(&[3, part]));
        let zero = reserved.into_iter().all(|value| integer(value) == Some(0));
        if structure != product.vek_structure() || !zero {
            return None;
        }
        let fmc = match (product, value(&[3, 9])) {
            (Product::Turin, Some(value)) => Some(integer(value)?),
            (Product::Milan | Product::Genoa, None) => None,
            _ => return None,
        };
        let (hwid, provider) = match (key, value(&[4]), value(&[5])) {
            (SigningKey::Vcek, Some(hwid), None) => {
                (Some(bytes(hwid, product.hwid_length())?.to_vec()), None)
            }
            (SigningKey::Vlek, None, Some(name)) => (None, Some(ia5_string(name)?.to_owned())),
            _ => return None,
        };
        Some(Self {
            key,
            product,
            tcb: Tcb {
                fmc,
                bootloader: version(1)?,
                tee: version(2)?,
                snp: version(3)?,
                microcode: version(8)?,
            },
            hwid,
            provider,
        })
    }
}

/// INTEGER, 0 to 255.
fn integer(der: &[u8]) -> Option<u8> {
    match der {
        [0x02, 0x01, value @ 0..=0x7f] | [0x02, 0x02, 0x00, value @ 0x80..=0xff] => Some(*value),
        _ => None,
    }
}

/// IA5String, up to 127 characters.
fn ia5_string(der: &[u8]) -> Option<&str> {
    let text = contents(0x16, der)?;
    let text = str::from_utf8(text).ok()?;
    text.is_ascii().then_some(text)
}

/// The bytes alone, as in AMD's certificates, or an OCTET STRING, as in AMD's document.
fn bytes(der: &[u8], length: usize) -> Option<&[u8]> {
    if der.len() == length {
        return Some(der);
    }
    contents(0x04, der).filter(|bytes| bytes.len() == length)
}

fn contents(tag: u8, der: &[u8]) -> Option<&[u8]> {
    match der {
        [known, length @ 0..=0x7f, contents @ ..] if *known == tag => {
            (contents.len() == usize::from(*length)).then_some(contents)
        }
        _ => None,
    }
}

/// `1.3.6.1.4.1.3704.1` in DER.
const AMD: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01];
