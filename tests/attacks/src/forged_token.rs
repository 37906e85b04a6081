//! A device that its verifier trusts, and that signs any nonce: PSA tokens, RFC 9783, written by hand.

use atls_core::Bound;
use atls_core::cmw::Cmw;
use atls_sim::IMPLEMENTATION_ID;
use atls_sim::SimAttester;
use atls_sim::TrustAnchor;
use ciborium::Value;
use coset::CoseSign1Builder;
use coset::HeaderBuilder;
use coset::TaggedCborSerializable;
use coset::iana::Algorithm;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair;

pub(crate) struct Forger {
    key: EcdsaKeyPair,
}

/// The value in the place of the expected one.
#[derive(Clone, Copy)]
pub(crate) enum Nonce {
    Absent,
    Empty,
    Exact,
    Half,
    Longer,
    Shorter,
    Zeros,
}

impl Nonce {
    fn of(self, expected: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Absent => None,
            Self::Empty => Some(Vec::new()),
            Self::Exact => Some(expected.to_vec()),
            Self::Half => Some(expected.iter().take(16).copied().collect()),
            Self::Longer => Some([expected, &[0]].concat()),
            Self::Shorter => expected.split_last().map(|(_, rest)| rest.to_vec()),
            Self::Zeros => Some(vec![0; expected.len()]),
        }
    }
}

impl Forger {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self {
            key: EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap(),
        }
    }

    pub(crate) fn trust_anchor(&self) -> TrustAnchor {
        TrustAnchor::from_public_key(self.key.public_key().as_ref()).unwrap()
    }

    pub(crate) fn sign(&self, expected: &Bound, nonce: Nonce) -> Cmw {
        let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
        let software = Value::Map(vec![
            (1.into(), "ARoT".into()),
            (2.into(), bytes(&SimAttester::SOFTWARE)),
            (4.into(), "1".into()),
            (5.into(), bytes(&[0; 32])),
        ]);
        let mut claims = vec![
            (265.into(), "tag:psacertified.org,2023:psa#tfm".into()),
            (256.into(), bytes(self.trust_anchor().instance_id())),
            (2396.into(), bytes(&IMPLEMENTATION_ID)),
            (2394.into(), 1.into()),
            (2395.into(), 0x3000.into()),
            (268.into(), bytes(&[1; 32])),
            (2399.into(), Value::Array(vec![software])),
        ];
        if let Some(nonce) = nonce.of(expected.as_bytes()) {
            claims.push((10.into(), Value::Bytes(nonce)));
        }
        let mut payload = Vec::new();
        ciborium::into_writer(&Value::Map(claims), &mut payload).unwrap();
        let token = CoseSign1Builder::new()
            .protected(HeaderBuilder::new().algorithm(Algorithm::ES256).build())
            .payload(payload)
            .create_signature(b"", |message| {
                let signature = self.key.sign(&SystemRandom::new(), message).unwrap();
                signature.as_ref().to_vec()
            })
            .build();
        let media_type = "application/eat+cwt; eat_profile=\"tag:psacertified.org,2023:psa#tfm\"";
        Cmw::evidence(media_type.parse().unwrap(), token.to_tagged_vec().unwrap())
    }
}
