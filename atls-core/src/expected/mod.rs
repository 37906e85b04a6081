//! The value that a platform expects in Evidence.
//!
//! A [`Bound`] goes in, and the bytes for the platform's field come out. The verifier compares those with the signed Evidence and
//! gets a [`BoundMatch`], or [`AppraisalError::NotBound`].

mod bound_match;

use std::fmt;

use sha2::Digest;
use sha2::Sha256;
use sha2::Sha512;
use subtle::ConstantTimeEq;

pub use bound_match::BoundMatch;

use crate::bound::Bound;
use crate::error::AppraisalError;

/// The bytes that Evidence must carry for one [`Bound`], in the form that a platform gives it.
///
/// No constructor takes bytes. A platform chooses the derivation that its field has room for, and both its attester and its
/// verifier use it.
///
/// | the platform's field | derivation |
/// |---|---|
/// | a nonce that takes 32 and 48 bytes | [`Bound::verbatim`] |
/// | 32 bytes | [`Bound::sha256`] |
/// | 64 bytes | [`Bound::sha512`] |
/// | 64 bytes of report data that a certificate may fix | [`Evidence::expected_report_data`](crate::Evidence::expected_report_data) |
///
/// The attester puts [`bytes`](Self::bytes) into its Evidence. The verifier passes the bytes that the signed Evidence carries to
/// [`compare`](Self::compare).
#[derive(Clone)]
pub struct ExpectedValue<T = Vec<u8>> {
    bytes: T,
    bound: Bound,
}

impl<T: AsRef<[u8]>> ExpectedValue<T> {
    /// `bytes` must follow from `bound`, or from a certificate that names the same key.
    pub(crate) fn new(bytes: T, bound: &Bound) -> Self {
        Self {
            bytes,
            bound: bound.clone(),
        }
    }

    /// The bytes themselves, for an attester, or for a service that compares them too.
    pub fn bytes(&self) -> &T {
        &self.bytes
    }

    /// Compares with the bytes that the Evidence carries: all of them, of equal length, in constant time.
    ///
    /// `carried` must come from the part of the Evidence that its signature covers. Where a service appraises, it comes from the
    /// Evidence itself or from a signed claim about the Evidence. A nonce that the service echoes is no such claim.
    ///
    /// **No type enforces that.** An attester and a service need [`bytes`](Self::bytes), and bytes out of Evidence look no
    /// different: a verifier that compares the expectation with itself compiles, and accepts every replay. A test of each
    /// verifier has to give it Evidence of another connection, and to expect [`AppraisalError::NotBound`].
    ///
    /// # Errors
    /// [`AppraisalError::NotBound`] where they differ.
    pub fn compare(&self, carried: &[u8]) -> Result<BoundMatch, AppraisalError> {
        if bool::from(self.bytes.as_ref().ct_eq(carried)) {
            Ok(BoundMatch::new(&self.bound))
        } else {
            Err(AppraisalError::NotBound)
        }
    }
}

impl<const N: usize> From<ExpectedValue<[u8; N]>> for ExpectedValue {
    fn from(value: ExpectedValue<[u8; N]>) -> Self {
        Self {
            bytes: value.bytes.to_vec(),
            bound: value.bound,
        }
    }
}

impl<T> fmt::Debug for ExpectedValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpectedValue")
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}

/// The forms in which Evidence carries the value.
impl Bound {
    /// The value as it is, 32 or 48 bytes.
    pub fn verbatim(&self) -> ExpectedValue {
        ExpectedValue::new(self.as_bytes().to_vec(), self)
    }

    /// The SHA-256 of the value, 32 bytes.
    pub fn sha256(&self) -> ExpectedValue<[u8; 32]> {
        ExpectedValue::new(Sha256::digest(self.as_bytes()).into(), self)
    }

    /// The SHA-512 of the value, 64 bytes.
    pub fn sha512(&self) -> ExpectedValue<[u8; 64]> {
        ExpectedValue::new(Sha512::digest(self.as_bytes()).into(), self)
    }

    /// 64 bytes of report data: those that the certificate fixes, or else the SHA-512 of the value.
    pub(crate) fn report_data(&self, fixed: Option<&[u8; 64]>) -> ExpectedValue<[u8; 64]> {
        match fixed {
            Some(fixed) => ExpectedValue::new(*fixed, self),
            None => self.sha512(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_value_matches() {
        let bound = Bound::of_key(b"key");
        for expected in [
            bound.verbatim(),
            bound.sha256().into(),
            bound.sha512().into(),
        ] {
            let whole = expected.bytes().clone();
            assert!(expected.compare(&whole).unwrap().is_of(&bound));
            for length in 0..whole.len() {
                let cut = expected.compare(&whole[..length]).map(drop);
                assert_eq!(cut, Err(AppraisalError::NotBound), "{length}");
            }
            for padding in [&[0][..], &[0; 64]] {
                let padded = expected.compare(&[&whole, padding].concat()).map(drop);
                assert_eq!(padded, Err(AppraisalError::NotBound));
            }
            for bit in 0..whole.len() * 8 {
                let mut flipped = whole.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let flipped = expected.compare(&flipped).map(drop);
                assert_eq!(flipped, Err(AppraisalError::NotBound), "{bit}");
            }
        }
    }

    #[test]
    fn a_value_in_one_form_does_not_match_in_another() {
        let bound = Bound::of_key(b"key");
        let forms: [ExpectedValue; 3] = [
            bound.verbatim(),
            bound.sha256().into(),
            bound.sha512().into(),
        ];
        for (one, expected) in forms.iter().enumerate() {
            for (other, carried) in forms.iter().enumerate() {
                let matches = expected.compare(carried.bytes()).is_ok();
                assert_eq!(matches, one == other, "{one} {other}");
            }
        }
    }

    #[test]
    fn report_data_that_the_carriage_fixes_replaces_the_digest() {
        let bound = Bound::of_key(b"key");
        let fixed = [7; 64];
        let expected = bound.report_data(Some(&fixed));
        assert!(expected.compare(&fixed).unwrap().is_of(&bound));
        assert!(expected.compare(bound.sha512().bytes()).is_err());
        let usual = bound.report_data(None);
        assert!(usual.compare(bound.sha512().bytes()).is_ok());
    }

    #[test]
    fn a_match_is_about_one_value() {
        let (one, other) = (Bound::of_key(b"one"), Bound::of_key(b"other"));
        let matched = one.verbatim().compare(one.as_bytes()).unwrap();
        assert!(matched.is_of(&one) && matched.duplicate().is_of(&one));
        assert!(!matched.is_of(&other));
    }
}
