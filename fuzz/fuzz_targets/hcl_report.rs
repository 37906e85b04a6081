//! HCL reports. One that was read is written, and read again as the same.
#![no_main]

use atls_formats::azure::HclReport;
use atls_formats::azure::HclReportWriter;
use atls_formats::azure::RuntimeData;

atls_fuzz::target!(|bytes: &[u8]| {
    let _ = RuntimeData::decode(bytes);
    let Ok(report) = HclReport::decode(bytes) else {
        return;
    };
    let data = RuntimeData::decode(report.runtime_data()).unwrap();
    assert_eq!(report.hardware().report_data(), data.report_data());
    let writer = HclReportWriter {
        hardware: report.hardware(),
        runtime_data: report.runtime_data(),
    };
    let again = writer.encode().unwrap();
    assert_eq!(HclReport::decode(&again), Ok(report));
});
