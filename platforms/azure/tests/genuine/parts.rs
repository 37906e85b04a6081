//! What both kinds of samples have.

use atls_formats::azure::HclReport;
use atls_formats::tpm::Attributes;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;
use atls_formats::tpm::Scheme;
use atls_formats::tpm::TpmEvidence;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

/// The processor's report and the runtime data.
pub(crate) fn parts(report: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let report = HclReport::decode(report).unwrap();
    (
        report.hardware().bytes().to_vec(),
        report.runtime_data().to_vec(),
    )
}

/// The samples have no public area of the key. It is the one that the quotes name as their signer.
pub(crate) fn evidence(
    signature: &[u8],
    attest: Vec<u8>,
    pcrs: Vec<u8>,
    runtime_data: &[u8],
) -> TpmEvidence {
    let data: Value = serde_json::from_slice(runtime_data).unwrap();
    let modulus = data["keys"][0]["n"].as_str().unwrap();
    let public = Public {
        name_algorithm: HashAlgorithm::Sha256,
        attributes: Attributes(0x0005_0472),
        auth_policy: Vec::new(),
        aes_bits: None,
        scheme: Some(Scheme::RsaSsa(HashAlgorithm::Sha256)),
        key: PublicKey::Rsa {
            bits: 2048,
            exponent: 0,
            modulus: BASE64_URL_SAFE_NO_PAD.decode(modulus).unwrap(),
        },
    };
    // Of a TPMT_SIGNATURE, what follows algorithm, hash and length.
    let length = u16::try_from(signature.len()).unwrap().to_be_bytes();
    TpmEvidence {
        ak: public.encode().unwrap(),
        attest,
        pcrs,
        signature: [&[0, 0x14, 0, 0x0b][..], &length, signature].concat(),
        ..TpmEvidence::default()
    }
}

pub(crate) fn base64(text: &str) -> Vec<u8> {
    let padded = BASE64_URL_SAFE.decode(text);
    padded
        .or_else(|_| BASE64_URL_SAFE_NO_PAD.decode(text))
        .unwrap()
}
