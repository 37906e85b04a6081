//! Banks, registers, logs and digests of keys.

use std::io;

use atls_core::AttestError;
use atls_core::LocalAttester;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::PcrSelection;
use atls_formats::tpm::PcrSet;
use atls_tpm::Swtpm;
use atls_tpm::TpmAttester;
use atls_tpm::TpmDevice;
use atls_tpm::TpmError;
use atls_tpm::testing::SwtpmProcess;
use test_support::Connection;

use crate::helpers::SUITE;
use crate::helpers::affirmed;
use crate::helpers::attester;
use crate::helpers::measure;
use crate::helpers::started;

#[test]
fn a_bank_that_a_tpm_lacks_is_told() {
    let Some(tpm) = started(SwtpmProcess::with_bank(HashAlgorithm::Sha256)) else {
        return;
    };
    let lacking = HashAlgorithm::Sha384;
    let attester = attester(tpm.device()).with_registers([selection(lacking)]);
    let mut attester = attester.unwrap();
    let connection = Connection::with_suite(SUITE);
    let refused = attester.attest(connection.to_attest()).map(drop);
    let expected = AttestError::from(TpmError::NoBank(lacking));
    assert_eq!(refused, Err(expected));
}

#[test]
fn a_quote_of_no_register_is_refused_at_the_builder() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    let (bank, pcrs) = (HashAlgorithm::Sha256, PcrSet::default());
    let none = PcrSelection { bank, pcrs };
    let some = selection(bank);
    for selections in [
        vec![],
        vec![none],
        vec![none, selection(HashAlgorithm::Sha384)],
        vec![some, some],
    ] {
        let refused = attester(tpm.device()).with_registers(selections);
        assert_eq!(refused.map(drop), Err(TpmError::NoRegisters));
    }
}

#[test]
fn a_log_of_systemd_is_sent_along() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    measure(&tpm, b"kernel");
    tpm.measure(15, HashAlgorithm::Sha256, b"machine-id:00")
        .unwrap();
    let digest = HashAlgorithm::Sha256.digest(&[b"machine-id:00"]);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let log = format!(
        "\u{1e}{{\"pcr\":15,\"digests\":[{{\"hashAlg\":\"sha256\",\"digest\":\"{digest}\"}}],\
         \"content\":{{\"string\":\"machine-id:00\",\"eventType\":\"machine-id\"}}}}\n"
    );
    let path = tpm.folder().join("tpm2-measure.log");
    std::fs::write(&path, log).unwrap();
    let (bank, pcrs) = (HashAlgorithm::Sha256, PcrSet::of([4, 15]).unwrap());
    let attester = attester(tpm.device()).with_registers([PcrSelection { bank, pcrs }]);
    let claims = affirmed(&mut attester.unwrap().with_systemd_log(path));
    assert_eq!(
        claims.events[0].measured.as_deref(),
        Some(&b"machine-id:00"[..])
    );
}

#[test]
fn several_banks_are_quoted_at_once() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    measure(&tpm, b"kernel");
    let both = [HashAlgorithm::Sha384, HashAlgorithm::Sha256].map(selection);
    let attester = attester(tpm.device()).with_registers(both);
    let mut attester = attester.unwrap();
    let claims = affirmed(&mut attester);
    assert_eq!(claims.banks.len(), 2);
    let unused = claims.pcr(HashAlgorithm::Sha384, 4).unwrap();
    assert_eq!(unused, [0; 48]);
}

/// Something measures between the reading of registers and their quote: once, and always.
#[test]
fn registers_that_change_are_quoted_again_and_given_up_in_the_end() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    let connection = Connection::with_suite(SUITE);
    let meddling = |times| Meddling {
        inner: tpm.device(),
        tpm: tpm.device(),
        times,
    };
    let mut once = TpmAttester::over(meddling(1)).unwrap();
    assert!(once.attest(connection.to_attest()).is_ok());
    let mut always = TpmAttester::over(meddling(usize::MAX)).unwrap();
    let refused = always.attest(connection.to_attest()).map(drop);
    assert_eq!(refused, Err(TpmError::RegistersChanged.into()));
}

struct Meddling {
    inner: Swtpm,
    tpm: Swtpm,
    times: usize,
}

impl TpmDevice for Meddling {
    fn transact(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        let is_quote = command[6..10] == [0, 0, 1, 0x58];
        if is_quote && self.times > 0 {
            self.times -= 1;
            // TPM2_PCR_Event of one byte into register 4.
            let measure = [
                &[0x80, 2, 0, 0, 0, 30, 0, 0, 1, 0x3c, 0, 0, 0, 4][..],
                &[0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 1, 0, 0],
                &[0, 1, 7],
            ];
            self.tpm.transact(&measure.concat())?;
        }
        self.inner.transact(command)
    }
}

#[test]
fn a_key_of_another_digest_than_sha256_is_quoted_by() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    measure(&tpm, b"kernel");
    let mut attester = TpmAttester::over(MakingSha384(tpm.device())).unwrap();
    affirmed(&mut attester);
}

/// Has keys made that sign by ECDSA with SHA-384.
struct MakingSha384(Swtpm);

impl TpmDevice for MakingSha384 {
    fn transact(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        let mut command = command.to_vec();
        let ecdsa_sha256 = [0, 0x18, 0, 0x0b];
        let mut places = command.windows(4);
        if command[6..10] == [0, 0, 1, 0x31]
            && let Some(place) = places.position(|bytes| bytes == ecdsa_sha256)
        {
            command[place + 3] = 0x0c;
        }
        self.0.transact(&command)
    }
}

#[test]
fn a_log_that_is_absent_or_too_large_is_told() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    let connection = Connection::with_suite(SUITE);
    let mut without = attester(tpm.device()).with_tcg_log("/nonexistent");
    let refused = without.attest(connection.to_attest()).map(drop);
    let text = "log /nonexistent: entity not found".to_owned();
    assert_eq!(refused, Err(AttestError::Device(text)));
    let mut endless = attester(tpm.device()).with_ima_log("/dev/zero");
    let refused = endless.attest(connection.to_attest()).map(drop);
    assert!(matches!(refused, Err(AttestError::Device(_))));
}

fn selection(bank: HashAlgorithm) -> PcrSelection {
    let pcrs = PcrSet::of([0, 4, 7]).unwrap();
    PcrSelection { bank, pcrs }
}
