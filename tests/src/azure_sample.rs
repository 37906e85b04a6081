//! Quotes of the virtual TPMs of genuine VMs.

use atls_formats::tpm::Attributes;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;
use atls_formats::tpm::Scheme;
use atls_formats::tpm::TpmEvidence;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

/// The samples have no public area of the key. It is the one that the quotes name as their signer.
pub fn quoted(
    signature: &[u8],
    attest: Vec<u8>,
    pcrs: Vec<u8>,
    runtime_data: &[u8],
) -> TpmEvidence {
    let data: Value = serde_json::from_slice(runtime_data).unwrap();
    let modulus = data.pointer("/keys/0/n").unwrap().as_str().unwrap();
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
