//! Reference Values as a CoRIM (draft-ietf-rats-corim): what makers of firmware publish.
//!
//! ```no_run
//! # use atls_core::ear::VerificationKeys;
//! # use atls_core::pki_types::UnixTime;
//! # use atls_reference::{Live, Table, corim};
//! # fn example<T: Table>(
//! #     bytes: &[u8],
//! #     jwk: &str,
//! #     provider: &rustls::crypto::CryptoProvider,
//! #     now: UnixTime,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let keys = VerificationKeys::from_jwk(jwk)?;
//! let corim = corim::signed(bytes, &keys, &provider.signature_verification_algorithms, now)?;
//! let policy = Live::<T>::fixed(corim.table()?)?;
//! # Ok(())
//! # }
//! ```
//!
//! Read are the reference triples of CoMIDs; each platform makes its own table of them, where it can
//! ([`Table::from_corim`], [`Table::add_corim`]). All other triples and tags only ever add to what is accepted:
//! they are left out, and [`Corim::left_out`] names them. What could make a reference value accept *less* than it looks,
//! and is not understood here, is an error or stands in [`Measurement::further`], never lost.

mod measurement;
mod place;
mod read;
mod sign;
mod triples;
mod types;

use atls_core::ear::VerificationKeys;
use atls_core::pki_types::UnixTime;
use rustls::crypto::WebPkiSupportedAlgorithms;

pub use place::Place;
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

use crate::error::ReferenceError;
use crate::file;
use crate::file::Table;

/// Reads an unsigned CoRIM (tag 501), within its `rim-validity`. It is worth what the way is worth on which it came: keep
/// it as you keep your own files.
///
/// # Errors
/// [`CorimError`]; [`CorimError::Signed`] for a signed one, whose signature must not be passed over.
pub fn unsigned(bytes: &[u8], now: UnixTime) -> Result<Corim, CorimError> {
    within_limit(bytes)?;
    let document = read::validate(bytes, now)?;
    if document.envelope().is_some() {
        return Err(CorimError::Signed);
    }
    read::read(&document)
}

/// Reads a signed CoRIM (COSE_Sign1, tag 18, payload attached), within its own validity and that of its signature.
///
/// The signature must verify under one of `keys`, which come from your configuration: certificates and key identifiers in
/// the document choose among them at most. `supported` is the `signature_verification_algorithms` of your
/// `CryptoProvider`.
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

/// What a CoRIM says of reference values.
#[derive(Clone, Debug, PartialEq)]
pub struct Corim {
    id: String,
    profile: Option<String>,
    expires_at: Option<UnixTime>,
    references: Vec<Reference>,
    left_out: Vec<String>,
}

impl Corim {
    /// Its identifier: text, or a UUID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Which profile it is written to: a URI, or `oid:` and hexadecimal. A profile defines the measured elements, and may
    /// change what fields mean, so a platform makes a table only of those that it knows.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The earliest end of its validity and that of its signature, where it has one. It was looked at when it was read; what
    /// was made of it does not end by itself. Replace it in time.
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.expires_at
    }

    /// Its reference triples, at least one, in their order.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// What else it holds and nobody reads, for a log.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// One platform's table, as that makes it.
    ///
    /// # Errors
    /// [`ReferenceError::Meaning`] in the platform's words.
    pub fn table<T: Table>(&self) -> Result<T, ReferenceError> {
        match T::from_corim(self) {
            Ok(table) => file::checked(table),
            Err(problem) => Err(ReferenceError::meaning(T::NAME, problem.into(), (0, 0))),
        }
    }

    /// This table, with the reference values of the CoRIM added: for policies that say more than a CoRIM can, such as which
    /// firmware is new enough.
    ///
    /// # Errors
    /// [`ReferenceError::Meaning`] in the platform's words.
    pub fn added_to<T: Table>(&self, mut table: T) -> Result<T, ReferenceError> {
        match table.add_corim(self) {
            Ok(()) => file::checked(table),
            Err(problem) => Err(ReferenceError::meaning(T::NAME, problem.into(), (0, 0))),
        }
    }
}

/// A CoRIM cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CorimError {
    /// Signed by an algorithm that is not allowed here, or with a critical header that nobody knows.
    #[error(
        "CoRIM is signed by an algorithm that is not allowed, or has an unknown critical header"
    )]
    Algorithm,
    /// The signature does not verify under the pinned key.
    #[error("signature of the CoRIM does not verify under the pinned key")]
    BadSignature,
    /// Its validity, or that of its signature, has ended.
    #[error("CoRIM, or its signature, has expired; get a newer one")]
    Expired,
    /// Not CBOR, not a CoRIM, or not consistent.
    #[error("CoRIM is malformed{}: {problem}", place::of(.place.as_ref()))]
    Malformed {
        /// Where, if that is known.
        place: Option<Place>,
        /// What is wrong, control characters escaped.
        problem: String,
    },
    /// It holds no reference triple: a policy made of it would accept nobody.
    #[error("CoRIM holds no reference values; a policy of it would accept nobody")]
    NoReferences,
    /// Its validity, or that of its signature, has not begun.
    #[error("CoRIM, or its signature, is not valid yet; compare the clocks")]
    NotYetValid,
    /// It is signed. Pin its signer's key and read it by [`signed`].
    #[error("CoRIM is signed; pin its signer's key and read it with `corim::signed`")]
    Signed,
    /// Larger, deeper or of more parts than [`MAX_CORIM`] and its like.
    #[error("CoRIM is larger than 1 MiB, or has more parts or deeper nesting than is read")]
    TooLarge,
    /// No pinned key fits its algorithm and key identifier.
    #[error("CoRIM is signed by a key that is not pinned")]
    UnknownKey,
    /// It is not signed, and was to be.
    #[error("CoRIM is not signed; `corim::unsigned` reads it where its way here is trusted")]
    Unsigned,
    /// Something that narrows what it accepts and is not understood here. To leave it out would accept more.
    #[error("CoRIM narrows by what is not supported, {place}: {what}")]
    Unsupported {
        /// Where.
        place: Place,
        /// What.
        what: String,
    },
}

fn within_limit(bytes: &[u8]) -> Result<(), CorimError> {
    if bytes.len() > MAX_CORIM {
        return Err(CorimError::TooLarge);
    }
    Ok(())
}

/// Largest CoRIM, in bytes. Nesting is bounded to 24, values to 100 000, and each list to 10 000.
pub const MAX_CORIM: usize = 1024 * 1024;
