//! The envelope and its certificate table. What is read is written, and read again as the same.
#![no_main]

use atls_snp::SnpEvidence;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(evidence) = SnpEvidence::decode(octets) else {
        return;
    };
    let again = SnpEvidence::decode(&evidence.encode().unwrap()).unwrap();
    assert_eq!(again, evidence);
});
