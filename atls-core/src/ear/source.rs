//! Where the keys of an issuer come from.

use pki_types::UnixTime;

use super::EarError;
use super::VerificationKeys;
use crate::box_future::BoxFuture;

/// The keys of one issuer: pinned, or fetched from a place that the configuration names. **Never** from a token's own
/// `jku`, `jwk` or `x5c`.
///
/// [`VerificationKeys`] are a source themselves, which never changes.
pub trait KeySource: Send + Sync {
    /// The keys to try first.
    ///
    /// # Errors
    /// [`EarError::NoKeys`] where there are none at the moment: no result of this issuer can be accepted.
    fn keys(&self, now: UnixTime) -> BoxFuture<'_, Result<VerificationKeys, EarError>>;

    /// Asked after a result was signed by none of those: keys that are newer, if there may be any. A token of an
    /// attacker leads here too, so an implementation must bound how often it looks.
    fn newer_keys(&self, now: UnixTime) -> BoxFuture<'_, Option<VerificationKeys>> {
        let _ = now;
        Box::pin(std::future::ready(None))
    }
}

impl KeySource for VerificationKeys {
    fn keys(&self, _now: UnixTime) -> BoxFuture<'_, Result<VerificationKeys, EarError>> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }
}

/// Verifies with the source's keys, and once more with newer ones where the signature was of none of the first.
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
