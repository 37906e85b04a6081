//! A Nitro Security Module in software, for tests here and elsewhere: any document, under a root of its own.
//!
//! Its documents go through the same attester and verifier as those of a device, with another root. Results under that root are
//! [`Origin::Simulated`](atls_core::Origin::Simulated).
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use atls_core::pki_types::UnixTime;
//! use atls_nitro::{NitroAttester, NitroPolicy, NitroVerifier, testing::ForgedNitro};
//! use atls_reference::Live;
//!
//! let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
//! let forger = Arc::new(ForgedNitro::new(now));
//! let attester = NitroAttester::over(ForgedNitro::device(&forger))?;
//! let policy = Live::fixed(NitroPolicy::new(vec![ForgedNitro::image()]))?;
//! let verifier = NitroVerifier::dangerous_with_root(forger.root(), Arc::new(policy));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "support for tests, which fail by panicking"
)]

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use atls_core::pki_types::UnixTime;
use atls_reference::Digest;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1Builder;
use coset::HeaderBuilder;
use coset::iana::Algorithm;
use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertifiedIssuer;
use rcgen::DnType;
use rcgen::IsCa;
use rcgen::KeyPair;
use rcgen::KeyUsagePurpose;
use rcgen::PKCS_ECDSA_P384_SHA384;
use rcgen::SignatureAlgorithm;
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P384_SHA384_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;

use crate::device::NsmDevice;
use crate::image::NitroImage;

/// Makes documents: a chain of five certificates as AWS's, the enclave's key at its end, and a clock that stands still.
pub struct ForgedNitro {
    now: UnixTime,
    certificates: Vec<Vec<u8>>,
    key: EcdsaKeyPair,
}

impl ForgedNitro {
    /// A forger whose chain is valid from three seconds before this time until three hours after.
    pub fn new(now: UnixTime) -> Self {
        Self::with_certificates(now, |_, _| {})
    }

    /// The same, with certificates altered by their position: 0 is the root, 4 the enclave's, which keeps its P-384 key.
    pub fn with_certificates(now: UnixTime, alter: impl Fn(usize, &mut Blueprint)) -> Self {
        let key_of = |blueprint: &Blueprint| KeyPair::generate_for(blueprint.algorithm).unwrap();
        let blueprint = |position| {
            let mut blueprint = Blueprint::new(now, position);
            alter(position, &mut blueprint);
            blueprint
        };
        let root = blueprint(0);
        let key = key_of(&root);
        let mut issuer = CertifiedIssuer::self_signed(root.params, key).unwrap();
        let mut certificates = vec![issuer.der().to_vec()];
        for position in 1..LEAF {
            let authority = blueprint(position);
            let key = key_of(&authority);
            issuer = CertifiedIssuer::signed_by(authority.params, key, &issuer).unwrap();
            certificates.push(issuer.der().to_vec());
        }
        let leaf = blueprint(LEAF);
        let key = key_of(&leaf);
        let leaf = leaf.params.signed_by(&key, &issuer).unwrap();
        certificates.push(leaf.der().to_vec());
        let key = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P384_SHA384_FIXED_SIGNING,
            key.serialized_der(),
            &SystemRandom::new(),
        );
        Self {
            now,
            certificates,
            key: key.unwrap(),
        }
    }

    /// SHA-256 of its root certificate, for
    /// [`NitroVerifier::dangerous_with_root`](crate::NitroVerifier::dangerous_with_root).
    pub fn root(&self) -> Digest<32> {
        let hash = digest::digest(&digest::SHA256, self.certificates.first().unwrap());
        Digest::from(<[u8; 32]>::try_from(hash.as_ref()).unwrap())
    }

    /// The image of its enclave: 0xc0, 0xc1 and 0xc2, 48 times each, in PCR 0, 1 and 2.
    pub fn image() -> NitroImage {
        let pcr = |index: u8| Digest::from([0xc0 + index; 48]);
        NitroImage::measured("forged", pcr(0), pcr(1), pcr(2))
    }

    /// The fields of a document, in the order of the security module and with its `null`, for tests to alter.
    pub fn fields(&self, nonce: Option<&[u8]>, public_key: Option<&[u8]>) -> Vec<(Value, Value)> {
        let optional = |bytes: Option<&[u8]>| bytes.map_or(Value::Null, |o| o.to_vec().into());
        let pcr = |index: u8| {
            let filler = if index < 5 { 0xc0 + index } else { 0 };
            (index.into(), Value::Bytes(vec![filler; 48]))
        };
        let (leaf, authorities) = self.certificates.split_last().unwrap();
        let cabundle = authorities.iter().map(|der| der.clone().into()).collect();
        let timestamp = self.now.as_secs() * 1000;
        vec![
            ("module_id".into(), "i-0forged-enc0forged".into()),
            ("digest".into(), "SHA384".into()),
            ("timestamp".into(), timestamp.into()),
            ("pcrs".into(), Value::Map((0..16).map(pcr).collect())),
            ("certificate".into(), leaf.clone().into()),
            ("cabundle".into(), Value::Array(cabundle)),
            ("public_key".into(), optional(public_key)),
            ("user_data".into(), Value::Null),
            ("nonce".into(), optional(nonce)),
        ]
    }

    /// Signs a document with these fields.
    pub fn seal(&self, fields: Vec<(Value, Value)>) -> Vec<u8> {
        self.seal_bytes(Value::Map(fields).to_vec().unwrap())
    }

    /// Signs any bytes as if they were a document.
    pub fn seal_bytes(&self, payload: Vec<u8>) -> Vec<u8> {
        let protected = HeaderBuilder::new().algorithm(Algorithm::ES384);
        let sign = |message: &[u8]| self.sign(message);
        CoseSign1Builder::new()
            .protected(protected.build())
            .payload(payload)
            .create_signature(b"", sign)
            .build()
            .to_vec()
            .unwrap()
    }

    /// The enclave's signature over any bytes: `r || s`, 96 bytes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.key.sign(&SystemRandom::new(), message).unwrap();
        signature.as_ref().to_vec()
    }

    /// A device for [`NitroAttester::over`](crate::NitroAttester::over).
    pub fn device(forger: &Arc<Self>) -> ForgedNsm {
        ForgedNsm {
            forger: forger.clone(),
            pcrs: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for ForgedNitro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForgedNitro").finish_non_exhaustive()
    }
}

