//! The certificate table that a host gives its guest (AMD document 56421, GHCB, `SNP Extended Guest Request`).
//!
//! The bytes of a host go in, certificates in DER come out; the writer makes PEM. A table without an end, or that points outside of
//! itself, is an [`SnpFormatError::Table`].
//!
//! ```text
//! entry = GUID, 16 bytes ‖ offset, u32 little-endian, from the start of the table ‖ length, u32 little-endian
//! table = entry, … ‖ 24 zero bytes ‖ the certificates
//! ```

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::CertificateRevocationListDer;
use atls_core::pki_types::pem::PemObject;

use super::error::SnpFormatError;

/// The kind of an entry, as the host labels it. The certificate itself says the same under its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateKind {
    /// AMD's root key for a product.
    Ark,
    /// The intermediate key: the ASK, or the ASVK for a VLEK.
    Ask,
    /// A revocation list of the ARK.
    Crl,
    /// The chip's key.
    Vcek,
    /// The provider's key.
    Vlek,
}

impl CertificateKind {
    const ALL: [Self; 5] = [Self::Ark, Self::Ask, Self::Crl, Self::Vcek, Self::Vlek];

    /// The bytes in the table. Every group of the text is big-endian.
    fn guid(self) -> [u8; 16] {
        let guid: u128 = match self {
            Self::Ark => 0xc0b406a4_a803_4952_9743_3fb6014cd0ae,
            Self::Ask => 0x4ab7b379_bbac_4fe4_a02f_05aef327c782,
            Self::Crl => 0x92f81bc3_5811_4d3d_97ff_d19f88dc67ea,
            Self::Vcek => 0x63da758d_e664_4564_adc5_f4b93be8accd,
            Self::Vlek => 0xa8074bc2_a25a_483e_aae6_39c045a0b8a1,
        };
        guid.to_be_bytes()
    }

    fn label(self) -> &'static str {
        match self {
            Self::Crl => "X509 CRL",
            _ => "CERTIFICATE",
        }
    }
}

/// Certificates in DER, at most one of each kind. Nothing is verified.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CertTable {
    entries: Vec<(CertificateKind, Vec<u8>)>,
}

impl CertTable {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a certificate or revocation list in DER, or replaces the one of that kind.
    #[must_use]
    pub fn with(mut self, kind: CertificateKind, der: impl Into<Vec<u8>>) -> Self {
        self.entries.retain(|(known, _)| *known != kind);
        self.entries.push((kind, der.into()));
        self
    }

    /// Adds the kinds of another table that are missing here.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        for (kind, der) in &other.entries {
            if self.get(*kind).is_none() {
                self.entries.push((*kind, der.clone()));
            }
        }
        self
    }

    /// The one of that kind, in DER.
    pub fn get(&self, kind: CertificateKind) -> Option<&[u8]> {
        let mut entries = self.entries.iter();
        let found = entries.find(|(known, _)| *known == kind);
        found.map(|(_, der)| &**der)
    }

    /// Reads the table of a host. An entry is DER or PEM, one object. Unknown GUIDs and other entries are left out, because the
    /// verifier's own source may have the certificate. No bytes are the empty table.
    ///
    /// # Errors
    /// [`SnpFormatError::Table`]: no end within 16 entries, an offset outside of the bytes after the headers, or a repeated GUID.
    pub fn decode(bytes: &[u8]) -> Result<Self, SnpFormatError> {
        if bytes.is_empty() {
            return Ok(Self::new());
        }
        let mut headers = Vec::new();
        let mut rest = bytes;
        loop {
            let (header, following) = Header::read(rest).ok_or(SnpFormatError::Table)?;
            rest = following;
            if header.is_end() {
                break;
            }
            if headers.len() == MAX_ENTRIES {
                return Err(SnpFormatError::Table);
            }
            headers.push(header);
        }
        let start = bytes.len().saturating_sub(rest.len());
        let (mut table, mut kinds) = (Self::new(), Vec::new());
        for header in headers {
            let certificate = header.slice(bytes, start);
            let certificate = certificate.ok_or(SnpFormatError::Table)?;
            let Some(kind) = header.kind() else { continue };
            if kinds.contains(&kind) {
                return Err(SnpFormatError::Table);
            }
            kinds.push(kind);
            if let Some(der) = der_of(kind, certificate) {
                table = table.with(kind, der);
            }
        }
        Ok(table)
    }

    /// Writes the table as a host does, with the certificates in PEM, which both this crate and Veraison read. An empty table is no
    /// bytes.
    pub fn encode(&self) -> Vec<u8> {
        if self.entries.is_empty() {
            return Vec::new();
        }
        let headers = self.entries.len().saturating_add(1);
        let mut offset = headers.saturating_mul(HEADER_LENGTH);
        let mut table = Vec::new();
        let mut certificates = Vec::new();
        for (kind, der) in &self.entries {
            let pem = pem(*kind, der);
            table.extend_from_slice(&kind.guid());
            table.extend_from_slice(&number(offset).to_le_bytes());
            table.extend_from_slice(&number(pem.len()).to_le_bytes());
            offset = offset.saturating_add(pem.len());
            certificates.push(pem);
        }
        table.extend_from_slice(&[0; HEADER_LENGTH]);
        table.extend_from_slice(certificates.concat().as_bytes());
        table
    }
}

