//! Reference Values as a CoRIM (draft-ietf-rats-corim): what makers of firmware publish.
//!
//! ```no_run
//! # use atls_core::ear::VerificationKeys;
//! # use atls_core::pki_types::UnixTime;
//! # use atls_reference::{Live, Sourced, Table, corim};
//! # fn example<T: Table>(
//! #     bytes: &[u8],
//! #     jwk: &str,
//! #     provider: &rustls::crypto::CryptoProvider,
//! #     now: UnixTime,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let keys = VerificationKeys::from_jwk(jwk)?;
//! let corim = corim::signed(bytes, &keys, &provider.signature_verification_algorithms, now)?;
//! let policy = Live::<T>::of(Sourced::of_corim("firmware.corim", &corim)?);
//! # Ok(())
//! # }
//! ```
//!
//! Bytes go in, and the reference triples of the CoMIDs come out as a [`Corim`]; on failure there is a [`CorimError`]. Each
//! platform makes a table of them, where it can ([`Table::from_corim`](crate::Table::from_corim),
//! [`Table::add_corim`](crate::Table::add_corim)). Attest-key triples come out too, for tables of keys. All other triples and tags could only add accepted values: they are left
//! out, and [`Corim::left_out`] names them. A part that narrows a reference value and is not understood is an error or stands
//! in [`Measurement::further`]; none is lost.

mod document;
mod error;
mod measurement;
mod place;
mod problem;
mod read;
mod sign;
mod triples;
mod triples_by_name;
mod types;
mod value;

use atls_core::ear::VerificationKeys;
use atls_core::pki_types::UnixTime;
use rustls::crypto::WebPkiSupportedAlgorithms;

pub use document::Corim;
pub use error::CorimError;
pub use place::Place;
pub use problem::CorimProblem;
pub(crate) use triples_by_name::Triples;
pub use types::AttestKey;
pub use types::Digest;
pub use types::Environment;
pub use types::Field;
pub use types::HashAlgorithm;
pub use types::Id;
pub use types::MeasuredElement;
pub use types::Measurement;
pub use types::RawValue;
pub use types::Reference;
pub use types::RegisterId;
pub use types::Svn;
pub use types::Version;
pub use value::MAX_CORIM;

/// Reads an unsigned CoRIM (tag 501), within its `rim-validity`. Protect its way here as you protect your own files.
///
/// # Errors
/// [`CorimError`]; [`CorimError::Signed`] for a signed one, because its signature must not be passed over.
pub fn unsigned(bytes: &[u8], now: UnixTime) -> Result<Corim, CorimError> {
    within_limit(bytes)?;
    let document = read::validate(bytes, now)?;
    if document.envelope().is_some() {
        return Err(CorimError::Signed);
    }
    read::read(&document)
}

/// Reads a signed CoRIM (COSE_Sign1, tag 18, payload attached), within the validity of document and signature.
///
/// The signature must verify under one of `keys`, which come from your configuration: certificates and key identifiers in the
/// document at most choose among them. `supported` is the `signature_verification_algorithms` of your `CryptoProvider`.
///
/// # Errors
/// [`CorimError`]; [`CorimError::Unsigned`] for an unsigned one.
pub fn signed(
    bytes: &[u8],
    keys: &VerificationKeys,
    supported: &WebPkiSupportedAlgorithms,
    now: UnixTime,
) -> Result<Corim, CorimError> {
    within_limit(bytes)?;
    let document = read::validate(bytes, now)?;
    let envelope = document.envelope().ok_or(CorimError::Unsigned)?;
    sign::verify(envelope, keys, supported)?;
    read::read(&document)
}

fn within_limit(bytes: &[u8]) -> Result<(), CorimError> {
    if bytes.len() > MAX_CORIM {
        return Err(CorimError::TooLarge);
    }
    Ok(())
}