/// One certificate before it is made.
#[derive(Debug)]
#[non_exhaustive]
pub struct Blueprint {
    /// Its content.
    pub params: CertificateParams,
    /// Its key.
    pub algorithm: &'static SignatureAlgorithm,
}

impl Blueprint {
    fn new(now: UnixTime, position: usize) -> Self {
        let mut params = CertificateParams::default();
        let name = format!("forged {position}.nitro-enclaves");
        params.distinguished_name.push(DnType::CommonName, name);
        let at = |seconds| rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
        params.not_before = at(now.as_secs() - 3);
        params.not_after = at(now.as_secs() + 3 * 60 * 60);
        if position == LEAF {
            params.is_ca = IsCa::ExplicitNoCa;
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        } else {
            let below = u8::try_from(LEAF - 1 - position).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        }
        Self {
            params,
            algorithm: &PKCS_ECDSA_P384_SHA384,
        }
    }
}

/// The position of the enclave's certificate, as in AWS's chains.
const LEAF: usize = 4;

/// Answers requests for attestation as `/dev/nsm` does.
#[derive(Clone, Debug)]
pub struct ForgedNsm {
    forger: Arc<ForgedNitro>,
    pcrs: BTreeMap<u8, Digest<48>>,
}

impl ForgedNsm {
    /// Changes the value of a register, 0 to 15: debug mode, another image, or a measurement by the enclave itself.
    #[must_use]
    pub fn with_pcr(mut self, index: u8, value: Digest<48>) -> Self {
        self.pcrs.insert(index, value);
        self
    }
}

impl NsmDevice for ForgedNsm {
    fn process(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        let answer =
            |kind: &str, content| Ok(Value::Map(vec![(kind.into(), content)]).to_vec().unwrap());
        let Some(arguments) = arguments(request) else {
            return answer("Error", "InvalidArgument".into());
        };
        let mut fields = self.forger.fields(None, None);
        let registers = fields.iter_mut().find(|(name, _)| *name == "pcrs".into());
        if let Some((_, Value::Map(registers))) = registers {
            for (index, value) in registers {
                let mut others = self.pcrs.iter();
                if let Some((_, other)) = others.find(|(known, _)| *index == (**known).into()) {
                    *value = Value::Bytes(other.as_bytes().to_vec());
                }
            }
        }
        for (name, value) in arguments {
            match fields.iter_mut().find(|(known, _)| *known == name) {
                Some(field) => field.1 = value,
                None => return answer("Error", "InvalidArgument".into()),
            }
        }
        let document = Value::Bytes(self.forger.seal(fields));
        answer(
            "Attestation",
            Value::Map(vec![("document".into(), document)]),
        )
    }
}

fn arguments(request: &[u8]) -> Option<Vec<(Value, Value)>> {
    let request = Value::from_slice(request).ok()?.into_map().ok()?;
    match request.into_iter().next()? {
        (kind, Value::Map(arguments)) if kind == "Attestation".into() => Some(arguments),
        _ => None,
    }
}
