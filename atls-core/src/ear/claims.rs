//! The claims of a signed result, and the checks that it must pass.

use std::ops::RangeInclusive;
use std::time::Duration;

use base64::Engine;
use pki_types::UnixTime;
use serde_json::Map;
use serde_json::Value;

use super::Appraisal;
use super::Ear;
use super::EarError;
use super::VerifierId;
use super::binary_text::URL_SAFE;
use super::profile::Names;
use super::profile::Nonce;
use super::profile::names_of;
use super::result::Further;
use super::result::Stated;
use super::tier::Category;
use super::tier::Tier;
use super::tier::TrustClaim;
use super::tier::TrustVector;
use crate::limits::CLOCK_SKEW;

/// The conditions that a signed result must satisfy.
#[derive(Clone, Debug)]
#[allow(
    clippy::exhaustive_structs,
    reason = "whoever checks a result must decide about each of these"
)]
pub struct Check<'a> {
    /// The time.
    pub now: UnixTime,
    /// The greatest age of a result, counted from its `iat`. A later `exp` does not extend it.
    pub max_age: Duration,
    /// The `eat_nonce` that the result must have.
    pub nonce: ExpectedNonce<'a>,
    /// The `iss` that the result must have, unless the issuer states none.
    pub issuer: Option<&'a str>,
    /// The `aud` that the result must have, alone or among others. If this is none, the result must have none: who is not named by an
    /// `aud` must not take it (RFC 7519 §4.1.3). Verifiers state a result to whoever asked, without one.
    pub audience: Option<&'a str>,
    /// The names of the submodules that the result must have. A composite device with a part that was not appraised is not
    /// appraised. If this is empty, one submodule of any name is enough.
    pub submods: &'a [&'a str],
}

impl<'a> Check<'a> {
    /// Conditions for any issuer and any submodules.
    pub const fn new(now: UnixTime, max_age: Duration, nonce: ExpectedNonce<'a>) -> Self {
        Self {
            now,
            max_age,
            nonce,
            issuer: None,
            audience: None,
            submods: &[],
        }
    }

    /// Sets the issuer that the result must have.
    #[must_use]
    pub const fn with_issuer(mut self, issuer: &'a str) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// Sets the audience that the result must have.
    #[must_use]
    pub const fn with_audience(mut self, audience: &'a str) -> Self {
        self.audience = Some(audience);
        self
    }

    /// Sets the submodules that the result must have.
    #[must_use]
    pub const fn with_submods(mut self, submods: &'a [&'a str]) -> Self {
        self.submods = submods;
        self
    }
}

/// The `eat_nonce` that a result must have.
#[derive(Clone, Debug)]
#[allow(
    clippy::exhaustive_enums,
    reason = "whoever checks a result must decide about each of these"
)]
pub enum ExpectedNonce<'a> {
    /// All of these bytes. A nonce has 8 to 64 bytes (RFC 9711 §4.1), so others never match. Padded and unpadded base64url are
    /// the same.
    Echoed(&'a [u8]),
    /// Any nonce, or none. The result was made for another session or for none, and says **nothing** about this connection. The
    /// caller must find a key in it, and hand that on by
    /// [`Appraised::bound_to_key_only`](crate::Appraised::bound_to_key_only).
    DangerousOfAnySession,
    /// No nonce, for profiles without one. The caller **must** find the expected value in another signed claim, such as Trustee's
    /// `report_data`. Profiles with a nonce are refused.
    InAnotherClaim,
}

/// Reads verified claims. Unknown claims are ignored, as the draft demands.
pub(super) fn read(claims: &Map<String, Value>, check: &Check<'_>) -> Result<Ear, EarError> {
    let profile = text(claims, "eat_profile")?;
    let names = names_of(profile).ok_or(EarError::Profile)?;
    if let Some(expected) = check.issuer
        && claims.get("iss").and_then(Value::as_str) != Some(expected)
    {
        return Err(EarError::Issuer);
    }
    if !is_for(claims, check.audience) {
        return Err(EarError::Audience);
    }
    let ear = Ear {
        names,
        issued_at: time(claims, "iat")?.ok_or(EarError::Malformed)?,
        expires_at: time(claims, "exp")?,
        verifier: verifier(claims.get(names.verifier))?,
        stated: Stated {
            status: claims.get(names.status).map(tier).transpose()?,
            issuer: claims.get("iss").and_then(Value::as_str).map(str::to_owned),
            nonce: nonce(claims)?,
            confirmation: claims.get("cnf").cloned(),
        }
        .boxed(),
        submods: submods(claims, names)?.into(),
    };
    let not_before = time(claims, "nbf")?.unwrap_or(ear.issued_at);
    check_time(&ear, not_before, check)?;
    check_nonce(&ear, names, &check.nonce)?;
    if check.submods.iter().all(|name| ear.submod(name).is_some()) {
        Ok(ear)
    } else {
        Err(EarError::MissingSubmod)
    }
}

/// RFC 7519 §4.1.3: one audience, or several.
fn is_for(claims: &Map<String, Value>, expected: Option<&str>) -> bool {
    match (claims.get("aud"), expected) {
        (Some(Value::String(audience)), Some(expected)) => audience == expected,
        (Some(Value::Array(audiences)), Some(expected)) => {
            audiences.iter().any(|audience| audience == expected)
        }
        (audience, expected) => audience.is_none() && expected.is_none(),
    }
}

