//! The attester half: the value of a connection and the leaf key go in, and a document of the Nitro Security Module comes out.

use std::fmt;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_formats::nitro;
use atls_formats::nitro::MAX_PUBLIC_KEY;
use ciborium::Value;
use coset::CborSerializable;

use crate::device::NsmDevice;

/// Makes attestation documents, inside an enclave.
///
/// A document carries the value of the connection as `nonce` and the leaf key as `public_key`, and no `user_data`.
///
/// The device takes some milliseconds and one request at a time. `atls_tower::Blocking` gives it a thread of its own.
pub struct NitroAttester {
    device: Box<dyn NsmDevice>,
    media_types: [MediaType; 1],
}

impl NitroAttester {
    /// The enclave of this process, by its `/dev/nsm`; `None` on a machine without that device.
    ///
    /// # Errors
    /// [`AttestError::Device`] where the device exists and cannot be opened, for example by lack of rights.
    pub fn open() -> Result<Option<Self>, AttestError> {
        #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
        if let Some(device) = crate::nsm::DevNsm::open()? {
            return Self::over(device).map(Some);
        }
        Ok(None)
    }

    /// Any security module, for example one that a test forges or another process passes on.
    ///
    /// # Errors
    /// None so far.
    pub fn over(device: impl NsmDevice + 'static) -> Result<Self, AttestError> {
        Ok(Self {
            device: Box::new(device),
            media_types: [crate::media_type().map_err(|_| failed("no media type"))?],
        })
    }
}

impl LocalAttester for NitroAttester {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        if request.leaf_key().len() > MAX_PUBLIC_KEY {
            return Err(failed(
                "leaf key is larger than the 1024 bytes of its field in a document",
            ));
        }
        let request =
            attestation_request(nitro::nonce(request.bound()).bytes(), request.leaf_key())?;
        let response = self.device.process(&request);
        let response = response.map_err(|error| AttestError::Device(error.to_string()))?;
        let [media_type] = &self.media_types;
        Ok(Cmw::evidence(media_type.clone(), document(&response)?))
    }
}

impl fmt::Debug for NitroAttester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NitroAttester").finish_non_exhaustive()
    }
}

/// `{"Attestation": {"user_data": null, "nonce": bytes, "public_key": bytes}}`
fn attestation_request(nonce: &[u8], public_key: &[u8]) -> Result<Vec<u8>, AttestError> {
    let arguments = vec![
        ("user_data".into(), Value::Null),
        ("nonce".into(), Value::Bytes(nonce.to_vec())),
        ("public_key".into(), Value::Bytes(public_key.to_vec())),
    ];
    let request = Value::Map(vec![("Attestation".into(), Value::Map(arguments))]);
    let request = request.to_vec();
    request.map_err(|_| failed("request does not encode"))
}

/// `{"Attestation": {"document": bytes}}`, or `{"Error": text}`
fn document(response: &[u8]) -> Result<Vec<u8>, AttestError> {
    let unreadable = || failed("response does not answer a request for attestation");
    let response = Value::from_slice(response).map_err(|_| unreadable())?;
    let (kind, content) = single(response).ok_or_else(unreadable)?;
    match (kind.as_str(), content) {
        ("Attestation", content) => match single(content) {
            Some((name, Value::Bytes(document))) if name == "document" => Ok(document),
            _ => Err(unreadable()),
        },
        ("Error", Value::Text(code)) => Err(AttestError::Device(format!(
            "security module says {}",
            code.escape_debug()
        ))),
        _ => Err(unreadable()),
    }
}

/// The entry of a map that has exactly one.
fn single(value: Value) -> Option<(String, Value)> {
    let mut entries = value.into_map().ok()?.into_iter();
    match (entries.next(), entries.next()) {
        (Some((Value::Text(name), value)), None) => Some((name, value)),
        _ => None,
    }
}

fn failed(what: &str) -> AttestError {
    AttestError::Device(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_what_the_security_module_understands() {
        let request = attestation_request(b"nonce", b"key").unwrap();
        let expected =
            b"\xa1\x6bAttestation\xa3\x69user_data\xf6\x65nonce\x45nonce\x6apublic_key\x43key";
        assert_eq!(request, expected);
    }

    #[test]
    fn a_document_is_taken_out_of_the_response() {
        let response = b"\xa1\x6bAttestation\xa1\x68document\x43doc";
        assert_eq!(document(response), Ok(b"doc".to_vec()));
    }

    #[test]
    fn an_error_of_the_security_module_is_passed_on_and_escaped() {
        let error = document(b"\xa1\x65Error\x6fInvalidArgument").unwrap_err();
        assert_eq!(error, failed("security module says InvalidArgument"));
        let error = document(b"\xa1\x65Error\x63\x1b[m").unwrap_err();
        assert_eq!(error, failed("security module says \\u{1b}[m"));
    }

    #[test]
    fn no_other_response_gives_a_document() {
        for response in [
            &b""[..],
            b"\xf6",
            b"\xa0",
            b"\x6bAttestation",
            b"\x69GetRandom",
            b"\xa1\x69GetRandom\xa1\x66random\x43doc",
            b"\xa1\x6bAttestation\xa1\x68document\x63doc",
            b"\xa1\x6bAttestation\xa1\x66random\x43doc",
            b"\xa1\x6bAttestation\xa2\x68document\x43doc\x68document\x43doc",
            b"\xa2\x6bAttestation\xa1\x68document\x43doc\x65Error\x61x",
            b"\xa1\x6bAttestation\x43doc",
            b"\xa1\x65Error\x43doc",
            b"\xa1\x6bAttestation\xa1\x68document\x43doc\x00",
        ] {
            let unreadable = failed("response does not answer a request for attestation");
            assert_eq!(document(response), Err(unreadable), "{response:?}");
        }
    }
}
