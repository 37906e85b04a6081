//! The envelope and its certificate table. A value that was read is written, and read again as the same.
#![no_main]

use atls_formats::snp::SnpEvidence;

atls_fuzz::target!(|bytes: &[u8]| {
    let Ok(evidence) = SnpEvidence::decode(bytes) else {
        return;
    };
    let again = SnpEvidence::decode(&evidence.encode().unwrap()).unwrap();
    assert_eq!(again, evidence);
});