impl fmt::Debug for CertTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = self.entries.iter().map(|(kind, _)| kind);
        f.debug_set().entries(kinds).finish()
    }
}

struct Header {
    guid: [u8; 16],
    offset: u32,
    length: u32,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (guid, rest) = bytes.split_first_chunk()?;
        let (offset, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let header = Self {
            guid: *guid,
            offset: u32::from_le_bytes(*offset),
            length: u32::from_le_bytes(*length),
        };
        Some((header, rest))
    }

    fn is_end(&self) -> bool {
        self.guid == [0; 16] && self.offset == 0 && self.length == 0
    }

    fn kind(&self) -> Option<CertificateKind> {
        CertificateKind::ALL
            .into_iter()
            .find(|kind| kind.guid() == self.guid)
    }

    /// The bytes that it points to, if they lie after the headers.
    fn slice<'a>(&self, bytes: &'a [u8], start: usize) -> Option<&'a [u8]> {
        let from = usize::try_from(self.offset).ok()?;
        let length = usize::try_from(self.length).ok()?;
        let to = from.checked_add(length)?;
        (from >= start).then(|| bytes.get(from..to))?
    }
}

fn der_of(kind: CertificateKind, bytes: &[u8]) -> Option<Vec<u8>> {
    // Every certificate is a SEQUENCE. PEM does not begin with an ASCII zero.
    if bytes.first() == Some(&0x30) {
        return Some(bytes.to_vec());
    }
    match kind {
        CertificateKind::Crl => only(CertificateRevocationListDer::pem_slice_iter(bytes)),
        _ => only(CertificateDer::pem_slice_iter(bytes)),
    }
}

fn only<T: AsRef<[u8]>, E>(mut objects: impl Iterator<Item = Result<T, E>>) -> Option<Vec<u8>> {
    match (objects.next(), objects.next()) {
        (Some(Ok(object)), None) => Some(object.as_ref().to_vec()),
        _ => None,
    }
}