fn check_nonce(ear: &Ear, names: &Names, expected: &ExpectedNonce<'_>) -> Result<(), EarError> {
    match (&names.nonce, ear.nonce(), expected) {
        // A nonce that was read has 8 to 64 bytes, so an expected nonce of another length never matches.
        (Nonce::Always, Some(nonce), ExpectedNonce::Echoed(expected)) if nonce == *expected => {
            Ok(())
        }
        (Nonce::Always, _, ExpectedNonce::DangerousOfAnySession) => Ok(()),
        (
            Nonce::Never,
            None,
            ExpectedNonce::DangerousOfAnySession | ExpectedNonce::InAnotherClaim,
        ) => Ok(()),
        _ => Err(EarError::Nonce),
    }
}

fn check_time(ear: &Ear, not_before: UnixTime, check: &Check<'_>) -> Result<(), EarError> {
    let now = check.now.as_secs();
    let latest_start = now.saturating_add(CLOCK_SKEW.as_secs());
    if ear.issued_at.as_secs() > latest_start || not_before.as_secs() > latest_start {
        return Err(EarError::Future);
    }
    let by_age = ear
        .issued_at
        .as_secs()
        .saturating_add(check.max_age.as_secs());
    let end = ear
        .expires_at
        .map_or(by_age, |exp| exp.as_secs().min(by_age));
    if end > now {
        Ok(())
    } else {
        Err(EarError::Expired)
    }
}

fn submods(
    claims: &Map<String, Value>,
    names: &Names,
) -> Result<Vec<(Box<str>, Appraisal)>, EarError> {
    let submods = claims.get("submods").and_then(Value::as_object);
    let submods = submods.filter(|submods| !submods.is_empty());
    submods
        .ok_or(EarError::Malformed)?
        .iter()
        .map(|(name, value)| {
            let value = value.as_object().ok_or(EarError::Malformed)?;
            Ok((name.as_str().into(), appraisal(value, names)?))
        })
        .collect()
}

fn appraisal(claims: &Map<String, Value>, names: &Names) -> Result<Appraisal, EarError> {
    let stated = tier(claims.get(names.status).ok_or(EarError::Malformed)?)?;
    let vector = claims.get(names.vector).map(vector).transpose()?;
    // A verifier may state a worse status than its vector. If it states a better one, the vector counts.
    let status = vector
        .as_ref()
        .map_or(stated, |vector| stated.worst(vector.tier()));
    let policy_ids = match claims.get(names.policy) {
        None => Vec::new(),
        Some(Value::String(id)) => vec![id.clone()],
        Some(Value::Array(ids)) => ids
            .iter()
            .map(|id| id.as_str().map(str::to_owned).ok_or(EarError::Malformed))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(EarError::Malformed),
    };
    let known = [names.status, names.vector, names.policy, "eat_nonce"];
    let extensions = claims
        .iter()
        .filter(|(name, _)| !known.contains(&name.as_str()));
    Ok(Appraisal {
        status,
        vector: vector.unwrap_or_default(),
        further: Further {
            policy_ids,
            nonce: nonce(claims)?,
            extensions: extensions
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        }
        .boxed(),
    })
}

fn vector(value: &Value) -> Result<TrustVector, EarError> {
    let claims = value.as_object().ok_or(EarError::Malformed)?;
    let mut vector = TrustVector::new();
    for category in Category::ALL {
        if let Some(value) = claims.get(category.name()) {
            let value = value.as_i64().ok_or(EarError::Malformed)?;
            let value = i8::try_from(value).map_err(|_| EarError::Malformed)?;
            vector = vector.with(category, TrustClaim::new(value));
        }
    }
    Ok(vector)
}

fn tier(value: &Value) -> Result<Tier, EarError> {
    value
        .as_str()
        .and_then(Tier::from_word)
        .ok_or(EarError::Malformed)
}

fn verifier(value: Option<&Value>) -> Result<VerifierId, EarError> {
    let id = value
        .and_then(Value::as_object)
        .ok_or(EarError::Malformed)?;
    let developer = text(id, "developer")?.to_owned();
    Ok(VerifierId::new(developer, text(id, "build")?.to_owned()))
}

/// Reads one nonce. Several (RFC 9711 §4.1) are refused, since there was one request.
fn nonce(claims: &Map<String, Value>) -> Result<Option<Vec<u8>>, EarError> {
    let Some(value) = claims.get("eat_nonce") else {
        return Ok(None);
    };
    let text = value.as_str().ok_or(EarError::Nonce)?;
    let nonce = URL_SAFE.decode(text).map_err(|_| EarError::Nonce)?;
    if NONCE_BYTES.contains(&nonce.len()) {
        Ok(Some(nonce))
    } else {
        Err(EarError::Nonce)
    }
}

/// RFC 9711 §4.3.1: whole seconds since the epoch.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<UnixTime>, EarError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let seconds = value.as_u64().ok_or(EarError::Malformed)?;
    Ok(Some(UnixTime::since_unix_epoch(Duration::from_secs(
        seconds,
    ))))
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, EarError> {
    claims
        .get(name)
        .and_then(Value::as_str)
        .ok_or(EarError::Malformed)
}

/// RFC 9711 §4.1. A shorter nonce could be guessed, and an empty one would equal that of a careless caller.
pub(super) const NONCE_BYTES: RangeInclusive<usize> = 8..=64;
