//! The messages of enrolment, by which an attestation key becomes a trusted one.
//!
//! ```text
//! request    = { "ak": bstr, "ek-certificate": bstr }
//! credential = { "credential": bstr, "secret": bstr }
//! ```
//!
//! The answer to a credential is the secret in it, as it is.

use std::fmt;

use atls_core::bounded::CborLimits;
use ciborium::Value;

use super::error::TpmFormatError;

/// The message of a machine that wants to be enrolled.
#[derive(Clone, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "the fields of the format; any other is refused"
)]
pub struct EnrolmentRequest {
    /// `TPMT_PUBLIC` of the attestation key.
    pub ak: Vec<u8>,
    /// X.509 certificate of the endorsement key, in DER.
    pub ek_certificate: Vec<u8>,
}

/// The verifier's answer: a secret that one TPM alone decrypts.
#[derive(Clone, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "the fields of the format; any other is refused"
)]
pub struct Credential {
    /// The content of a `TPM2B_ID_OBJECT`.
    pub credential: Vec<u8>,
    /// The content of a `TPM2B_ENCRYPTED_SECRET`.
    pub secret: Vec<u8>,
}

impl EnrolmentRequest {
    /// Reads a request: each field once, and no other.
    ///
    /// # Errors
    /// [`TpmFormatError::Enrolment`]
    pub fn decode(bytes: &[u8]) -> Result<Self, TpmFormatError> {
        let [ak, ek_certificate] = read(bytes, REQUEST).ok_or(TpmFormatError::Enrolment)?;
        Ok(Self { ak, ek_certificate })
    }

    /// Writes a request in CBOR.
    ///
    /// # Errors
    /// [`TpmFormatError::Enrolment`]: never, as writing to memory does not fail.
    pub fn encode(&self) -> Result<Vec<u8>, TpmFormatError> {
        write(REQUEST, [&self.ak, &self.ek_certificate])
    }
}

impl Credential {
    /// Reads a credential: each field once, and no other.
    ///
    /// # Errors
    /// [`TpmFormatError::Enrolment`]
    pub fn decode(bytes: &[u8]) -> Result<Self, TpmFormatError> {
        let [credential, secret] = read(bytes, CREDENTIAL).ok_or(TpmFormatError::Enrolment)?;
        Ok(Self { credential, secret })
    }

    /// Writes a credential in CBOR.
    ///
    /// # Errors
    /// [`TpmFormatError::Enrolment`]: never, as writing to memory does not fail.
    pub fn encode(&self) -> Result<Vec<u8>, TpmFormatError> {
        write(CREDENTIAL, [&self.credential, &self.secret])
    }
}

/// A certificate identifies a device.
impl fmt::Debug for EnrolmentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolmentRequest(..)")
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// The values of a map with these two names, in their order.
fn read(bytes: &[u8], [first, second]: [&str; 2]) -> Option<[Vec<u8>; 2]> {
    if bytes.len() > MAX_MESSAGE {
        return None;
    }
    let Ok(Value::Map(fields)) = LIMITS.read(bytes) else {
        return None;
    };
    let (mut one, mut other) = (None, None);
    for (name, value) in fields {
        let field = match name.as_text()? {
            name if name == first => &mut one,
            name if name == second => &mut other,
            _ => return None,
        };
        if field.replace(value.into_bytes().ok()?).is_some() {
            return None;
        }
    }
    Some([one?, other?])
}

fn write(names: [&str; 2], values: [&Vec<u8>; 2]) -> Result<Vec<u8>, TpmFormatError> {
    let fields = names.into_iter().zip(values);
    let fields = fields.map(|(name, value)| (name.into(), value.clone().into()));
    let mut bytes = Vec::new();
    ciborium::into_writer(&Value::Map(fields.collect()), &mut bytes)
        .map_err(|_| TpmFormatError::Enrolment)?;
    Ok(bytes)
}

const REQUEST: [&str; 2] = ["ak", "ek-certificate"];
const CREDENTIAL: [&str; 2] = ["credential", "secret"];

/// Bytes: a certificate has some 1,500, and no field more than 4,096.
const MAX_MESSAGE: usize = 8_192;

/// A map and its values: five items, and more if strings come in chunks.
const LIMITS: CborLimits = CborLimits {
    items: 16,
    nesting: 3,
};

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn request() -> EnrolmentRequest {
        EnrolmentRequest {
            ak: vec![1; 88],
            ek_certificate: vec![2; 1_000],
        }
    }

    #[test]
    fn every_truncation_and_anything_behind_is_refused() {
        let bytes = request().encode().unwrap();
        assert_eq!(EnrolmentRequest::decode(&bytes), Ok(request()));
        for length in 0..bytes.len() {
            assert!(
                EnrolmentRequest::decode(&bytes[..length]).is_err(),
                "{length}"
            );
        }
        assert!(EnrolmentRequest::decode(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn fields_are_those_of_the_message_each_once() {
        let bytes = request().encode().unwrap();
        assert!(Credential::decode(&bytes).is_err(), "another message");
        let map = |fields: &[(&str, Value)]| {
            let fields = fields.iter();
            let fields = fields.map(|(name, value)| ((*name).into(), value.clone()));
            let mut bytes = Vec::new();
            ciborium::into_writer(&Value::Map(fields.collect()), &mut bytes).unwrap();
            Credential::decode(&bytes)
        };
        let field = |name| (name, Value::Bytes(vec![1]));
        let (credential, secret) = (field("credential"), field("secret"));
        assert!(map(&[credential.clone(), secret.clone()]).is_ok());
        assert!(map(std::slice::from_ref(&credential)).is_err());
        assert!(map(&[credential.clone(), secret.clone(), field("more")]).is_err());
        assert!(map(&[credential.clone(), secret.clone(), secret]).is_err());
        assert!(map(&[credential, ("secret", "text".into())]).is_err());
    }

    #[test]
    fn a_message_is_bounded() {
        let large = EnrolmentRequest {
            ek_certificate: vec![0; MAX_MESSAGE],
            ..request()
        };
        assert!(EnrolmentRequest::decode(&large.encode().unwrap()).is_err());
        let deep = [&[0xa1, 0x62][..], b"ak", &[0x81; 8_000]].concat();
        assert!(EnrolmentRequest::decode(&deep).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(credential in vec(any::<u8>(), 0..100), secret in vec(any::<u8>(), 0..300)) {
            let message = Credential { credential, secret };
            prop_assert_eq!(Credential::decode(&message.encode().unwrap()), Ok(message));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
            let _ = EnrolmentRequest::decode(&bytes);
            let _ = Credential::decode(&bytes);
        }
    }
}
