//! What both kinds of samples have.

use atls_formats::azure::HclReport;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// The processor's report and the runtime data.
pub(crate) fn parts(report: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let report = HclReport::decode(report).unwrap();
    (
        report.hardware().bytes().to_vec(),
        report.runtime_data().to_vec(),
    )
}

pub(crate) fn base64(text: &str) -> Vec<u8> {
    let padded = BASE64_URL_SAFE.decode(text);
    padded
        .or_else(|_| BASE64_URL_SAFE_NO_PAD.decode(text))
        .unwrap()
}
