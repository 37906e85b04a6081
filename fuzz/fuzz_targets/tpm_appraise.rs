//! Any bytes as Evidence of a TPM, signed by nobody; and a quote, logs and certificates of any bytes, where the trusted key signed
//! the quote.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;

use atls_core::pki_types::CertificateDer;
use atls_formats::tpm::EnrolmentRequest;
use atls_formats::tpm::TpmEvidence;
use atls_fuzz::tape::Tape;
use atls_reference::Live;
use atls_tpm::Enroller;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::testing::ForgedTpm;
use rustls::crypto::ring::default_provider;
use test_support::at;
use test_support::ready;

struct Setting {
    forged: ForgedTpm,
    good: TpmEvidence,
    verifier: TpmVerifier,
    enroller: Enroller,
}

atls_fuzz::target!(|bytes: &[u8]| {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    let setting = SETTING.get_or_init(Setting::new);
    assert!(!setting.accepts(bytes), "nobody signed it");
    let evidence = setting.forged_from(bytes);
    if let Ok(encoded) = evidence.clone().encode() {
        let _ = setting.accepts(&encoded);
    }
    let request = EnrolmentRequest {
        ak: evidence.ak,
        ek_certificate: bytes.to_vec(),
    };
    assert!(setting.enroller.challenge(&request, at(NOW)).is_err());
});

impl Setting {
    fn new() -> Self {
        let forged = ForgedTpm::new();
        let policy = TpmPolicy::new(vec![ForgedTpm::image()]);
        let policy = Arc::new(Live::fixed(policy).expect("a policy"));
        let keys = TpmKeys::new(vec![forged.trusted("forged")]);
        let keys = Arc::new(Live::fixed(keys).expect("keys"));
        let provider = default_provider();
        let root = test_support::identity();
        let roots = root.cert.iter().cloned().map(CertificateDer::into_owned);
        Self {
            good: forged.evidence(&[0x5a; 32]),
            forged,
            verifier: TpmVerifier::dangerous_with_software_keys(keys, policy, &provider),
            enroller: Enroller::new(roots, &provider),
        }
    }

    fn accepts(&self, evidence: &[u8]) -> bool {
        ready(self.verifier.appraise_recorded(evidence, at(NOW))).is_ok()
    }

    /// The parts that the first byte names are of the input, the others good.
    fn forged_from(&self, bytes: &[u8]) -> TpmEvidence {
        let mut tape = Tape::new(bytes);
        let which = tape.byte();
        let mut part = |bit: u8| (which & bit != 0).then(|| tape.bytes().to_vec());
        let attest = part(1).unwrap_or_else(|| self.good.attest.clone());
        let mut evidence = self.forged.seal(&attest);
        evidence.pcrs = part(2).unwrap_or(evidence.pcrs);
        evidence.tcg_log = part(4).or(evidence.tcg_log);
        evidence.ima_log = part(8);
        evidence.systemd_log = part(16);
        evidence.ak_certificates = part(32);
        evidence.ak = part(64).unwrap_or(evidence.ak);
        evidence
    }
}

const NOW: u64 = 1_800_000_000;
