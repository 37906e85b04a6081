//! Certificates with Evidence: to present, and what is unusual in one that came.

use std::sync::Arc;

use atls_core::session::Side;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::CertificateParams;
use rcgen::CustomExtension;
use rcgen::KeyPair;
use rcgen::PublicKeyData;
use ring::digest::SHA256;
use ring::digest::digest;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use serde_json::json;

use super::Flaw;
use super::Mode;
use super::nonce::der;
use crate::evidence::Made;
use crate::evidence::value_of;
use crate::keys::certified;
use crate::kit::Kit;
use crate::wire::answer::spki_of;
use crate::wire::cbor;
use crate::wire::cmw::Cmw;
use crate::wire::cmw::Payload;
use crate::wire::proof;
use crate::wire::proof::Membership;
use crate::wire::proof::PROOF;

/// What the Evidence in a certificate is about.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub mode: Mode,
    /// The side that presents it.
    pub presenter: Side,
    /// What the other side chose; of no meaning in [`Mode::InCertificate`].
    pub nonce: [u8; 32],
}

impl About {
    /// The value that the Evidence must carry.
    pub fn value(&self, spki: &[u8]) -> Vec<u8> {
        match self.mode {
            Mode::InCertificate => sha256(&[spki]),
            Mode::InHandshake => {
                let role: &[u8] = match self.presenter {
                    Side::Client => b"c",
                    Side::Server => b"s",
                };
                sha256(&[b"atls intra-handshake\0", role, &self.nonce, spki])
            }
        }
    }

    fn value_with(&self, spki: &[u8], flaw: Option<Flaw>) -> Vec<u8> {
        match flaw {
            Some(Flaw::OtherKeyHashed) => sha256(&[b"another key"]),
            Some(Flaw::KeyAlone) => sha256(&[spki]),
            Some(Flaw::OtherNonce) => Self {
                nonce: [7; 32],
                ..*self
            }
            .value(spki),
            Some(Flaw::OtherRole) => {
                let presenter = self.presenter.peer();
                Self { presenter, ..*self }.value(spki)
            }
            _ => self.value(spki),
        }
    }
}

/// A self-signed certificate with a fresh key, and Evidence about it.
///
/// # Errors
/// Why the kit cannot make it.
pub fn make(kit: &Kit, about: &About, flaw: Option<Flaw>) -> Result<Arc<CertifiedKey>, String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let key = KeyPair::generate().map_err(|error| text(&error))?;
    let value = about.value_with(&key.subject_public_key_info(), flaw);
    let membership = Membership::new(None);
    let value = match flaw {
        Some(Flaw::BatchProof) => membership.root(&value),
        _ => value,
    };
    let made = kit
        .source
        .over(&value, &kit.keys)
        .map_err(|error| text(&*error))?;
    let Made::Record(record) = made else {
        return Err("this Evidence is no CMW of one record".to_owned());
    };
    let mut parameters =
        CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])
            .map_err(|error| text(&error))?;
    parameters.custom_extensions = extensions(&record, &membership, flaw);
    let certificate = parameters.self_signed(&key).map_err(|error| text(&error))?;
    certified(&certificate, &key).map_err(|error| text(&*error))
}

fn extensions(
    record: &Payload,
    membership: &Membership,
    flaw: Option<Flaw>,
) -> Vec<CustomExtension> {
    let cmw = cbor::write(&record.record());
    let value = match flaw {
        Some(Flaw::NoEvidence) => return Vec::new(),
        Some(Flaw::BatchProof) => der(OCTET_STRING, &proof::encode(record, membership, None)),
        Some(Flaw::DerTrailing) => [der(OCTET_STRING, &cmw), vec![0]].concat(),
        Some(Flaw::LongLength) => {
            let length = u16::try_from(cmw.len()).unwrap_or(u16::MAX).to_be_bytes();
            [&[OCTET_STRING, 0x83, 0], &length[..], &cmw].concat()
        }
        Some(Flaw::JsonChoice) => {
            let text = json!([record.media_type, URL_SAFE_NO_PAD.encode(&record.value), 4]);
            der(UTF8_STRING, text.to_string().as_bytes())
        }
        _ => der(OCTET_STRING, &cmw),
    };
    let own = CustomExtension::from_oid_content(ID_PE_CMW, value);
    match flaw {
        Some(Flaw::RepeatedExtension) => vec![own.clone(), own],
        Some(Flaw::BesideOther) => vec![own, CustomExtension::from_oid_content(DICE, cmw)],
        _ => vec![own],
    }
}

