//! Deadlines, banks, logs and passwords.

use std::io;
use std::io::Read;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

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

use crate::helpers::SUITE;
use crate::helpers::affirmed;
use crate::helpers::attester;
use crate::helpers::measure;
use crate::helpers::started;
use crate::support::Connection;

#[test]
fn a_peer_that_drips_has_one_deadline() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let dripping = thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut response = vec![0x80, 1, 0, 0, 0, 60];
        response.resize(60, 0);
        for byte in response {
            if peer.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
    let mut device = Swtpm::tcp(address).with_deadline(Duration::from_millis(200));
    let refused = device.transact(&[0; 10]).map_err(|error| error.kind());
    assert_eq!(refused, Err(io::ErrorKind::TimedOut));
    drop(device);
    dripping.join().unwrap();
}

#[test]
fn a_bank_that_a_tpm_lacks_is_told() {
    let Some(tpm) = started(SwtpmProcess::with_bank(HashAlgorithm::Sha256)) else {
        return;
    };
    let lacking = HashAlgorithm::Sha384;
    let attester = attester(tpm.device()).with_registers([selection(lacking)]);
    let mut attester = attester.unwrap();
    let connection = Connection::new(SUITE);
    let refused = attester.attest(connection.request()).map(drop);
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

#[test]
fn a_tpm_that_stands_still_is_a_timeout_and_answers_later() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    measure(&tpm, b"kernel");
    let mut attester = attester(tpm.device().with_deadline(Duration::from_millis(200)));
    affirmed(&mut attester);
    tpm.pause().unwrap();
    let connection = Connection::new(SUITE);
    let stuck = attester.attest(connection.request()).map(drop);
    assert_eq!(stuck, Err(AttestError::TimedOut));
    tpm.resume().unwrap();
    let mut patient = attester;
    affirmed(&mut patient);
}

#[test]
fn a_tpm_that_is_gone_is_unreachable_and_found_again() {
    let Some(mut tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    measure(&tpm, b"kernel");
    let mut attester = attester(tpm.device());
    affirmed(&mut attester);
    tpm.kill().unwrap();
    let gone = attester.attestation_key();
    assert!(gone.is_ok(), "known already");
    let connection = Connection::new(SUITE);
    let refused = attester.attest(connection.request()).map(drop);
    let kind = io::ErrorKind::ConnectionRefused;
    assert_eq!(refused, Err(TpmError::Unreachable(kind).into()));
    tpm.restart().unwrap();
    measure(&tpm, b"kernel");
    affirmed(&mut attester);
}

/// Something measures between the reading of registers and their quote: once, and always.
#[test]
fn registers_that_change_are_quoted_again_and_given_up_in_the_end() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    let connection = Connection::new(SUITE);
    let meddling = |times| Meddling {
        inner: tpm.device(),
        tpm: tpm.device(),
        times,
    };
    let mut once = TpmAttester::over(meddling(1)).unwrap();
    assert!(once.attest(connection.request()).is_ok());
    let mut always = TpmAttester::over(meddling(usize::MAX)).unwrap();
    let refused = always.attest(connection.request()).map(drop);
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
fn a_wrong_password_is_told() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    let mut attester = attester(tpm.device()).with_endorsement_password(b"wrong".to_vec());
    let refused = attester.attestation_key();
    assert!(
        matches!(refused, Err(TpmError::WrongAuth(_))),
        "{refused:?}"
    );
    let mut attester = self::attester(tpm.device())
        .with_owner_password(b"wrong".to_vec())
        .with_persistent_key(0x8100_0123);
    let refused = attester.attestation_key();
    assert!(
        matches!(refused, Err(TpmError::WrongAuth(_))),
        "{refused:?}"
    );
}

/// A key that counts wrong passwords, and is used by them until the TPM takes none any more.
#[test]
fn wrong_passwords_lead_to_a_lockout_of_keys_that_count_them_alone() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    measure(&tpm, b"kernel");
    let mut counted = TpmAttester::over(Guessing(tpm.device())).unwrap();
    let connection = Connection::new(SUITE);
    let lockout = AttestError::from(TpmError::Lockout);
    let mut tries = (0..100).map(|_| counted.attest(connection.request()).unwrap_err());
    let before: Vec<_> = tries
        .by_ref()
        .take_while(|error| *error != lockout)
        .collect();
    let wrong = |error: &AttestError| matches!(error, AttestError::Device(text) if text.contains("authorisation"));
    assert!(!before.is_empty() && before.len() < 50 && before.iter().all(wrong));
    // Ours count none.
    affirmed(&mut attester(tpm.device()));
}

