//! Any bytes as Evidence of a TPM, signed by nobody; good Evidence altered; and a quote, logs and certificates of any bytes, where the trusted key
//! signed the quote: accepted with the value of this connection alone, and affirmed with the register of the known image alone.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;

use atls_core::AppraisalError;
use atls_core::Evidence;

use atls_core::RecordedAppraisal;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_core::expected::ExpectedValue;
use atls_core::pki_types::CertificateDer;
use atls_formats::tpm::Attest;
use atls_formats::tpm::EnrolmentRequest;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::TpmEvidence;
use atls_formats::tpm::qualifying_data;
use atls_fuzz::changes::altered;
use atls_fuzz::changes::contains;
use atls_fuzz::tape::Tape;
use atls_fuzz::tpm::REGISTERS;
use atls_reference::Live;
use atls_tpm::Enroller;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::testing::ForgedTpm;
use rustls::crypto::ring::default_provider;
use test_support::Connection;
use test_support::at;
use test_support::ready;

struct Setting {
    connection: Connection,
    expected: ExpectedValue,
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
    if let Ok(encoded) = evidence.clone().encode()
        && let Ok(recorded) = setting.appraise(&encoded)
    {
        let attest = Attest::decode(&evidence.attest);
        let value = attest.expect("a quote").extra_data;
        let is_about = value == *setting.expected.bytes();
        assert_eq!(setting.is_bound(&encoded), is_about, "of this connection");
        let is_known = contains(&evidence.pcrs, ForgedTpm::log().value(4));
        let is_affirmed = recorded.ear().status() == Tier::Affirming;
        assert!(!is_affirmed || is_known, "another image");
    }
    let good = setting.good.clone().encode().expect("encodes");
    let changed = altered(&good, bytes);
    assert!(setting.is_bound(&changed) || changed != good, "it is good");
    if setting.accepts(&changed) {
        let read = TpmEvidence::decode(&changed).expect("Evidence");
        let is_whole = read.attest == setting.good.attest && read.pcrs == setting.good.pcrs;
        assert!(is_whole, "nobody signed it");
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
        let connection = Connection::new();
        let expected = qualifying_data(connection.bound());
        Self {
            good: forged.evidence(expected.bytes()),
            expected,
            connection,
            forged,
            verifier: TpmVerifier::dangerous_with_software_keys(keys, policy, &provider),
            enroller: Enroller::new(roots, &provider),
        }
    }

    fn appraise(&self, evidence: &[u8]) -> Result<RecordedAppraisal, AppraisalError> {
        ready(self.verifier.appraise_recorded(evidence, at(NOW)))
    }

    fn accepts(&self, evidence: &[u8]) -> bool {
        self.appraise(evidence).is_ok()
    }

    fn is_bound(&self, evidence: &[u8]) -> bool {
        let media_type = &self.verifier.media_types()[0];
        let evidence = Evidence::new(media_type, evidence, self.connection.bound());
        ready(self.verifier.appraise(&evidence, at(NOW))).is_ok()
    }

    /// A quote, over any value, of a machine that measured one thing more where the image has its kernel. The input's first 32 bytes are the value, or
    /// all are measured.
    fn booted(&self, bytes: &[u8]) -> TpmEvidence {
        let (value, measured) = match bytes.split_at_checked(32) {
            Some(split) => split,
            None => (self.expected.bytes().as_slice(), bytes),
        };
        let log = match measured {
            [] => ForgedTpm::log(),
            _ => ForgedTpm::log().measured(KERNEL, EV_EFI_BOOT_SERVICES_APPLICATION, measured),
        };
        let registers = REGISTERS.map(|register| log.value(register).to_vec());
        let registers = registers.concat();
        let attest = Attest {
            pcr_digest: HashAlgorithm::Sha256.digest(&[&registers]),
            ..self.forged.attest(value)
        };
        let mut evidence = self.forged.seal(&attest.encode().expect("encodes"));
        evidence.pcrs = registers;
        evidence.tcg_log = Some(log.bytes().to_vec());
        evidence
    }

    /// The parts that the first byte names are of the input, the others good.
    fn forged_from(&self, bytes: &[u8]) -> TpmEvidence {
        let mut tape = Tape::new(bytes);
        let which = tape.byte();
        let mut part = |bit: u8| (which & bit != 0).then(|| tape.bytes().to_vec());
        let mut evidence = match (part(1), part(OTHER_BOOT)) {
            (Some(attest), _) => self.forged.seal(&attest),
            (None, Some(measured)) => self.booted(&measured),
            (None, None) => self.forged.seal(&self.good.attest),
        };
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

/// Of the first byte of an input.
const OTHER_BOOT: u8 = 128;

/// The register of the image.
const KERNEL: u8 = 4;

/// TCG PC Client Platform Firmware Profile, §10.4.1.
const EV_EFI_BOOT_SERVICES_APPLICATION: u32 = 0x8000_0003;
