//! The straight line with a TPM in software.

use std::error::Error;
use std::io;
use std::sync::Arc;

use atls_reference::Live;
use atls_tower::Blocking;
use atls_tpm::HashAlgorithm;
use atls_tpm::Measurement;
use atls_tpm::PcrIndex;
use atls_tpm::TpmAttester;
use atls_tpm::TpmImage;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::TrustedKey;
use atls_tpm::testing::SwtpmProcess;

pub(crate) async fn show() -> Result<(), Box<dyn Error>> {
    let tpm = match SwtpmProcess::start() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err("there is no swtpm here; Debian has it as swtpm and swtpm-tools".into());
        }
        started => started?,
    };
    let bank = HashAlgorithm::Sha256;
    tpm.measure(4, bank, b"quickstart")?;
    println!("machine  a swtpm has this program's name in PCR4");

    let mut attester = TpmAttester::over(tpm.device())?;
    // Here by hand; `cargo run -p tpm` shows how a key is enrolled.
    let key = TrustedKey::provided("this machine", attester.attestation_key()?);
    let value = bank.digest(&[&[0; 32], &bank.digest(&[b"quickstart"])]);
    let register = PcrIndex::new(4).zip(Measurement::new(&value));
    let policy = TpmPolicy::new(vec![TpmImage::measured("quickstart", register)]);
    let keys = Arc::new(Live::fixed(TpmKeys::new(vec![key]))?);
    let policy = Arc::new(Live::fixed(policy)?);
    let provider = demo::provider();
    let verifier = TpmVerifier::dangerous_with_software_keys(keys, policy, &provider);
    let device = Blocking::spawn(attester)?;
    crate::show("TPM 2.0 in software (swtpm)", device, verifier).await
}
