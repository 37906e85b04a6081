//! Any bytes as a log of firmware, of systemd and of IMA, in each bank. Registers that no log leads to are not explained by any.
#![no_main]

use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::ImaLog;
use atls_formats::tpm::Replay;
use atls_formats::tpm::SystemdLog;
use atls_formats::tpm::TcgLog;

atls_fuzz::target!(|log: &[u8]| {
    for bank in [
        HashAlgorithm::Sha256,
        HashAlgorithm::Sha384,
        HashAlgorithm::Sha512,
    ] {
        let value = vec![0x5a; bank.size()];
        if let Ok(log) = TcgLog::decode(log, bank) {
            for register in 0..24 {
                assert!(log.replay(register, &value).is_none());
            }
        }
        if let Ok(log) = SystemdLog::decode(log, bank) {
            assert!(log.replay(Replay::of(bank, 11), 11, &value).is_none());
        }
        if let Ok(log) = ImaLog::decode(log) {
            assert!(log.replay(bank, 10, &value).is_none());
        }
    }
});
