//! Issuers of passports in each envelope, and the keys that they name.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Binding;
use atls_core::Bound;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::PeerAttestation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_passport::PassportVerifier;
use atls_passport::ReusablePassport;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::Connection;
use test_support::at;

pub(crate) const NOW: u64 = 1_000_000;

pub(crate) const ISSUER: &str = "https://issuer.example";

pub(crate) const PROFILE: &str = "tag:ietf.org,2026:rats/ear#04";

/// Passports of an issuer, of some earlier session.
pub(crate) trait Office {
    fn jwt(&self, claims: &Value) -> ReusablePassport;
    fn jwt_about(&self, confirmation: &Value) -> ReusablePassport;
    fn cwt_of(&self, confirmation: Cbor, part: Vec<(Cbor, Cbor)>) -> ReusablePassport;
    fn cwt_about(&self, confirmation: Cbor) -> ReusablePassport;
}

impl Office for Signer {
    fn jwt(&self, claims: &Value) -> ReusablePassport {
        ReusablePassport::new(media_type("eat+jwt"), self.token(claims).into_bytes())
    }

    fn jwt_about(&self, confirmation: &Value) -> ReusablePassport {
        let mut claims = claims();
        claims["cnf"] = confirmation.clone();
        self.jwt(&claims)
    }

    fn cwt_of(&self, confirmation: Cbor, part: Vec<(Cbor, Cbor)>) -> ReusablePassport {
        let token = self.cwt(cbor(&cwt_claims(confirmation, part)));
        ReusablePassport::new(media_type("eat+cwt"), token)
    }

    fn cwt_about(&self, confirmation: Cbor) -> ReusablePassport {
        self.cwt_of(confirmation, cwt_part())
    }
}

pub(crate) fn claims() -> Value {
    json!({
        "eat_profile": PROFILE, "iss": ISSUER, "iat": NOW,
        "ear_verifier_id": { "developer": "d", "build": "b" },
        "submods": { "a": part() },
    })
}

pub(crate) fn part() -> Value {
    json!({ "ear_status": "affirming", "ear_appraisal_policy_ids": ["p"] })
}

pub(crate) fn cwt_claims(confirmation: Cbor, part: Vec<(Cbor, Cbor)>) -> Cbor {
    map(vec![
        (1, ISSUER.into()),
        (6, NOW.into()),
        (8, confirmation),
        (265, PROFILE.into()),
        (266, Cbor::Map(vec![("a".into(), Cbor::Map(part))])),
        (1004, map(vec![(0, "d".into()), (1, "b".into())])),
    ])
}

pub(crate) fn cwt_part() -> Vec<(Cbor, Cbor)> {
    vec![
        (1000.into(), 2.into()),
        (1003.into(), Cbor::Array(vec!["p".into()])),
    ]
}

/// How a kind of key is spelled, and how many bytes a coordinate has.
pub(crate) struct Kind {
    pub(crate) kty: &'static str,
    pub(crate) crv: &'static str,
    pub(crate) cose: (i64, i64),
    pub(crate) bytes: usize,
    pub(crate) coordinates: usize,
}

impl Kind {
    pub(crate) fn jwk(&self, spki: &[u8]) -> Value {
        let mut jwk = json!({ "kty": self.kty, "crv": self.crv });
        for (name, bytes) in ["x", "y"].iter().zip(self.coordinates(spki)) {
            jwk[name] = BASE64_URL_SAFE_NO_PAD.encode(bytes).into();
        }
        jwk
    }

    pub(crate) fn cose_key(&self, spki: &[u8]) -> Cbor {
        let mut entries = vec![(1, self.cose.0.into()), (-1, self.cose.1.into())];
        for (label, bytes) in [-2, -3].iter().zip(self.coordinates(spki)) {
            entries.push((*label, Cbor::Bytes(bytes.to_vec())));
        }
        map(entries)
    }

    /// The public key ends with them.
    pub(crate) fn coordinates<'a>(&self, spki: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        spki[spki.len() - self.coordinates * self.bytes..].chunks(self.bytes)
    }
}

pub(crate) const P256: Kind = Kind {
    kty: "EC",
    crv: "P-256",
    cose: (2, 1),
    bytes: 32,
    coordinates: 2,
};

pub(crate) const ED25519: Kind = Kind {
    kty: "OKP",
    crv: "Ed25519",
    cose: (1, 6),
    bytes: 32,
    coordinates: 1,
};

pub(crate) fn map(entries: Vec<(i64, Cbor)>) -> Cbor {
    let entries = entries.into_iter();
    Cbor::Map(
        entries
            .map(|(label, value)| (label.into(), value))
            .collect(),
    )
}

pub(crate) fn cbor(value: &Cbor) -> Vec<u8> {
    let mut encoded = Vec::new();
    ciborium::into_writer(value, &mut encoded).unwrap();
    encoded
}

pub(crate) fn media_type(form: &str) -> MediaType {
    MediaType::parse(&format!("application/{form}; eat_profile=\"{PROFILE}\"")).unwrap()
}

pub(crate) fn loose() -> StandardPolicy {
    StandardPolicy::new().dangerous_accept_binding(Binding::Key)
}

pub(crate) fn not_bound() -> Refusal {
    Refusal::Appraisal(AppraisalError::NotBound)
}

/// Trusts the issuer about fresh Evidence and about keys.
pub(crate) async fn accept(
    issuer: &Signer,
    connection: Connection,
    passport: &ReusablePassport,
    policy: StandardPolicy,
) -> Result<PeerAttestation, Refusal> {
    let fresh = |part| Scheme::checks_freshness(part, "p", Bound::verbatim, Origin::Device);
    let key = |part| Scheme::dangerous_key_only(part, "p", Origin::Device);
    let issuer = TrustedIssuer::ietf(Arc::new(issuer.keys()), ISSUER);
    let issuer = issuer.with_scheme(fresh("a")).with_scheme(key("a"));
    let issuer = issuer.with_scheme(fresh("b")).with_scheme(key("b"));
    let provider = rustls::crypto::ring::default_provider();
    let verifier = PassportVerifier::builder(&provider).issuer(issuer).build();
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(verifier.unwrap()))
        .standard_policy(policy)
        .build()
        .unwrap();
    let credential = connection.attested(passport).await;
    relying_party.appraise(credential, at(NOW)).await
}