/// Writes a certificate or revocation list in PEM (RFC 7468), 64 characters a line.
pub fn pem(kind: CertificateKind, der: &[u8]) -> String {
    let label = kind.label();
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in der.chunks(48) {
        pem.push_str(&STANDARD.encode(line));
        pem.push('\n');
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

/// Saturating, because no reader accepts a table of that size.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

const HEADER_LENGTH: usize = 24;

/// Hosts write three or four.
const MAX_ENTRIES: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> CertTable {
        CertTable::new()
            .with(CertificateKind::Vcek, [0x30, 1, 2])
            .with(CertificateKind::Ask, [0x30; 100])
            .with(CertificateKind::Crl, [0x30, 9])
    }

    #[test]
    fn an_encoded_table_is_pem_and_is_decoded() {
        let bytes = sample().encode();
        assert_eq!(CertTable::decode(&bytes), Ok(sample()));
        assert_eq!(CertTable::decode(&[]), Ok(CertTable::new()));
        assert_eq!(CertTable::decode(&[0; 4096]), Ok(CertTable::new()));
        assert!(CertTable::new().encode().is_empty());
        let padded = [&bytes[..], &[0; 4096]].concat();
        assert_eq!(CertTable::decode(&padded), Ok(sample()), "a whole page");
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("-----BEGIN CERTIFICATE-----\nMAEC\n-----END CERTIFICATE-----\n"));
        assert!(text.contains("-----BEGIN X509 CRL-----\nMAk=\n-----END X509 CRL-----\n"));
    }

    #[test]
    fn entries_in_der_are_read_too() {
        let bytes = der_table(&[(CertificateKind::Vlek.guid(), 48, &[0x30, 7])]);
        let table = CertTable::decode(&bytes).unwrap();
        assert_eq!(table.get(CertificateKind::Vlek), Some(&[0x30, 7][..]));
        assert_eq!(table.get(CertificateKind::Vcek), None);
    }

    #[test]
    fn unknown_guids_are_left_out() {
        let bytes = der_table(&[([7; 16], 48, &[0x30, 7])]);
        assert_eq!(CertTable::decode(&bytes), Ok(CertTable::new()));
    }

    #[test]
    fn every_truncation_before_the_last_certificate_ends_is_refused() {
        let bytes = sample().encode();
        for length in 1..bytes.len() - 26 {
            assert!(CertTable::decode(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn offsets_outside_are_refused() {
        let guid = CertificateKind::Ark.guid();
        for offset in [0, 24, 47, 49, 50, u32::MAX] {
            let bytes = der_table(&[(guid, offset, &[0x30, 7])]);
            assert!(CertTable::decode(&bytes).is_err(), "{offset}");
        }
        let twice = der_table(&[(guid, 72, &[0x30]), (guid, 72, &[0x30])]);
        assert!(CertTable::decode(&twice).is_err());
    }

    #[test]
    fn a_malformed_entry_costs_itself_and_not_the_table() {
        let pem = pem(CertificateKind::Ark, &[0x30, 1]);
        let two = [pem.as_bytes(), pem.as_bytes()].concat();
        for bad in [
            &b"certificate"[..],
            b"",
            b"-----BEGIN CERTIFICATE-----\n",
            &two,
        ] {
            let second = u32::try_from(72 + bad.len()).unwrap();
            let bytes = der_table(&[
                (CertificateKind::Ark.guid(), 72, bad),
                (CertificateKind::Vcek.guid(), second, &[0x30, 7]),
            ]);
            let expected = CertTable::new().with(CertificateKind::Vcek, [0x30, 7]);
            assert_eq!(CertTable::decode(&bytes), Ok(expected));
        }
    }

    #[test]
    fn more_than_16_entries_are_refused() {
        let entry: ([u8; 16], u32, &[u8]) = ([7; 16], 18 * 24, &[]);
        assert!(CertTable::decode(&der_table(&[entry; 16])).is_ok());
        assert!(CertTable::decode(&der_table(&[entry; 17])).is_err());
    }

    fn der_table(entries: &[([u8; 16], u32, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (guid, offset, value) in entries {
            bytes.extend_from_slice(guid);
            bytes.extend_from_slice(&offset.to_le_bytes());
            bytes.extend_from_slice(&number(value.len()).to_le_bytes());
        }
        bytes.extend_from_slice(&[0; 24]);
        for (_, _, value) in entries {
            bytes.extend_from_slice(value);
        }
        // The entries of that test point here.
        if entries.len() == 16 {
            bytes.resize(18 * 24, 0);
        }
        bytes
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = CertTable::decode(&bytes);
        }

        #[test]
        fn any_table_comes_back(certificates in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 5)) {
            let mut table = CertTable::new();
            for (kind, rest) in CertificateKind::ALL.into_iter().zip(certificates) {
                table = table.with(kind, [&[0x30], &rest[..]].concat());
            }
            prop_assert_eq!(CertTable::decode(&table.encode()), Ok(table));
        }
    }
}
