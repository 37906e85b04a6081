//! The DER around a CMW, and the size of the certificate around that.

use atls_core::ProtocolError;
use atls_core::cmw::Cmw;
use atls_core::exchange::Credential;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::certificate;
use atls_core::limits::MAX_CERTIFICATE;

use crate::support::Key;
use crate::support::certificate;
use crate::support::cmw_extension;
use crate::support::handshake;
use crate::support::key;
use crate::support::media_type;

#[test]
fn a_message_of_every_length_is_read_as_written() {
    let key = key();
    for length in [100, 127, 128, 255, 256, 60_000] {
        let cmw = (length - 40..length)
            .map(|size| Cmw::evidence(media_type(), vec![0; size]))
            .find(|cmw| cmw.encode().is_ok_and(|bytes| bytes.len() == length))
            .unwrap();
        let extension = certificate::cmw_extension(&cmw).unwrap();
        let leaf = certificate(&key, &[(certificate::ID_PE_CMW, extension)]);
        let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
        assert_eq!(credential.cmw(), &cmw, "{length}");
    }
}

#[test]
fn json_is_read_from_a_text_string_alone() {
    let key = key();
    let cmw = Cmw::evidence(media_type(), b"evidence".to_vec());
    let read = |tag: u8, message: &[u8]| {
        let length = u8::try_from(message.len()).unwrap();
        let value = [&[tag, length], message].concat();
        let leaf = certificate(&key, &[(certificate::ID_PE_CMW, value)]);
        Credential::in_certificate(&handshake(&leaf)).map(|credential| credential.cmw().clone())
    };
    let (json, cbor) = (cmw.to_json().unwrap(), cmw.encode().unwrap());
    assert_eq!(read(UTF8_STRING, &json).unwrap(), cmw);
    assert_eq!(read(OCTET_STRING, &cbor).unwrap(), cmw);
    for (tag, message) in [(OCTET_STRING, json), (UTF8_STRING, cbor)] {
        assert_eq!(read(tag, &message).unwrap_err(), ProtocolError::Malformed);
    }
}

#[test]
fn a_length_that_is_not_of_the_shortest_form_is_refused() {
    let key = key();
    let bytes = Cmw::evidence(media_type(), vec![0; 80]).encode().unwrap();
    let length = u8::try_from(bytes.len()).unwrap();
    assert!(length < 0x80);
    for head in [
        vec![OCTET_STRING, 0x81, length],
        vec![OCTET_STRING, 0x82, 0, length],
        vec![OCTET_STRING, 0x83, 0, 0, length],
    ] {
        let value = [head, bytes.clone()].concat();
        let leaf = certificate(&key, &[(certificate::ID_PE_CMW, value)]);
        let refused = Credential::in_certificate(&handshake(&leaf)).unwrap_err();
        assert_eq!(refused, ProtocolError::Malformed);
    }
}

#[test]
fn the_largest_certificate_is_read_and_a_larger_one_is_not() {
    let key = Key::ed25519();
    let request = OwnedAttestRequest::for_key(&*key.signing).unwrap();
    let of_size = |padding| {
        let padding = (PRIVATE, vec![0; padding]);
        certificate(&key, &[cmw_extension(&request), padding])
    };
    let padding = MAX_CERTIFICATE - (of_size(60_000).len() - 60_000);
    let largest = of_size(padding);
    assert_eq!(largest.len(), MAX_CERTIFICATE);
    assert!(Credential::in_certificate(&handshake(&largest)).is_ok());
    let larger = Credential::in_certificate(&handshake(&of_size(padding + 1)));
    assert_eq!(larger.unwrap_err(), ProtocolError::Malformed);
}

const UTF8_STRING: u8 = 0x0c;
const OCTET_STRING: u8 = 0x04;
const PRIVATE: &[u64] = &[1, 3, 6, 1, 4, 1, 32473, 1];
