//! The forged certificate of the key that signs reports.

use atls_formats::snp::Product;
use atls_formats::snp::Tcb;

use super::authority::Body;
use super::authority::FROM;
use super::authority::ForgedKey;
use super::authority::UNTIL;
use super::der;
use super::der::Critical;
use super::report::ForgedReport;

/// The contents of the certificate of a VCEK or VLEK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgedVek {
    /// The subject's common name.
    pub subject: String,
    /// The issuer's common name.
    pub issuer: String,
    /// The serial number, big-endian. AMD's is always zero.
    pub serial: Vec<u8>,
    /// Seconds since the epoch.
    pub not_before: u64,
    /// Seconds since the epoch.
    pub not_after: u64,
    /// AMD's extensions: the identifier after `1.3.6.1.4.1.3704.1`, and the value.
    pub extensions: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether it has an unknown critical extension.
    pub is_narrowed: bool,
    /// Whether it says that it is an authority.
    pub is_authority: bool,
    /// The key that signs it.
    pub signed_by: ForgedKey,
}

impl ForgedVek {
    /// The chip's, for the firmware of that report.
    pub fn vcek(product: Product, report: &ForgedReport) -> Self {
        let hwid = report.chip_id[..product.hwid_length()].to_vec();
        let mut extensions = extensions(product, report, &format!("{product}-B0"));
        extensions.push((vec![4], hwid));
        Self {
            subject: "SEV-VCEK".to_owned(),
            issuer: format!("SEV-{product}"),
            serial: vec![0],
            not_before: FROM,
            not_after: UNTIL,
            extensions,
            is_narrowed: false,
            is_authority: false,
            signed_by: ForgedKey::Ask,
        }
    }

    /// A cloud provider's, for the firmware of that report.
    pub fn vlek(product: Product, report: &ForgedReport) -> Self {
        let mut extensions = extensions(product, report, product.name());
        extensions.push((vec![5], ia5_string("CN=forged.example")));
        Self {
            subject: "SEV-VLEK".to_owned(),
            issuer: format!("SEV-VLEK-{product}"),
            extensions,
            signed_by: ForgedKey::Asvk,
            ..Self::vcek(product, report)
        }
    }

    /// Replaces the value of one extension, or adds it.
    pub fn set(&mut self, suffix: &[u8], value: &[u8]) {
        self.remove(suffix);
        self.extensions.push((suffix.to_vec(), value.to_vec()));
    }

    /// Leaves one extension out.
    pub fn remove(&mut self, suffix: &[u8]) {
        self.extensions.retain(|(known, _)| known != suffix);
    }

    /// In DER, for an uncompressed point of P-384.
    pub fn certificate(&self, point: &[u8]) -> Vec<u8> {
        let ec = der::oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]);
        let p384 = der::oid(&[0x2b, 0x81, 0x04, 0x00, 0x22]);
        let spki = der::sequence(&[&der::sequence(&[&ec, &p384]), &der::bit_string(point)]);
        let mut extensions: Vec<_> = self
            .extensions
            .iter()
            .map(|(suffix, value)| {
                let identifier = [AMD, suffix].concat();
                der::extension(&identifier, Critical::No, value)
            })
            .collect();
        if self.is_narrowed {
            extensions.push(der::extension(&[0x2a, 0x03, 0x04], Critical::Yes, &[5, 0]));
        }
        if self.is_authority {
            let constraints = der::sequence(&[&[0x01, 0x01, 0xff]]);
            let identifier = [0x55, 0x1d, 0x13];
            extensions.push(der::extension(&identifier, Critical::Yes, &constraints));
        }
        let body = Body {
            serial: &self.serial,
            issuer: &self.issuer,
            subject: &self.subject,
            not_before: self.not_before,
            not_after: self.not_after,
            spki: &spki,
            extensions: &extensions,
        };
        body.sign(self.signed_by)
    }
}

fn extensions(product: Product, report: &ForgedReport, name: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let number = |value: u8| der::integer(&[value]);
    let structure = number(product.vek_structure());
    let mut extensions = vec![(vec![1], structure), (vec![2], ia5_string(name))];
    // A test may give a report versions that do not decode. Its key then stands for no firmware.
    let tcb = Tcb::decode(product, report.reported_tcb);
    let Some(tcb) = tcb else { return extensions };
    let parts = [
        (1, tcb.bootloader),
        (2, tcb.tee),
        (3, tcb.snp),
        (8, tcb.microcode),
    ];
    for (part, version) in parts {
        extensions.push((vec![3, part], number(version)));
    }
    match tcb.fmc {
        Some(fmc) => extensions.push((vec![3, 9], number(fmc))),
        None => extensions.extend((4..=7).map(|part| (vec![3, part], number(0)))),
    }
    extensions
}

fn ia5_string(text: &str) -> Vec<u8> {
    der::tlv(0x16, text.as_bytes())
}

const AMD: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01];
