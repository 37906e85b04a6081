//! Any bytes as an inclusion proof; one that is read is written as it came, and keeps its rules.
#![no_main]

use atls_core::exchange::batch::InclusionProof;

atls_fuzz::target!(|bytes: &[u8]| {
    if let Ok(proof) = InclusionProof::decode(bytes) {
        assert_eq!(proof.encode(), bytes);
        assert!((2..=65_536).contains(&proof.size()));
        assert!(proof.index() < proof.size());
    }
});
