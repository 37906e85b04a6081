//! `pre-handshake.json`: §11

mod refused;

use serde::Deserialize;
use serde::Serialize;

use crate::Hex;
use crate::cbor;
use crate::certificate;
use crate::cmw;
use crate::der;
use crate::keys::Key;
use crate::keys::Keys;
use crate::keys::NAMES;
use crate::tls::Suite;
use crate::tls::sha256;

#[derive(Serialize, Deserialize)]
pub struct Page {
    pub about: String,
    pub section: String,
    pub values: Vec<ValueOfKey>,
    pub certificates: Vec<Certificate>,
    pub refused: Vec<Refused>,
}

/// What Evidence in a CMW must carry for a key.
#[derive(Serialize, Deserialize)]
pub struct ValueOfKey {
    pub key: String,
    pub public_key: Hex,
    pub value: Hex,
    /// The claims that name the key, as the project writes them, and the report data of a quote over them.
    pub claims: Hex,
    pub report_data: Hex,
}

/// A certificate with Evidence.
#[derive(Serialize, Deserialize)]
pub struct Certificate {
    pub name: String,
    pub key: String,
    pub certificate: Hex,
    /// The Evidence, as a CMW in deterministic CBOR. A quote without CMW is given the media type of its kind.
    pub cmw: Hex,
    /// The value that Evidence in a CMW must carry.
    pub value: Hex,
    /// The 64 bytes of report data that a quote without CMW must have instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report_data: Option<Hex>,
}

#[derive(Serialize, Deserialize)]
pub struct Refused {
    pub name: String,
    pub reason: String,
    pub because: String,
    pub certificate: Hex,
}

pub fn page(keys: &mut Keys) -> Page {
    let values = NAMES.map(|name| value_of(&keys.key(name)));
    Page {
        about: "Evidence in certificates: values, every extension that is read, and certificates to refuse.".to_owned(),
        section: "§11".to_owned(),
        values: values.into(),
        certificates: certificates(keys),
        refused: refused::all(keys),
    }
}

fn value_of(key: &Key) -> ValueOfKey {
    let claims = claims(1, &sha256(&key.public_key));
    ValueOfKey {
        key: key.name.clone(),
        public_key: key.public_key.clone(),
        value: sha256(&key.public_key).into(),
        report_data: padded(&claims).into(),
        claims: claims.into(),
    }
}

