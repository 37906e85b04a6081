//! Forged root and intermediates, with the certificates and lists that they sign.

use std::sync::OnceLock;

use atls_formats::snp::Product;
use ring::rand::SystemRandom;
use ring::signature::KeyPair;
use ring::signature::RSA_PSS_SHA384;
use ring::signature::RsaKeyPair;

use super::der;
use super::der::Critical;

/// One of three RSA keys with 4096 bits, published here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForgedKey {
    /// The key of every forged root.
    Ark,
    /// The key of every forged ASK.
    Ask,
    /// The key of every forged ASVK.
    Asvk,
}

impl ForgedKey {
    /// Signs. The signature of an unusable key is empty, and verifies nowhere.
    pub(super) fn sign(self, message: &[u8]) -> Vec<u8> {
        let Some(key) = self.pair() else {
            return Vec::new();
        };
        let mut signature = vec![0; key.public().modulus_len()];
        match key.sign(
            &RSA_PSS_SHA384,
            &SystemRandom::new(),
            message,
            &mut signature,
        ) {
            Ok(()) => signature,
            Err(_) => Vec::new(),
        }
    }

    fn public(self) -> Vec<u8> {
        let key = self.pair().map(|key| key.public_key().as_ref().to_vec());
        key.unwrap_or_default()
    }

    fn pair(self) -> Option<&'static RsaKeyPair> {
        static PAIRS: [OnceLock<Option<RsaKeyPair>>; 3] = [const { OnceLock::new() }; 3];
        let [ark, ask, asvk] = &PAIRS;
        let (pair, pkcs8): (_, &[u8]) = match self {
            Self::Ark => (ark, include_bytes!("forged-ark.pk8")),
            Self::Ask => (ask, include_bytes!("forged-ask.pk8")),
            Self::Asvk => (asvk, include_bytes!("forged-asvk.pk8")),
        };
        pair.get_or_init(|| RsaKeyPair::from_pkcs8(pkcs8).ok())
            .as_ref()
    }
}

/// The certificate of a root or an intermediate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgedAuthority {
    /// The subject's common name.
    pub subject: String,
    /// The issuer's common name.
    pub issuer: String,
    /// The serial number, big-endian.
    pub serial: Vec<u8>,
    /// Seconds since the epoch.
    pub not_before: u64,
    /// Seconds since the epoch.
    pub not_after: u64,
    /// Whether it is an authority at all.
    pub is_authority: bool,
    /// The byte of its KeyUsage: 0x04 is to sign certificates.
    pub key_usage: u8,
    /// The key in it.
    pub key: ForgedKey,
    /// The key that signs it.
    pub signed_by: ForgedKey,
}

impl ForgedAuthority {
    /// The root of a product, self-signed.
    pub fn ark(product: Product) -> Self {
        Self::new(product, format!("ARK-{product}"), 0, ForgedKey::Ark)
    }

    /// The intermediate for VCEKs.
    pub fn ask(product: Product) -> Self {
        Self::new(product, format!("SEV-{product}"), 1, ForgedKey::Ask)
    }

    /// The intermediate for VLEKs.
    pub fn asvk(product: Product) -> Self {
        Self::new(product, format!("SEV-VLEK-{product}"), 2, ForgedKey::Asvk)
    }

    /// In DER.
    pub fn certificate(&self) -> Vec<u8> {
        let rsa = der::oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]);
        let spki = der::sequence(&[
            &der::sequence(&[&rsa, &[0x05, 0x00]]),
            &der::bit_string(&self.key.public()),
        ]);
        let constraints: &[u8] = if self.is_authority {
            &[0x01, 0x01, 0xff]
        } else {
            &[]
        };
        let extensions = [
            der::extension(
                &[0x55, 0x1d, 0x13],
                Critical::Yes,
                &der::sequence(&[constraints]),
            ),
            der::extension(
                &[0x55, 0x1d, 0x0f],
                Critical::Yes,
                &der::tlv(0x03, &[0, self.key_usage]),
            ),
        ];
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

    fn new(product: Product, subject: String, number: u8, key: ForgedKey) -> Self {
        Self {
            subject,
            issuer: format!("ARK-{product}"),
            serial: vec![1, 0, number],
            not_before: FROM,
            not_after: UNTIL,
            is_authority: true,
            key_usage: 0x04,
            key,
            signed_by: ForgedKey::Ark,
        }
    }
}

