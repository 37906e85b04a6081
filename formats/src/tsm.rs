//! AMD SEV-SNP, as Linux' configfs-tsm gives it.

use atls_core::bounded;
use ciborium::Value;

use crate::Debugging;

/// A SEV-SNP report in a TSM report of CBOR.
///
/// ```text
/// { "outblob": bstr,            the report, 1184 octets
///   "provider": "sev_guest",
///   ? "auxblob": bstr }         certificates, by GUID
/// ```
#[derive(Clone, Debug)]
pub struct TsmReport {
    report: Vec<u8>,
    /// The certificate table, unread; empty where there is none.
    table: Vec<u8>,
}

impl TsmReport {
    /// None for anything else. The map is not signed, so nothing else may be in it, nothing twice, and nothing after it.
    pub fn read(mut octets: &[u8]) -> Option<Self> {
        if !bounded::cbor(MAX_VALUES, octets) {
            return None;
        }
        let value = ciborium::de::from_reader_with_recursion_limit(&mut octets, 4);
        let (Ok(Value::Map(entries)), []) = (value, octets) else {
            return None;
        };
        let (mut report, mut provider, mut auxiliary) = (None, None, None);
        for (key, value) in entries {
            let (slot, value) = match (key.as_text()?, value) {
                ("outblob", Value::Bytes(octets)) => (&mut report, octets),
                ("auxblob", Value::Bytes(octets)) => (&mut auxiliary, octets),
                ("provider", Value::Text(text)) => (&mut provider, text.into_bytes()),
                _ => return None,
            };
            if slot.replace(value).is_some() {
                return None;
            }
        }
        // The kernel ends the provider with a newline.
        let provider = provider?;
        if provider.strip_suffix(b"\n").unwrap_or(&provider) != b"sev_guest" {
            return None;
        }
        Some(Self {
            report: report.filter(|report| report.len() == LENGTH)?,
            table: auxiliary.unwrap_or_default(),
        })
    }

    /// The report.
    pub fn report(&self) -> SnpReport<'_> {
        SnpReport {
            octets: &self.report,
        }
    }

    /// Certificates that came along, those of kinds that are known; none for what is no table of them, or has one kind twice.
    /// The report's signature decides which of them is right.
    pub fn certificates(&self) -> Option<Vec<(CertificateKind, &[u8])>> {
        match &*self.table {
            [] => Some(Vec::new()),
            table => certificates(table),
        }
    }
}

/// ATTESTATION_REPORT, SEV-SNP ABI specification 1.57, table 23: 1184 octets, little-endian.
#[derive(Clone, Copy, Debug)]
pub struct SnpReport<'a> {
    octets: &'a [u8],
}

impl<'a> SnpReport<'a> {
    /// All of it, signature included.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// `REPORT_DATA`, 64 octets.
    pub fn report_data(&self) -> &'a [u8] {
        self.octets.get(0x50..0x90).unwrap_or_default()
    }

    /// The report in these octets, if they are as many as one has.
    pub fn read(octets: &'a [u8]) -> Option<Self> {
        (octets.len() == LENGTH).then_some(Self { octets })
    }

    /// By POLICY.DEBUG, or by POLICY.MIGRATE_MA: a migration agent takes the guest, memory and all, wherever it likes.
    pub fn debugging(&self) -> Debugging {
        if self.policy() & (DEBUG | MIGRATE_MA) == 0 {
            Debugging::Denied
        } else {
            Debugging::Allowed
        }
    }

    /// POLICY: what the owner of the guest lets whoever runs the machine do to it, a bit each.
    pub fn policy(&self) -> u64 {
        self.field(0x08).map_or(u64::MAX, u64::from_le_bytes)
    }

    /// VMPL: how privileged who asked for the report is in the guest, 0 the most.
    pub fn vmpl(&self) -> u32 {
        self.field(0x30).map_or(u32::MAX, u32::from_le_bytes)
    }

    /// Always there, by the length; where it were not, everything is allowed and nobody privileged.
    fn field<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.octets.get(offset..)?.first_chunk().copied()
    }
}

/// What a certificate of the table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateKind {
    /// AMD's root.
    Ark,
    /// AMD's intermediate.
    Ask,
    /// Of the chip, at its versions.
    Vcek,
    /// Of a cloud, at its versions.
    Vlek,
}

impl CertificateKind {
    /// Its usual name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ark => "ARK",
            Self::Ask => "ASK",
            Self::Vcek => "VCEK",
            Self::Vlek => "VLEK",
        }
    }

    fn by_guid(guid: u128) -> Option<Self> {
        Some(match guid {
            0xc0b4_06a4_a803_4952_9743_3fb6_014c_d0ae => Self::Ark,
            0x4ab7_b379_bbac_4fe4_a02f_05ae_f327_c782 => Self::Ask,
            0x63da_758d_e664_4564_adc5_f4b9_3be8_accd => Self::Vcek,
            0xa807_4bc2_a25a_483e_aae6_39c0_45a0_b8a1 => Self::Vlek,
            _ => return None,
        })
    }
}

/// The certificate table of GHCB (SEV-ES GHCB specification §4.1.8.1): GUID (big-endian), offset and length (little-endian)
/// until an entry of zeros.
fn certificates(table: &[u8]) -> Option<Vec<(CertificateKind, &[u8])>> {
    let mut found: Vec<(CertificateKind, &[u8])> = Vec::new();
    let mut rest = table;
    loop {
        let entry: &[u8; 24];
        (entry, rest) = rest.split_first_chunk()?;
        if *entry == [0; 24] {
            return Some(found);
        }
        let (guid, place) = entry.split_first_chunk()?;
        let (offset, place) = place.split_first_chunk()?;
        let (length, _) = place.split_first_chunk()?;
        let start = usize::try_from(u32::from_le_bytes(*offset)).ok()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let certificate = table.get(start..start.checked_add(length)?)?;
        let Some(kind) = CertificateKind::by_guid(u128::from_be_bytes(*guid)) else {
            continue;
        };
        // Twice would be room for as many copies as entries fit.
        if found.iter().any(|(known, _)| *known == kind) {
            return None;
        }
        found.push((kind, certificate));
    }
}

/// Octets.
const LENGTH: usize = 1184;

/// Most values in the map, which has seven; a string may stand in chunks.
const MAX_VALUES: usize = 64;

/// Bits of POLICY.
const MIGRATE_MA: u64 = 1 << 18;
const DEBUG: u64 = 1 << 19;
