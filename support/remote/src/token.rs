//! Tokens of services that are no EAR: signed claims, with the checks that apply to each of them.

use std::fmt;
use std::time::Duration;

use atls_core::ear::BinaryText;
use atls_core::ear::EarError;
use atls_core::ear::jwt;
use atls_core::pki_types::UnixTime;
use serde_json::Map;
use serde_json::Value;

use crate::service::ResultCheck;

/// The claims of a token whose signature verified, from the expected issuer and in time. **Its binding to a connection is the
/// caller's to check.**
#[derive(Clone, PartialEq)]
pub struct Token {
    claims: Map<String, Value>,
    issued_at: UnixTime,
    expires_at: UnixTime,
}

/// Shows the times alone, because claims identify machines.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Token {
    /// Verifies a compact JWS, then `iss`, `iat`, `exp` and `nbf`, of which only `nbf` may be absent. The `alg` of the header
    /// must be that of a key, and its `kid` may choose among them; `jku`, `jwk` and `x5c` are not read.
    ///
    /// # Errors
    /// [`EarError`]; [`EarError::Issuer`] also where the check names no issuer, because such tokens have one.
    pub fn decode(token: &str, check: &ResultCheck<'_>) -> Result<Self, EarError> {
        Self::check(jwt::verify(token, check.keys, check.supported)?, check)
    }

    fn check(claims: Map<String, Value>, check: &ResultCheck<'_>) -> Result<Self, EarError> {
        let issuer = check.issuer.ok_or(EarError::Issuer)?;
        if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
            return Err(EarError::Issuer);
        }
        let issued_at = seconds(&claims, "iat")?.ok_or(EarError::Malformed)?;
        let expires_at = seconds(&claims, "exp")?.ok_or(EarError::Malformed)?;
        let not_before = seconds(&claims, "nbf")?.unwrap_or(issued_at);
        let now = check.now.as_secs();
        if issued_at.max(not_before) > now.saturating_add(CLOCK_SKEW.as_secs()) {
            return Err(EarError::Future);
        }
        let by_age = issued_at.saturating_add(check.max_age.as_secs());
        if expires_at.min(by_age) <= now {
            return Err(EarError::Expired);
        }
        let time = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        Ok(Self {
            claims,
            issued_at: time(issued_at),
            expires_at: time(expires_at),
        })
    }

    /// `iat`.
    pub fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    /// `exp`.
    pub fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    /// All claims.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// A claim of text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    /// A claim of bytes, in hexadecimal.
    pub fn hex(&self, name: &str) -> Option<Vec<u8>> {
        BinaryText::Hex.decode(self.text(name)?)
    }
}

fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<u64>, EarError> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(EarError::Malformed),
    }
}

/// The largest lead of an issuer's clock over ours.
const CLOCK_SKEW: Duration = Duration::from_secs(60);
