//! The keys of the vectors, and the signatures that were recorded.

use std::collections::BTreeMap;

use ring::rand::SystemRandom;
use ring::signature;
use ring::signature::EcdsaKeyPair;
use ring::signature::Ed25519KeyPair;
use ring::signature::KeyPair;
use ring::signature::RsaKeyPair;
use ring::signature::UnparsedPublicKey;
use serde::Deserialize;
use serde::Serialize;

use crate::Hex;
use crate::certificate;
use crate::der;

/// `keys.json`
#[derive(Serialize, Deserialize)]
pub struct Page {
    pub about: String,
    pub section: String,
    pub keys: Vec<Key>,
}

/// One key, with a self-signed certificate.
#[derive(Clone, Serialize, Deserialize)]
pub struct Key {
    pub name: String,
    /// PKCS #8.
    pub private_key: Hex,
    /// SubjectPublicKeyInfo.
    pub public_key: Hex,
    pub certificate: Hex,
    /// The scheme of its authenticators.
    pub scheme: Hex,
}

/// The inputs of the program: private keys, and the signatures that earlier runs made with randomised schemes.
pub struct Keys {
    recorded: Recorded,
    used: Vec<Hex>,
}

#[derive(Serialize, Deserialize)]
struct Recorded {
    private_keys: BTreeMap<String, Hex>,
    signatures: Vec<Hex>,
}

impl Keys {
    pub fn load() -> Self {
        let text = std::fs::read_to_string(RECORDED).unwrap();
        Self {
            recorded: serde_json::from_str(&text).unwrap(),
            used: Vec::new(),
        }
    }

    /// Keeps the signatures that were used since [`load`](Self::load), and no others.
    pub fn save(self) {
        let recorded = Recorded {
            private_keys: self.recorded.private_keys,
            signatures: self.used,
        };
        std::fs::write(RECORDED, crate::text(&recorded)).unwrap();
    }

    pub fn key(&mut self, name: &str) -> Key {
        let private_key = self.recorded.private_keys[name].clone();
        let mut key = Key {
            name: name.to_owned(),
            public_key: public_key(name, &private_key).into(),
            private_key,
            certificate: Hex::default(),
            scheme: scheme(name).to_be_bytes().into(),
        };
        key.certificate = certificate::self_signed(self, &key, &[]).into();
        key
    }

    /// A signature of this key over the content. A recorded one is used where it verifies.
    pub fn sign(&mut self, name: &str, scheme: u16, content: &[u8]) -> Vec<u8> {
        let private_key = &self.recorded.private_keys[name];
        let deterministic = matches!(scheme, ED25519 | RSA_PKCS1_SHA256);
        if deterministic {
            return sign(private_key, scheme, content);
        }
        let public_key = public_key(name, private_key);
        let mut known = self.recorded.signatures.iter();
        let kept = known.find(|known| verifies(&public_key, scheme, content, known));
        let signature = match kept {
            Some(kept) => kept.to_vec(),
            None => sign(private_key, scheme, content),
        };
        let signature = Hex(signature);
        if !self.used.contains(&signature) {
            self.used.push(signature.clone());
        }
        signature.0
    }
}

impl Key {
    pub fn scheme(&self) -> u16 {
        scheme(&self.name)
    }

    /// The scheme under which its own certificate is signed: PKCS #1 v1.5 for RSA, as usual.
    pub(crate) fn certificate_scheme(&self) -> u16 {
        match self.scheme() {
            RSA_PSS_RSAE_SHA256 => RSA_PKCS1_SHA256,
            other => other,
        }
    }

    /// `AlgorithmIdentifier` of that scheme.
    pub(crate) fn certificate_algorithm(&self) -> Vec<u8> {
        let null = [5, 0];
        match self.certificate_scheme() {
            ED25519 => der::sequence(&[&der::oid(&[0x2b, 0x65, 0x70])]),
            ECDSA_P256 => der::sequence(&[&der::oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])]),
            ECDSA_P384 => der::sequence(&[&der::oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3])]),
            _ => der::sequence(&[
                &der::oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]),
                &null,
            ]),
        }
    }
}