/// Has a key made without `noDA`, and quotes by a wrong password.
struct Guessing(Swtpm);

impl TpmDevice for Guessing {
    fn transact(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        let mut command = command.to_vec();
        let attributes = [0, 5, 4, 0x72];
        let place = command.windows(4).position(|bytes| bytes == attributes);
        match (&command[6..10], place) {
            ([0, 0, 1, 0x31], Some(place)) => command[place + 2] = 0,
            ([0, 0, 1, 0x58], _) => {
                // A handle, and the size of an authorisation that ends in a password: one byte more of each.
                command[5] += 1;
                command[17] += 1;
                command[26] += 1;
                command.insert(27, b'x');
            }
            _ => {}
        }
        self.0.transact(&command)
    }
}

/// A TPM that says so over its socket, a few times and always.
#[test]
fn a_busy_tpm_is_asked_again_and_given_up_in_the_end() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    measure(&tpm, b"kernel");
    for code in [0x922_u32, 0x90a, 0x908, 0x920] {
        let (address, busy) = busy_before(tpm.device(), Some(3), code);
        affirmed(&mut attester(Swtpm::tcp(address)));
        busy.stop();
    }
    let (address, busy) = busy_before(tpm.device(), None, 0x922);
    let refused = attester(Swtpm::tcp(address)).attestation_key();
    let busy_for_ever = matches!(&refused, Err(TpmError::Retry(code)) if code.get() == 0x922);
    assert!(busy_for_ever, "{refused:?}");
    busy.stop();
}

struct Busy(
    Arc<AtomicBool>,
    std::net::SocketAddr,
    thread::JoinHandle<()>,
);

impl Busy {
    fn stop(self) {
        self.0.store(true, Ordering::SeqCst);
        // The listener looks at it when somebody comes.
        drop(std::net::TcpStream::connect(self.1).unwrap());
        self.2.join().unwrap();
    }
}

/// A socket that speaks as `swtpm` does, and answers with this code so many times before it asks the TPM; always where it is `None`.
fn busy_before(mut tpm: Swtpm, times: Option<usize>, code: u32) -> (std::net::SocketAddr, Busy) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = stopped.clone();
    let serving = thread::spawn(move || {
        let mut left = times.unwrap_or(usize::MAX);
        while let Ok((mut peer, _)) = listener.accept() {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            let mut header = [0; 10];
            if peer.read_exact(&mut header).is_err() {
                continue;
            }
            let size = u32::from_be_bytes(header[2..6].try_into().unwrap());
            let mut command = header.to_vec();
            command.resize(usize::try_from(size).unwrap(), 0);
            peer.read_exact(&mut command[10..]).unwrap();
            let response = match left {
                0 => tpm.transact(&command).unwrap(),
                _ => {
                    left -= 1;
                    [&[0x80, 1, 0, 0, 0, 10][..], &code.to_be_bytes()].concat()
                }
            };
            peer.write_all(&response).unwrap();
        }
    });
    (address, Busy(stopped, address, serving))
}

#[test]
fn a_log_that_is_absent_or_too_large_is_told() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    let connection = Connection::new(SUITE);
    let mut without = attester(tpm.device()).with_tcg_log("/nonexistent");
    let refused = without.attest(connection.request()).map(drop);
    let text = "log /nonexistent: entity not found".to_owned();
    assert_eq!(refused, Err(AttestError::Device(text)));
    let mut endless = attester(tpm.device()).with_ima_log("/dev/zero");
    let refused = endless.attest(connection.request()).map(drop);
    assert!(matches!(refused, Err(AttestError::Device(_))));
}

fn selection(bank: HashAlgorithm) -> PcrSelection {
    let pcrs = PcrSet::of([0, 4, 7]).unwrap();
    PcrSelection { bank, pcrs }
}
