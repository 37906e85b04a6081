//! The key that the holder of a result must have: `cnf`.

use atls_core::MediaType;
use atls_core::ear::BinaryText;
use atls_core::pki_types::AlgorithmIdentifier;
use atls_core::pki_types::alg_id;
use rustls::sign::public_key_to_spki;
use serde_json::Value;

/// The form in which a result is signed, and so names keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// RFC 7800: a JWK under `jwk`.
    Jwt,
    /// RFC 8747: a COSE_Key under 1. Its labels are decimal here, its bytes base64url.
    Cwt,
}

impl Form {
    pub(crate) fn of(media_type: &MediaType) -> Self {
        if media_type.essence() == "application/eat+cwt" {
            Self::Cwt
        } else {
            Self::Jwt
        }
    }

    /// The name of the claim in a part of a result. In the result itself it has its JSON name in both forms.
    pub(crate) fn claim(self) -> &'static str {
        match self {
            Self::Jwt => "cnf",
            Self::Cwt => "8",
        }
    }

    /// The DER SubjectPublicKeyInfo of the key that a `cnf` names.
    ///
    /// `None` for anything else: a key by reference, identifier or hash, an encrypted key, another member beside the key, and
    /// a member of the key that would restrict or extend it. `kid` is a name, and does neither.
    pub(crate) fn key(self, confirmation: &Value) -> Option<Vec<u8>> {
        let labels = self.labels();
        let methods = confirmation.as_object().filter(|all| all.len() == 1)?;
        let key = methods.get(labels.method)?.as_object()?;
        let (kty, crv) = (key.get(labels.kty)?, key.get(labels.crv)?);
        let kind = KEY_KINDS.iter().find(|kind| match self {
            Self::Jwt => (kty, crv) == (&kind.jose.0.into(), &kind.jose.1.into()),
            Self::Cwt => (kty, crv) == (&kind.cose.0.into(), &kind.cose.1.into()),
        })?;
        let coordinates = labels.coordinates.get(..kind.coordinates)?;
        let known = |name: &str| {
            [labels.kty, labels.crv, labels.kid].contains(&name) || coordinates.contains(&name)
        };
        if !key.keys().all(|name| known(name)) {
            return None;
        }
        let mut public_key = kind.prefix.to_vec();
        for name in coordinates {
            let bytes = BinaryText::Base64Url.decode(key.get(*name)?.as_str()?)?;
            if bytes.len() != kind.bytes {
                return None;
            }
            public_key.extend(bytes);
        }
        Some(public_key_to_spki(&kind.algorithm, public_key).to_vec())
    }

    fn labels(self) -> &'static Labels {
        match self {
            Self::Jwt => &JWK,
            Self::Cwt => &COSE_KEY,
        }
    }
}

struct Labels {
    method: &'static str,
    kty: &'static str,
    crv: &'static str,
    kid: &'static str,
    coordinates: [&'static str; 2],
}

/// RFC 7800 §3.2, RFC 7517 §4, RFC 7518 §6.2.1.
const JWK: Labels = Labels {
    method: "jwk",
    kty: "kty",
    crv: "crv",
    kid: "kid",
    coordinates: ["x", "y"],
};

/// RFC 8747 §3.2, RFC 9052 §7.1, RFC 9053 §7.1.
const COSE_KEY: Labels = Labels {
    method: "1",
    kty: "1",
    crv: "-1",
    kid: "2",
    coordinates: ["-2", "-3"],
};

/// A kind of key by its type and curve.
struct KeyKind {
    jose: (&'static str, &'static str),
    cose: (i64, i64),
    algorithm: AlgorithmIdentifier,
    /// The bytes before the coordinates in X.509.
    prefix: &'static [u8],
    coordinates: usize,
    /// The length of each coordinate.
    bytes: usize,
}

const KEY_KINDS: [KeyKind; 3] = [
    KeyKind {
        jose: ("EC", "P-256"),
        cose: (2, 1),
        algorithm: alg_id::ECDSA_P256,
        prefix: UNCOMPRESSED,
        coordinates: 2,
        bytes: 32,
    },
    KeyKind {
        jose: ("EC", "P-384"),
        cose: (2, 2),
        algorithm: alg_id::ECDSA_P384,
        prefix: UNCOMPRESSED,
        coordinates: 2,
        bytes: 48,
    },
    KeyKind {
        jose: ("OKP", "Ed25519"),
        cose: (1, 6),
        algorithm: alg_id::ED25519,
        prefix: &[],
        coordinates: 1,
        bytes: 32,
    },
];

/// SEC 1 §2.3.3.
const UNCOMPRESSED: &[u8] = &[4];