pub fn page(keys: &mut Keys) -> Page {
    Page {
        about: "The keys of the vectors. They are published here and good for nothing else."
            .to_owned(),
        section: "§4".to_owned(),
        keys: NAMES.map(|name| keys.key(name)).to_vec(),
    }
}

fn scheme(name: &str) -> u16 {
    match name {
        "ecdsa-p256" => ECDSA_P256,
        "ecdsa-p384" => ECDSA_P384,
        "rsa-2048" => RSA_PSS_RSAE_SHA256,
        _ => ED25519,
    }
}

fn sign(pkcs8: &[u8], scheme: u16, content: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    match scheme {
        ED25519 => ed25519(pkcs8).sign(content).as_ref().to_vec(),
        ECDSA_P256 | ECDSA_P384 => {
            let pair = ecdsa(pkcs8, scheme);
            pair.sign(&random, content).unwrap().as_ref().to_vec()
        }
        _ => {
            let encoding: &dyn signature::RsaEncoding = match scheme {
                RSA_PKCS1_SHA256 => &signature::RSA_PKCS1_SHA256,
                _ => &signature::RSA_PSS_SHA256,
            };
            let pair = RsaKeyPair::from_pkcs8(pkcs8).unwrap();
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(encoding, &random, content, &mut signature)
                .unwrap();
            signature
        }
    }
}

/// `public_key` is a SubjectPublicKeyInfo; *ring* takes what is in its BIT STRING.
fn verifies(public_key: &[u8], scheme: u16, content: &[u8], signature: &[u8]) -> bool {
    let (algorithm, start): (&dyn signature::VerificationAlgorithm, _) = match scheme {
        ECDSA_P256 => (&signature::ECDSA_P256_SHA256_ASN1, public_key.len() - 65),
        ECDSA_P384 => (&signature::ECDSA_P384_SHA384_ASN1, public_key.len() - 97),
        _ => (&signature::RSA_PSS_2048_8192_SHA256, RSA_KEY_AT),
    };
    UnparsedPublicKey::new(algorithm, &public_key[start..])
        .verify(content, signature)
        .is_ok()
}

/// SubjectPublicKeyInfo, RFC 5280 §4.1.2.7.
fn public_key(name: &str, pkcs8: &[u8]) -> Vec<u8> {
    let ec = der::oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]);
    let (algorithm, key) = match scheme(name) {
        ED25519 => (
            der::sequence(&[&der::oid(&[0x2b, 0x65, 0x70])]),
            ed25519(pkcs8).public_key().as_ref().to_vec(),
        ),
        ECDSA_P256 => (
            der::sequence(&[&ec, &der::oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7])]),
            ecdsa(pkcs8, ECDSA_P256).public_key().as_ref().to_vec(),
        ),
        ECDSA_P384 => (
            der::sequence(&[&ec, &der::oid(&[0x2b, 0x81, 4, 0, 34])]),
            ecdsa(pkcs8, ECDSA_P384).public_key().as_ref().to_vec(),
        ),
        _ => (
            der::sequence(&[
                &der::oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]),
                &[5, 0],
            ]),
            RsaKeyPair::from_pkcs8(pkcs8)
                .unwrap()
                .public_key()
                .as_ref()
                .to_vec(),
        ),
    };
    der::sequence(&[&algorithm, &der::bits(&key)])
}

/// The seed stands at the end of its PKCS #8.
fn ed25519(pkcs8: &[u8]) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&pkcs8[16..]).unwrap()
}

fn ecdsa(pkcs8: &[u8], scheme: u16) -> EcdsaKeyPair {
    let algorithm = match scheme {
        ECDSA_P256 => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        _ => &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
    };
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8, &SystemRandom::new()).unwrap()
}

pub const NAMES: [&str; 5] = [
    "ed25519",
    "ecdsa-p256",
    "ecdsa-p384",
    "rsa-2048",
    "ed25519-other",
];

pub const ECDSA_P256: u16 = 0x0403;
pub const ECDSA_P384: u16 = 0x0503;
pub const ED25519: u16 = 0x0807;
pub const RSA_PKCS1_SHA256: u16 = 0x0401;
pub const RSA_PSS_RSAE_SHA256: u16 = 0x0804;

/// What stands before the RSAPublicKey of a key of 2048 bits.
const RSA_KEY_AT: usize = 24;

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recorded.json");
