//! TPMs that are slow, busy or gone.

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
use atls_tpm::Swtpm;
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
fn a_tpm_that_stands_still_is_a_timeout_and_answers_later() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    measure(&tpm, b"kernel");
    // More than it takes where it does not stand still.
    let deadline = Duration::from_secs(5);
    let mut attester = attester(tpm.device().with_deadline(deadline));
    affirmed(&mut attester);
    tpm.pause().unwrap();
    let connection = Connection::with_suite(SUITE);
    let stuck = attester.attest(connection.to_attest()).map(drop);
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
    let connection = Connection::with_suite(SUITE);
    let refused = attester.attest(connection.to_attest()).map(drop);
    let kind = io::ErrorKind::ConnectionRefused;
    assert_eq!(refused, Err(TpmError::Unreachable(kind).into()));
    tpm.restart().unwrap();
    measure(&tpm, b"kernel");
    affirmed(&mut attester);
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