/// A revocation list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgedCrl {
    /// The issuer's common name.
    pub issuer: String,
    /// Seconds since the epoch.
    pub this_update: u64,
    /// Seconds since the epoch.
    pub next_update: Option<u64>,
    /// Serial numbers, big-endian.
    pub revoked: Vec<Vec<u8>>,
    /// Whether it has an unknown critical extension.
    pub is_narrowed: bool,
    /// Whether its entries have one.
    pub has_narrowed_entries: bool,
    /// The key that signs it.
    pub signed_by: ForgedKey,
}

impl ForgedCrl {
    /// The root's list. It revokes one certificate that does not exist.
    pub fn new(product: Product) -> Self {
        Self {
            issuer: format!("ARK-{product}"),
            this_update: FROM,
            next_update: Some(UNTIL),
            revoked: vec![vec![9, 9, 9]],
            is_narrowed: false,
            has_narrowed_entries: false,
            signed_by: ForgedKey::Ark,
        }
    }

    /// In DER.
    pub fn encode(&self) -> Vec<u8> {
        let narrowing = der::extension(&[0x2a, 0x03, 0x04], Critical::Yes, &[0x05, 0x00]);
        let of_entries = match self.has_narrowed_entries {
            true => der::sequence(&[&narrowing]),
            false => Vec::new(),
        };
        let entries = self.revoked.iter().map(|serial| {
            let time = der::time(self.this_update);
            der::sequence(&[&der::integer(serial), &time, &of_entries])
        });
        let entries: Vec<_> = entries.collect();
        let entries = match &*entries {
            [] => Vec::new(),
            entries => der::tlv(0x30, &entries.concat()),
        };
        let number = der::extension(&[0x55, 0x1d, 0x14], Critical::No, &der::integer(&[1]));
        let narrowing = match self.is_narrowed {
            true => narrowing,
            false => Vec::new(),
        };
        let extensions = der::tlv(0xa0, &der::sequence(&[&number, &narrowing]));
        let next_update = self.next_update.map(der::time).unwrap_or_default();
        let body = der::sequence(&[
            &der::integer(&[1]),
            &der::pss_sha384(),
            &der::name(&self.issuer),
            &der::time(self.this_update),
            &next_update,
            &entries,
            &extensions,
        ]);
        signed(&body, self.signed_by)
    }
}

/// The contents of a certificate.
pub(super) struct Body<'a> {
    pub(super) serial: &'a [u8],
    pub(super) issuer: &'a str,
    pub(super) subject: &'a str,
    pub(super) not_before: u64,
    pub(super) not_after: u64,
    pub(super) spki: &'a [u8],
    pub(super) extensions: &'a [Vec<u8>],
}

impl Body<'_> {
    pub(super) fn sign(&self, key: ForgedKey) -> Vec<u8> {
        let version = der::tlv(0xa0, &der::integer(&[2]));
        let validity = der::sequence(&[&der::time(self.not_before), &der::time(self.not_after)]);
        let extensions = der::tlv(0x30, &self.extensions.concat());
        let body = der::sequence(&[
            &version,
            &der::integer(self.serial),
            &der::pss_sha384(),
            &der::name(self.issuer),
            &validity,
            &der::name(self.subject),
            self.spki,
            &der::tlv(0xa3, &extensions),
        ]);
        signed(&body, key)
    }
}

fn signed(body: &[u8], key: ForgedKey) -> Vec<u8> {
    let signature = der::bit_string(&key.sign(body));
    der::sequence(&[body, &der::pss_sha384(), &signature])
}

/// The first second of 2020.
pub(super) const FROM: u64 = 1_577_836_800;

/// The last second of 2049.
pub(super) const UNTIL: u64 = 2_524_607_999;