fn certificates(keys: &mut Keys) -> Vec<Certificate> {
    let key = keys.key("ed25519");
    let spki = &key.public_key;
    let value = sha256(spki);
    let evidence = cmw::record(MEDIA_TYPE, &value);
    let json = format!(r#"["application/x-evidence","{}",4]"#, base64url(&value));
    let sha256_claims = claims(1, &value);
    let sha384_claims = claims(7, &Suite::Aes256GcmSha384.hash(spki));
    let sha512 = ring::digest::digest(&ring::digest::SHA512, spki);
    let sha512_claims = claims(8, sha512.as_ref());
    let mut further = vec![(cbor::text("nonce"), cbor::bytes(&[1; 8]))];
    further.extend(claim(1, &value));
    let further = cbor::map(&further);
    let old = padded(spki);

    let mut all = Vec::new();
    let mut add =
        |name: &str, extensions: &[(&[u8], Vec<u8>)], cmw: &[u8], report_data: Option<[u8; 64]>| {
            let certificate = certificate::self_signed(keys, &key, extensions);
            all.push(Certificate {
                name: name.to_owned(),
                key: key.name.clone(),
                certificate: certificate.into(),
                cmw: cmw.into(),
                value: value.clone().into(),
                report_data: report_data.map(Hex::from),
            });
        };
    add(
        "id-pe-cmw, CBOR",
        &[(ID_PE_CMW, der::octets(&evidence))],
        &evidence,
        None,
    );
    add(
        "id-pe-cmw, JSON",
        &[(ID_PE_CMW, der::element(0x0c, json.as_bytes()))],
        &evidence,
        None,
    );
    add(
        "DICE, a CMW",
        &[(TAGGED_EVIDENCE, evidence.clone())],
        &evidence,
        None,
    );
    let dice = [
        ("SHA-256", &sha256_claims),
        ("SHA-384", &sha384_claims),
        ("SHA-512", &sha512_claims),
        ("SHA-256 beside another claim", &further),
    ];
    for (name, claims) in dice {
        let quote = sgx(&padded(claims));
        let name = format!("DICE, an SGX quote over claims: {name}");
        add(
            &name,
            &[(TAGGED_EVIDENCE, tagged(&quote, claims))],
            &cmw::record(SGX, &quote),
            Some(padded(claims)),
        );
    }
    for (version, quote) in [
        (4, tdx4(&padded(&sha256_claims))),
        (5, tdx5(&padded(&sha256_claims))),
    ] {
        let name = format!("DICE, a TDX quote of version {version} over claims");
        add(
            &name,
            &[(TAGGED_EVIDENCE, tagged(&quote, &sha256_claims))],
            &cmw::record(TDX, &quote),
            Some(padded(&sha256_claims)),
        );
    }
    let quote = sgx(&old);
    for (name, oid) in [
        ("Intel SGX SDK", SGX_SDK),
        ("rats-tls", RATS_TLS),
        ("Gramine, as sent", GRAMINE),
    ] {
        add(
            name,
            &[(oid, quote.clone())],
            &cmw::record(SGX, &quote),
            Some(old),
        );
    }
    let newer = sgx(&padded(&sha256_claims));
    add(
        "DICE beside rats-tls: DICE decides",
        &[
            (RATS_TLS, quote),
            (TAGGED_EVIDENCE, tagged(&newer, &sha256_claims)),
        ],
        &cmw::record(SGX, &newer),
        Some(padded(&sha256_claims)),
    );
    all
}

/// A quote over claims that name the key, in tagged evidence.
pub(crate) fn quote_over_claims(public_key: &[u8]) -> Vec<u8> {
    let claims = claims(1, &sha256(public_key));
    tagged(&sgx(&padded(&claims)), &claims)
}

/// `{ "pubkey-hash": << [algorithm, digest] >> }`
fn claims(algorithm: u64, digest: &[u8]) -> Vec<u8> {
    cbor::map(&claim(algorithm, digest))
}

fn claim(algorithm: u64, digest: &[u8]) -> [(Vec<u8>, Vec<u8>); 1] {
    let hash = cbor::array(&[cbor::uint(algorithm), cbor::bytes(digest)]);
    [(cbor::text("pubkey-hash"), cbor::bytes(&hash))]
}

/// `60000([quote, claims])`
fn tagged(quote: &[u8], claims: &[u8]) -> Vec<u8> {
    cbor::tag(
        60_000,
        &cbor::array(&[cbor::bytes(quote), cbor::bytes(claims)]),
    )
}

/// `SHA-256(preimage) ‖ 0 × 32`
fn padded(preimage: &[u8]) -> [u8; 64] {
    [sha256(preimage), vec![0; 32]].concat().try_into().unwrap()
}

/// As much of a quote as says what it is and what it carries; nobody signed it.
fn quote(header: [u8; 8], report_data_at: usize, report_data: &[u8; 64]) -> Vec<u8> {
    let mut quote = header.to_vec();
    quote.resize(report_data_at, 0);
    quote.extend_from_slice(report_data);
    quote
}

fn sgx(report_data: &[u8; 64]) -> Vec<u8> {
    quote([3, 0, 2, 0, 0, 0, 0, 0], 368, report_data)
}

fn tdx4(report_data: &[u8; 64]) -> Vec<u8> {
    quote([4, 0, 2, 0, 0x81, 0, 0, 0], 568, report_data)
}

fn tdx5(report_data: &[u8; 64]) -> Vec<u8> {
    quote([5, 0, 2, 0, 0x81, 0, 0, 0], 574, report_data)
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let groups = bytes.chunks(3).map(|group| {
        let mut padded = [0; 3];
        padded[..group.len()].copy_from_slice(group);
        let number = u32::from_be_bytes([0, padded[0], padded[1], padded[2]]);
        let digits = [18, 12, 6, 0].map(|shift| usize::try_from(number >> shift & 63).unwrap());
        let digits = digits.iter().take(group.len() + 1);
        digits
            .map(|digit| char::from(ALPHABET[*digit]))
            .collect::<String>()
    });
    groups.collect()
}

pub(crate) const MEDIA_TYPE: &str = "application/x-evidence";
const SGX: &str = "application/vnd.atls.sgx-quote";
const TDX: &str = "application/vnd.atls.tdx-quote";

pub(crate) const ID_PE_CMW: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 35];
pub(crate) const TAGGED_EVIDENCE: &[u8] = &[0x67, 0x81, 5, 5, 4, 9];
const SGX_SDK: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 1, 13, 1];
const RATS_TLS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x8a, 0x39, 6];
/// Tag and length of the object identifier are repeated in it: 0.6.9.42.…
const GRAMINE: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x8a, 0x39, 6];