/// What is unusual in a certificate; `None` where it holds no certificate, or a CMW that cannot be read.
pub fn read(certificate: &CertificateDer<'_>, about: &About) -> Option<Vec<Flaw>> {
    let spki = spki_of(certificate)?;
    let mut flaws = Vec::new();
    let values = values_of(certificate, ID_PE_CMW_DER);
    let Some(value) = values.first() else {
        return Some(vec![Flaw::NoEvidence]);
    };
    if values.len() > 1 {
        flaws.push(Flaw::RepeatedExtension);
    }
    if !values_of(certificate, DICE_DER).is_empty() {
        flaws.push(Flaw::BesideOther);
    }
    let (tag, contents, rest, is_shortest) = element(value)?;
    if tag == UTF8_STRING {
        flaws.push(Flaw::JsonChoice);
    }
    if !rest.is_empty() {
        flaws.push(Flaw::DerTrailing);
    }
    if !is_shortest {
        flaws.push(Flaw::LongLength);
    }
    let cmw = Cmw::read(contents)?;
    let expected = about.value(&spki);
    if cmw
        .items
        .iter()
        .any(|item| item.media_type.as_deref() == Some(PROOF))
    {
        flaws.push(Flaw::BatchProof);
        return Some(flaws);
    }
    for item in &cmw.items {
        match value_of(item.media_type.as_deref(), &item.value) {
            Some(value) if value != expected => flaws.push(wrong(&value, &spki, about)),
            _ => {}
        }
    }
    Some(flaws)
}

/// Whether the kit can read the value of the Evidence in it.
pub fn is_readable(certificate: &CertificateDer<'_>) -> bool {
    let values = values_of(certificate, ID_PE_CMW_DER);
    let cmw = values
        .first()
        .and_then(|value| element(value))
        .and_then(|(_, contents, ..)| Cmw::read(contents));
    cmw.is_some_and(|cmw| {
        let mut items = cmw.items.iter();
        items.any(|item| value_of(item.media_type.as_deref(), &item.value).is_some())
    })
}

fn wrong(value: &[u8], spki: &[u8], about: &About) -> Flaw {
    let other = About {
        presenter: about.presenter.peer(),
        ..*about
    };
    match about.mode {
        Mode::InCertificate => Flaw::OtherKeyHashed,
        Mode::InHandshake if value == sha256(&[spki]) => Flaw::KeyAlone,
        Mode::InHandshake if value == other.value(spki) => Flaw::OtherRole,
        Mode::InHandshake => Flaw::OtherNonce,
    }
}

/// The values of all extensions with this OID, found by its bytes: whoever has an extension twice, or odd DER in one, is read too.
fn values_of<'a>(certificate: &'a CertificateDer<'_>, oid: &[u8]) -> Vec<&'a [u8]> {
    let bytes: &[u8] = certificate;
    let starts =
        (0..bytes.len()).filter(|at| bytes.get(*at..).is_some_and(|rest| rest.starts_with(oid)));
    let value = |at: usize| {
        let mut rest = bytes.get(at.checked_add(oid.len())?..)?;
        if let Some(after) = rest.strip_prefix(&[1, 1, 0xff]) {
            rest = after;
        }
        match element(rest)? {
            (OCTET_STRING, contents, ..) => Some(contents),
            _ => None,
        }
    };
    starts.filter_map(value).collect()
}

/// Tag, contents, what follows, and whether the length is the shortest.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8], bool)> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest, least) = match first {
        0..=0x7f => (usize::from(*first), rest, 0),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 3))?;
            let length = digits
                .iter()
                .fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
            let least = match first {
                0x81 => 0x80,
                0x82 => 0x100,
                _ => 0x1_0000,
            };
            (length, rest, least)
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((*tag, contents, rest, length >= least))
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    digest(&SHA256, &parts.concat()).as_ref().to_vec()
}

const OCTET_STRING: u8 = 4;
const UTF8_STRING: u8 = 0x0c;
const ID_PE_CMW: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 35];
const ID_PE_CMW_DER: &[u8] = &[6, 8, 0x2b, 6, 1, 5, 5, 7, 1, 35];
const DICE: &[u64] = &[2, 23, 133, 5, 4, 9];
const DICE_DER: &[u8] = &[6, 6, 0x67, 0x81, 5, 5, 4, 9];
