//! Passwords, and the lockout to which wrong ones lead.

use std::io;

use atls_core::AttestError;
use atls_core::LocalAttester;
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
    let connection = Connection::with_suite(SUITE);
    let lockout = AttestError::from(TpmError::Lockout);
    let mut tries = (0..100).map(|_| counted.attest(connection.to_attest()).unwrap_err());
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
