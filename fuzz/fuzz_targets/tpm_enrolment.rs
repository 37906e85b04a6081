//! The messages of enrolment. A message that was read is written, and read again as the same; none is both.
#![no_main]

use atls_formats::tpm::Credential;
use atls_formats::tpm::EnrolmentRequest;
use atls_formats::tpm::Public;

atls_fuzz::target!(|bytes: &[u8]| {
    let request = EnrolmentRequest::decode(bytes);
    let credential = Credential::decode(bytes);
    assert!(request.is_err() || credential.is_err());
    if let Ok(request) = request {
        let again = EnrolmentRequest::decode(&request.encode().unwrap());
        assert_eq!(again.as_ref(), Ok(&request));
        let _ = Public::decode(&request.ak);
    }
    if let Ok(credential) = credential {
        let again = Credential::decode(&credential.encode().unwrap());
        assert_eq!(again, Ok(credential));
    }
});
