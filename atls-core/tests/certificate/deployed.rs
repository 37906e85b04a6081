//! Certificates as deployed peers write them.

use atls_core::ProtocolError;
use atls_core::exchange::Credential;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::pem::PemObject;
use test_support::vectors;

use crate::support::handshake;

#[test]
fn certificates_of_deployed_peers_parse_and_bind() {
    let Some(folder) = vectors() else { return };
    let folder = folder.join("ra-tls");
    for name in [
        "gramine-cert.pem",
        "intel-sgxsdk-cert.pem",
        "rats-tls-cert.pem",
    ] {
        let leaf = CertificateDer::from_pem_file(folder.join(name)).unwrap();
        let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
        let items = credential.cmw().items();
        let quote = items[0].value();
        // The report data field of an SGX quote.
        assert_eq!(
            Some(&quote[368..432]),
            credential.report_data().map(|data| &data[..]),
            "{name}"
        );
        assert_eq!(
            items[0].media_type().unwrap().to_string(),
            "application/vnd.atls.sgx-quote"
        );
        // A certificate whose key is another: the claims name the first.
        let mut forged = leaf.to_vec();
        let spki = find(&forged, &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]).or_else(|| {
            find(
                &forged,
                &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1],
            )
        });
        forged[spki.unwrap() + 60] ^= 1;
        let forged = CertificateDer::from(forged);
        let refused = Credential::in_certificate(&handshake(&forged)).unwrap_err();
        assert_eq!(refused, ProtocolError::KeyMismatch, "{name}");
        for length in 0..leaf.len() {
            let cut = CertificateDer::from(leaf[..length].to_vec());
            assert!(Credential::in_certificate(&handshake(&cut)).is_err());
        }
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
