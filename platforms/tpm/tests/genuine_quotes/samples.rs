//! Quotes of TPMs, with the policy of their time.

use std::path::Path;
use std::sync::Arc;

use atls_core::AppraisalError;
use atls_formats::tpm::Attest;
use atls_formats::tpm::Attributes;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::PcrValues;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;
use atls_formats::tpm::Scheme;
use atls_formats::tpm::TpmEvidence;
use atls_reference::Live;
use atls_tpm::AttestationKey;
use atls_tpm::Measurement;
use atls_tpm::PcrIndex;
use atls_tpm::TpmImage;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::TrustedKey;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use test_support::ready;

use crate::support::at;

pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) evidence: TpmEvidence,
    /// The last quoted register that something was measured into.
    pub(crate) register: Option<(u8, Vec<u8>)>,
}

impl Sample {
    pub(crate) fn new(
        name: &str,
        ak: Vec<u8>,
        attest: Vec<u8>,
        signature: Vec<u8>,
        pcrs: Vec<u8>,
    ) -> Self {
        let selections = Attest::decode(&attest).unwrap().selections;
        let banks = PcrValues::split(&selections, &pcrs).unwrap();
        let mut registers = banks[0].values.iter().rev();
        let measured = |value: &[u8]| value.iter().any(|byte| ![0, 0xff].contains(byte));
        // PCR16 and PCR23, which software resets, are none to name.
        let register = registers.find(|(pcr, value)| **pcr < 16 && measured(value));
        Self {
            name: name.to_owned(),
            register: register.map(|(index, value)| (*index, value.clone())),
            evidence: TpmEvidence {
                ak,
                attest,
                pcrs,
                signature,
                ..TpmEvidence::default()
            },
        }
    }

    pub(crate) fn verifier(&self) -> TpmVerifier {
        let key = AttestationKey::decode(&self.evidence.ak).unwrap();
        let keys = TpmKeys::new(vec![TrustedKey::provided("sample", key)]);
        let other = (0, vec![1; 32]);
        let (index, value) = self.register.as_ref().unwrap_or(&other);
        let register = PcrIndex::new(*index).unwrap();
        let register = (register, Measurement::new(value).unwrap());
        let mut image = TpmImage::measured("sample", [register]);
        // Samples do not all have register 4.
        image.dangerous_any_boot_code = true;
        let policy = TpmPolicy::new(vec![image]);
        let provider = rustls::crypto::ring::default_provider();
        let (policy, keys) = (Live::fixed(policy).unwrap(), Live::fixed(keys).unwrap());
        TpmVerifier::new(Arc::new(policy), Arc::new(keys), &provider)
    }

    pub(crate) fn appraise(
        &self,
        evidence: &TpmEvidence,
    ) -> Result<atls_core::RecordedAppraisal, AppraisalError> {
        let evidence = evidence.clone().encode().unwrap();
        ready(self.verifier().appraise_recorded(&evidence, at()))
    }
}

/// The key is in the runtime data behind the hardware report, as a JWK.
pub(crate) fn azure(vectors: &Path, name: &str) -> Sample {
    let text = std::fs::read_to_string(vectors.join(format!("{name}.json"))).unwrap();
    let evidence: Value = serde_json::from_str(&text).unwrap();
    let quote = &evidence["tpm_quote"];
    let report = BASE64_URL_SAFE
        .decode(text_of(&evidence["hcl_report"]))
        .unwrap();
    let ak = azure_key(&report);
    let signature = hexadecimal(text_of(&quote["signature"]));
    let length = u16::try_from(signature.len()).unwrap().to_be_bytes();
    let signature = [&[0, 0x14, 0, 0x0b][..], &length, &signature].concat();
    let pcrs = quote["pcrs"].as_array().unwrap().iter();
    let pcrs = pcrs.flat_map(|pcr| hexadecimal(text_of(pcr))).collect();
    let attest = hexadecimal(text_of(&quote["message"]));
    Sample::new(name, ak, attest, signature, pcrs)
}

/// The key in the runtime data of a report.
pub(crate) fn azure_key(report: &[u8]) -> Vec<u8> {
    let mut places = report.windows(8);
    let start = places.position(|bytes| bytes == b"{\"keys\":").unwrap();
    let runtime = serde_json::Deserializer::from_slice(&report[start..]);
    let runtime = runtime.into_iter::<Value>().next().unwrap().unwrap();
    let mut keys = runtime["keys"].as_array().unwrap().iter();
    let ak = keys.find(|key| key["kid"] == "HCLAkPub").unwrap();
    rsa(BASE64_URL_SAFE_NO_PAD.decode(text_of(&ak["n"])).unwrap())
}

/// The public area that such a key has.
pub(crate) fn rsa(modulus: Vec<u8>) -> Vec<u8> {
    let public = Public {
        name_algorithm: HashAlgorithm::Sha256,
        attributes: Attributes(0x0005_0072),
        auth_policy: Vec::new(),
        aes_bits: None,
        scheme: Some(Scheme::RsaSsa(HashAlgorithm::Sha256)),
        key: PublicKey::Rsa {
            bits: 2048,
            exponent: 0,
            modulus,
        },
    };
    public.encode().unwrap()
}

pub(crate) fn text_of(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub(crate) fn hexadecimal(text: &str) -> Vec<u8> {
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
