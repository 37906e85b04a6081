//! Any bytes as an event log, and as evidence with one; RTMRs that no log leads to.
#![no_main]

use atls_formats::dcap::EventLog;
use atls_formats::dcap::TdxEvidence;

atls_fuzz::target!(|bytes: &[u8]| {
    let _ = TdxEvidence::decode(bytes);
    if let Ok(log) = EventLog::open(bytes) {
        if let Ok(log) = log.clone().without_filling() {
            assert!(bytes.starts_with(log));
        }
        assert!(log.replay(&[[1; 48].into(); 4]).is_err());
    }
});
