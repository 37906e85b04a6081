//! TPMs that are certified, and who enrols them.

use std::io;
use std::time::Duration;

use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::UnixTime;
use atls_core::pki_types::pem::PemObject;
use atls_tpm::Enroller;
use atls_tpm::EnrolmentRequest;
use atls_tpm::TpmAttester;
use atls_tpm::testing::SwtpmProcess;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

pub(crate) fn certified() -> Option<SwtpmProcess> {
    started(SwtpmProcess::certified())
}

pub(crate) fn attester(tpm: &SwtpmProcess) -> TpmAttester {
    TpmAttester::over(tpm.device()).unwrap()
}

pub(crate) fn enroller(tpm: &SwtpmProcess) -> Enroller {
    let [root, issuer] = issuers(tpm);
    let provider = rustls::crypto::ring::default_provider();
    Enroller::new([root], &provider).with_intermediates([issuer])
}

pub(crate) fn issuers(tpm: &SwtpmProcess) -> [CertificateDer<'static>; 2] {
    let der = |pem: Vec<u8>| CertificateDer::from_pem_slice(&pem).unwrap();
    tpm.issuers().unwrap().map(der)
}

/// Within the years that `rcgen` gives a certificate.
pub(crate) fn later() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000))
}

/// A minute after its authority made the certificate.
pub(crate) fn now(request: &EnrolmentRequest) -> UnixTime {
    let (_, certificate) = X509Certificate::from_der(&request.ek_certificate).unwrap();
    let made = certificate.validity().not_before.timestamp();
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(made).unwrap() + 60))
}

pub(crate) fn started(tpm: io::Result<SwtpmProcess>) -> Option<SwtpmProcess> {
    match tpm {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let required = std::env::var_os("ATLS_REQUIRE_SWTPM").is_some();
            assert!(!required, "no swtpm on this machine");
            println!("SKIPPED: no swtpm on this machine");
            None
        }
        tpm => Some(tpm.unwrap()),
    }
}
