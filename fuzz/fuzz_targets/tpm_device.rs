//! Any answers of a TPM that a host emulates. The attester makes Evidence of an honest one, and of no other that its own verifier could not read.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;

use atls_formats::tpm::Attest;
use atls_formats::tpm::Credential;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::PcrValues;
use atls_formats::tpm::TpmEvidence;
use atls_formats::tpm::qualifying_data;
use atls_fuzz::tape::Tape;
use atls_fuzz::tpm::HostedTpm;
use atls_fuzz::tpm::REGISTERS;
use atls_tpm::PcrSelection;
use atls_tpm::PcrSet;
use atls_tpm::TpmAttester;
use atls_tpm::testing::ForgedTpm;
use test_support::Connection;

struct Setting {
    connection: Connection,
    good: Arc<ForgedTpm>,
}

atls_fuzz::target!(|bytes: &[u8]| {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    let setting = SETTING.get_or_init(|| Setting {
        connection: Connection::new(),
        good: Arc::new(ForgedTpm::new()),
    });
    let mut tape = Tape::new(bytes);
    let (form, asked) = (tape.byte(), tape.byte());
    let device = HostedTpm::new(setting.good.clone(), &mut tape);
    let altered = device.altered.clone();
    let mut attester = attester(device, form);
    let succeeded = match asked {
        0 => match attester.enrolment_request() {
            Ok(request) => request.is_some_and(|request| request.encode().is_ok()),
            Err(_) => false,
        },
        1 => {
            let credential = Credential {
                credential: bytes.to_vec(),
                secret: bytes.to_vec(),
            };
            attester.activate(&credential).is_ok()
        }
        _ => setting.attest(&mut attester),
    };
    let altered = *altered.lock().expect("no panic");
    // The template at an index would have to be one.
    assert!(succeeded || altered || form & 4 != 0 || bytes.len() > LARGEST_CREDENTIAL);
});

impl Setting {
    /// Twice: the key is loaded at the second time.
    fn attest(&self, attester: &mut TpmAttester) -> bool {
        let made = [(); 2].map(|()| match self.connection.attest(attester) {
            Ok(cmw) => {
                self.check(cmw.items()[0].value());
                true
            }
            Err(_) => false,
        });
        made == [true; 2]
    }

    fn check(&self, evidence: &[u8]) {
        let evidence = TpmEvidence::decode(evidence).expect("what was made");
        let attest = Attest::decode(&evidence.attest).expect("a quote");
        let value = qualifying_data(self.connection.bound());
        assert_eq!(&attest.extra_data, value.bytes());
        assert_eq!(attest.selections, [selection()]);
        assert!(PcrValues::split(&attest.selections, &evidence.pcrs).is_ok());
    }
}

fn attester(device: HostedTpm, form: u8) -> TpmAttester {
    let attester = TpmAttester::over(device).expect("an attester");
    let attester = attester.with_registers([selection()]);
    let mut attester = attester.expect("registers");
    if form & 1 != 0 {
        attester = attester.with_persistent_key(0x8100_0003);
    }
    if form & 2 != 0 {
        attester = attester.with_ak_certificate_at(0x01c1_01d0, []);
    }
    if form & 4 != 0 {
        attester = attester.with_template_at(0x01c1_0001);
    }
    attester
}

fn selection() -> PcrSelection {
    PcrSelection {
        bank: HashAlgorithm::Sha256,
        pcrs: PcrSet::of(REGISTERS).expect("registers"),
    }
}

/// Bytes.
const LARGEST_CREDENTIAL: usize = 65_535;
