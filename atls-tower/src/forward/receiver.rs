//! The service behind.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use atls_core::Binding;
use atls_core::ear::Check;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::Tier;
use atls_core::ear::VerificationKeys;
use atls_core::ear::cwt;
use atls_core::ear::jwt;
use atls_core::limits::CLOCK_SKEW;
use atls_core::limits::MAX_CMW_ITEMS;
use atls_core::pki_types::UnixTime;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::HeaderValue;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::time_provider::DefaultTimeProvider;
use rustls::time_provider::TimeProvider;

use super::forwarded::ForwardedResult;
use super::headers::HEADER;
use super::headers::MAX_VALUE;
use super::headers::VERIFIER_HEADER;
use super::once::Once;
use super::receive_error::ReceiveError;
use super::shortfall::Shortfall;
use super::statement::TOKEN_SHA256;
use super::statement::digest;
use crate::told;
use crate::told::ToldLately;

/// Accepts the statements of one service in front. The module says what it holds them to.
///
/// A peer must be affirming, a device, and bound to its connection, unless this service accepts less by name.
///
/// ```
/// # use atls_core::ear::{KeyError, VerificationKeys};
/// # use atls_tower::forward::ResultReceiver;
/// # use rustls::crypto::CryptoProvider;
/// fn receiver(jwk: &str, provider: &CryptoProvider) -> Result<ResultReceiver, KeyError> {
///     let keys = VerificationKeys::from_jwk(jwk)?;
///     let receiver = ResultReceiver::new(keys, provider, "gateway.example", "orders.example");
///     Ok(receiver.once(100_000))
/// }
/// ```
pub struct ResultReceiver {
    keys: VerificationKeys,
    supported: WebPkiSupportedAlgorithms,
    issuer: String,
    audience: String,
    max_age: Duration,
    accepted: Accepted,
    used: Option<(usize, Mutex<Once>)>,
    clock: Arc<dyn TimeProvider>,
    told: ToldLately,
}

/// The peers that are accepted.
#[derive(Clone, Copy, Debug)]
struct Accepted {
    worst: Tier,
    weakest: Binding,
    simulated: Simulated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Simulated {
    Accepted,
    Refused,
}

impl ResultReceiver {
    /// Accepts statements of `issuer` to `audience`, under these keys of it, for [`DEFAULT_MAX_AGE`](Self::DEFAULT_MAX_AGE).
    pub fn new(
        keys: VerificationKeys,
        provider: &CryptoProvider,
        issuer: impl Into<String>,
        audience: impl Into<String>,
    ) -> Self {
        Self {
            keys,
            supported: provider.signature_verification_algorithms,
            issuer: issuer.into(),
            audience: audience.into(),
            max_age: Self::DEFAULT_MAX_AGE,
            accepted: Accepted {
                worst: Tier::Affirming,
                weakest: Binding::Connection,
                simulated: Simulated::Refused,
            },
            used: None,
            clock: Arc::new(DefaultTimeProvider),
            told: ToldLately::default(),
        }
    }

    /// Sets the greatest age of a statement, whatever its `exp` says.
    #[must_use]
    pub fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Accepts each statement for one request of this process, and remembers up to this many, of some 100 bytes each. With more in the time
    /// for which one is good, further ones are refused. Several processes of one service do not know of each other, and a gateway that
    /// sends a request again must state anew. While a clock that was set back by more than two minutes shows a time again, statements of
    /// that time are refused, as they may have been used.
    #[must_use]
    pub fn once(mut self, capacity: usize) -> Self {
        self.used = Some((capacity, Mutex::default()));
        self
    }

    /// Accepts the status `warning` too.
    #[must_use]
    pub fn accept_warning(mut self) -> Self {
        self.accepted.worst = Tier::Warning;
        self
    }

    /// Accepts peers that are bound to no more than this: open to relay, and where it is a key, to replay.
    #[must_use]
    pub fn dangerous_accept_binding(mut self, weakest: Binding) -> Self {
        self.accepted.weakest = weakest;
        self
    }

    /// Accepts simulated peers, which prove nothing: for tests.
    #[must_use]
    pub fn dangerous_accept_simulated(mut self) -> Self {
        self.accepted.simulated = Simulated::Accepted;
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn TimeProvider>) -> Self {
        self.clock = clock;
        self
    }

    /// The result that came with a request.
    ///
    /// # Errors
    /// [`ReceiveError`]
    pub fn receive(&self, headers: &HeaderMap) -> Result<ForwardedResult, ReceiveError> {
        let mut values = headers.get_all(HEADER).into_iter();
        let value = values.next().ok_or(ReceiveError::Absent)?;
        if values.next().is_some() {
            return Err(ReceiveError::Ambiguous);
        }
        let now = self.clock.current_time().ok_or(ReceiveError::NoTime)?;
        let ear = self.verify(value, now)?;
        let tokens = tokens(headers, &ear)?;
        let result = ForwardedResult::new(ear, tokens)?;
        self.accepted.check(&result)?;
        // Last: what is refused is not used up.
        self.use_up(result.ear())?;
        Ok(result)
    }

