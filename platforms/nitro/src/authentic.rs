//! A document that the root vouches for: age, signature and chain, in the order of their cost.

use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::limits::CLOCK_SKEW;
use atls_core::pki_types::UnixTime;
use atls_formats::nitro::Document;
use atls_formats::nitro::SignedDocument;
use atls_reference::Digest;

use crate::chain;
use crate::claims;

/// A document that a root vouches for. It is about no connection yet.
#[derive(Debug)]
pub(crate) struct Authentic {
    pub(crate) document: Document,
    /// The end of the chain's validity.
    pub(crate) valid_until: UnixTime,
}

impl Authentic {
    /// Verifies the signature and the chain above it, at this time.
    pub(crate) fn verify(
        bytes: &[u8],
        root: &Digest<32>,
        max_age: Duration,
        now: UnixTime,
    ) -> Result<Self, AppraisalError> {
        let SignedDocument {
            document,
            signed,
            signature,
            ..
        } = SignedDocument::decode(bytes)?;
        let made_at = claims::seconds(document.timestamp_ms);
        if made_at.as_secs() > now.as_secs().saturating_add(CLOCK_SKEW.as_secs())
            || now.as_secs() > made_at.as_secs().saturating_add(max_age.as_secs())
        {
            return Err(AppraisalError::Expired);
        }
        // The signature is cheaper than the chain. It counts for nothing until the chain tells whose key this is.
        let leaf = &document.certificate;
        chain::verify_es384(leaf, &signed, &signature)?;
        // A certificate begins a few seconds before the first document that it signs. A clock that is behind by less than the
        // permitted skew would otherwise refuse every new enclave, and again every three hours.
        let at = now.max(made_at);
        let valid_until = chain::verify(leaf, &document.cabundle, root, at)?;
        Ok(Self {
            document,
            valid_until,
        })
    }
}
