//! The envelope, and everything in it. A value that was read is written, and read again as the same.
#![no_main]

use atls_formats::tpm::Attest;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::ImaLog;
use atls_formats::tpm::PcrValues;
use atls_formats::tpm::Public;
use atls_formats::tpm::Replay;
use atls_formats::tpm::Signature;
use atls_formats::tpm::SystemdLog;
use atls_formats::tpm::TcgLog;
use atls_formats::tpm::TpmEvidence;

atls_fuzz::target!(|bytes: &[u8]| {
    let Ok(evidence) = TpmEvidence::decode(bytes) else {
        return;
    };
    if let Ok(attest) = Attest::decode(&evidence.attest) {
        assert_eq!(
            Attest::decode(&attest.encode().unwrap()),
            Ok(attest.clone())
        );
        let _ = PcrValues::split(&attest.selections, &evidence.pcrs);
    }
    if let Ok(public) = Public::decode(&evidence.ak) {
        assert_eq!(public.encode().unwrap(), evidence.ak);
        let _ = public.subject_public_key();
    }
    if let Ok(signature) = Signature::decode(&evidence.signature) {
        assert_eq!(signature.encode().unwrap(), evidence.signature);
        signature.to_x509().unwrap();
    }
    for bank in [HashAlgorithm::Sha256, HashAlgorithm::Sha384] {
        if let Some(Ok(log)) = evidence
            .tcg_log
            .as_deref()
            .map(|log| TcgLog::decode(log, bank))
        {
            let _ = log.replay(0, &vec![0; bank.size()]);
        }
        if let Some(Ok(log)) = evidence
            .systemd_log
            .as_deref()
            .map(|log| SystemdLog::decode(log, bank))
        {
            let _ = log.replay(Replay::of(bank, 11), 11, &vec![0; bank.size()]);
        }
        if let Some(Ok(list)) = evidence.ima_log.as_deref().map(ImaLog::decode) {
            let _ = list.replay(bank, 10, &vec![0; bank.size()]);
        }
    }
    let again = TpmEvidence::decode(&evidence.clone().encode().unwrap()).unwrap();
    assert_eq!(again, evidence);
});
