//! The source of an issuer's keys.

use pki_types::UnixTime;

use super::EarError;
use super::VerificationKeys;
use crate::box_future::BoxFuture;

/// Gives the keys of one issuer. They are pinned, or fetched from a place that the configuration names. They **never** come from
/// the `jku`, `jwk` or `x5c` of a token.
///
/// [`VerificationKeys`] are a source that never changes.
pub trait KeySource: Send + Sync {
    /// The keys to try first.
    ///
    /// # Errors
    /// [`EarError::NoKeys`] where there are none at the moment. No result of this issuer can be accepted then.
    fn keys(&self, now: UnixTime) -> BoxFuture<'_, Result<VerificationKeys, EarError>>;

    /// Newer keys, if there may be any. It is asked after none of the first keys verified a result. A forged token leads here too,
    /// so an implementation must bound the number of its look-ups.
    fn newer_keys(&self, now: UnixTime) -> BoxFuture<'_, Option<VerificationKeys>> {
        let _ = now;
        Box::pin(std::future::ready(None))
    }

    /// A number that rises whenever a key is withdrawn, for the [`generation`](crate::Verifier::generation) of a verifier with
    /// these keys. A source that withdraws none keeps the default.
    fn generation(&self) -> u64 {
        0
    }
}

impl KeySource for VerificationKeys {
    fn keys(&self, _now: UnixTime) -> BoxFuture<'_, Result<VerificationKeys, EarError>> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }
}

/// Verifies with the source's keys, and once more with newer keys if none of the first verified the signature.
///
/// # Errors
/// Those of `verify`, and [`EarError::NoKeys`].
pub async fn verify_with<T>(
    source: &dyn KeySource,
    now: UnixTime,
    verify: impl Fn(&VerificationKeys) -> Result<T, EarError>,
) -> Result<T, EarError> {
    let keys = source.keys(now).await?;
    match verify(&keys) {
        Err(unknown @ (EarError::UnknownKey | EarError::BadSignature)) => {
            match source.newer_keys(now).await {
                Some(newer) => verify(&newer),
                None => Err(unknown),
            }
        }
        decided => decided,
    }
}