    /// Tells the log that a request is refused for this error, as the extractor of `atls-axum` does: at `debug` where it has no statement, as that of
    /// any client without attestation, at `info` where its client proves less than is accepted, and at `warn` otherwise. The first 8 of a minute
    /// have these levels, and those that follow `debug`: whoever asks often cannot fill the log.
    pub fn trace_refusal(&self, error: &ReceiveError) {
        let reason = atls_core::report(error).to_string();
        let (code, fault) = (error.problem().code(), error.fault());
        macro_rules! event {
            ($is_new:expr, $level:ident) => {
                told::event!($is_new, $level, side = "server", %fault, "error.type" = code, %reason, "{REFUSED}")
            };
        }
        match error {
            ReceiveError::Absent => event!(false, debug),
            ReceiveError::Insufficient(_) => event!(self.told.is_new(), info),
            _ => event!(self.told.is_new(), warn),
        }
    }

    fn verify(&self, value: &HeaderValue, now: UnixTime) -> Result<Ear, EarError> {
        if value.len() > MAX_VALUE {
            return Err(EarError::TooLarge);
        }
        let text = value.to_str().map_err(|_| EarError::Malformed)?;
        let check = Check::new(now, self.max_age, ExpectedNonce::DangerousOfAnySession)
            .with_issuer(&self.issuer)
            .with_audience(&self.audience);
        if text.contains('.') {
            return jwt::decode(text, &self.keys, &self.supported, &check);
        }
        let token = BASE64_URL_SAFE_NO_PAD.decode(text);
        let token = token.map_err(|_| EarError::Malformed)?;
        cwt::decode(&token, &self.keys, &self.supported, &check)
    }

    fn use_up(&self, ear: &Ear) -> Result<(), ReceiveError> {
        let Some((capacity, used)) = &self.used else {
            return Ok(());
        };
        let nonce = ear.nonce().ok_or(EarError::Nonce)?;
        // Its age counts from `iat`, which may be ahead by the skew of the clocks.
        let good = self.max_age.saturating_add(CLOCK_SKEW);
        let good = good.saturating_add(Duration::from_secs(1));
        let mut used = used.lock().unwrap_or_else(PoisonError::into_inner);
        used.remember(nonce, ear.issued_at().as_secs(), good, *capacity)
    }

    /// The greatest age of a statement by default.
    pub const DEFAULT_MAX_AGE: Duration = Duration::from_secs(60);
}

impl Accepted {
    fn check(self, result: &ForwardedResult) -> Result<(), ReceiveError> {
        let (status, binding) = (result.status(), result.binding());
        let short = if status > self.worst {
            Shortfall::Status {
                seen: status,
                worst: self.worst,
            }
        } else if binding < self.weakest {
            Shortfall::Binding {
                seen: binding,
                least: self.weakest,
            }
        } else if !result.is_of_devices() && self.simulated == Simulated::Refused {
            Shortfall::Simulated
        } else {
            return Ok(());
        };
        Err(ReceiveError::Insufficient(short))
    }
}

/// The results of verifiers beside the statement, each of which the statement must name.
fn tokens(headers: &HeaderMap, ear: &Ear) -> Result<Vec<Vec<u8>>, ReceiveError> {
    let values = headers.get_all(VERIFIER_HEADER).into_iter();
    let mut tokens = Vec::new();
    for value in values {
        let token = token(value).filter(|_| tokens.len() < MAX_CMW_ITEMS);
        let token = token.ok_or(ReceiveError::OtherToken)?;
        let named = serde_json::Value::from(digest(&token));
        let mut parts = ear.submods();
        if !parts.any(|(_, part)| part.extension(TOKEN_SHA256) == Some(&named)) {
            return Err(ReceiveError::OtherToken);
        }
        tokens.push(token);
    }
    Ok(tokens)
}

fn token(value: &HeaderValue) -> Option<Vec<u8>> {
    let text = value.to_str().ok().filter(|text| text.len() <= MAX_VALUE)?;
    if text.contains('.') {
        return Some(text.as_bytes().to_vec());
    }
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

const REFUSED: &str = "forwarded attestation is refused";

impl fmt::Debug for ResultReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultReceiver")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("max_age", &self.max_age)
            .field("accepted", &self.accepted)
            .field("once", &self.used.as_ref().map(|(capacity, _)| capacity))
            .finish_non_exhaustive()
    }
}
