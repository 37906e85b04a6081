//! A result as a service states it to another, before it is signed.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::Appraisal;
use super::Ear;
use super::claims::NONCE_BYTES;
use super::encode_error::EncodeError;
use super::labels::APPRAISAL;
use super::profile::CURRENT_PROFILE;
use super::profile::IETF;

/// A result that one service states to another. [`jwt::encode`](super::jwt::encode) and [`cwt::encode`](super::cwt::encode) sign
/// it under the profile `tag:ietf.org,2026:rats/ear#04`, whatever the dialect of the result.
#[derive(Clone, Debug)]
#[allow(
    clippy::exhaustive_structs,
    reason = "whoever states a result must decide about each of these"
)]
pub struct Statement<'a> {
    /// The result. Its `iss`, nonce and `cnf` are those of its verifier, and are left out.
    pub ear: &'a Ear,
    /// The service that states it.
    pub issuer: &'a str,
    /// The service that it is stated to. No other accepts it.
    pub audience: &'a str,
    /// 8 to 64 bytes that no other statement has.
    pub nonce: &'a [u8],
}

impl Statement<'_> {
    /// The claims in JSON. No claim of the platform has the name of a claim of the profile.
    pub(super) fn claims(&self) -> Result<Map<String, Value>, EncodeError> {
        if !NONCE_BYTES.contains(&self.nonce.len()) {
            return Err(EncodeError::Nonce);
        }
        let ear = self.ear;
        let submods: Map<_, _> = ear
            .submods()
            .map(|(name, part)| (name.to_owned(), Value::Object(part_claims(part))))
            .collect();
        let claims = [
            ("eat_profile", Value::from(CURRENT_PROFILE)),
            ("iss", Value::from(self.issuer)),
            ("aud", Value::from(self.audience)),
            ("iat", Value::from(ear.issued_at().as_secs())),
            ("eat_nonce", Value::from(base64url(self.nonce))),
            (IETF.status, Value::from(ear.status().to_string())),
            (
                IETF.verifier,
                json!({ "developer": ear.verifier().developer(), "build": ear.verifier().build() }),
            ),
            ("submods", Value::Object(submods)),
        ];
        let end = ear.expires_at().map(|end| ("exp", end.as_secs().into()));
        let all = claims.into_iter().chain(end);
        Ok(all.map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

fn part_claims(part: &Appraisal) -> Map<String, Value> {
    let mut claims: Map<_, _> = part
        .extensions()
        .filter(|(name, _)| APPRAISAL.iter().all(|known| known.name != *name))
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    let mut add = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    add(IETF.status, part.status().to_string().into());
    let vector: Map<_, _> = part
        .vector()
        .claims()
        .map(|(category, claim)| (category.name().to_owned(), claim.value().into()))
        .collect();
    // An empty vector would claim that nothing is known, where the verifier states a status alone.
    if !vector.is_empty() {
        add(IETF.vector, Value::Object(vector));
    }
    if !part.policy_ids().is_empty() {
        add(IETF.policy, part.policy_ids().into());
    }
    claims
}

fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
