//! No input costs much more memory than its length.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use allocation::Bound;
use allocation::Findings;
use allocation::hostile;
use atls_azure::AzurePolicy;
use atls_formats::azure::HCL_REPORT_LENGTH;
use atls_formats::azure::HclReport;
use atls_formats::azure::RuntimeData;
use atls_reference::from_json;

#[test]
fn allocations_are_bounded_by_the_input() {
    let mut findings = Findings::new();
    let mut inputs = Vec::new();
    for field in ["keys", "vm-configuration", "user-data", "other"] {
        inputs.extend(hostile::within(hostile::json(1_000), |value| {
            let start = format!("{{\"{field}\":");
            [start.as_bytes(), value, b"}"].concat()
        }));
    }
    findings.check("runtime data", RUNTIME_DATA, &inputs, |bytes| {
        RuntimeData::decode(bytes).map(drop)
    });
    let reports = hostile::within(inputs, |data| {
        let mut report = [&[0x5a; 1236][..], data].concat();
        report.resize(HCL_REPORT_LENGTH, 0);
        report
    });
    findings.check("HCL report", NOTHING, &reports, |bytes| {
        HclReport::decode(bytes).map(drop)
    });
    let mut tables = Vec::new();
    for field in ["vm-unique-ids", "user-data", "allow-insecure-boot", "other"] {
        tables.extend(hostile::within(hostile::json(200_000), |value| {
            let start = format!("{{\"version\":1,\"azure\":{{\"{field}\":");
            [start.as_bytes(), value, b"}}"].concat()
        }));
    }
    findings.check("policy", POLICY, &tables, |text| {
        from_json::<AzurePolicy>(std::str::from_utf8(text).unwrap()).map(drop)
    });
    findings.assert_none();
}

const RUNTIME_DATA: Bound = Bound {
    per_byte: 4,
    constant: 8 * 1024,
};

/// The parts of a report are borrowed.
const NOTHING: Bound = Bound {
    per_byte: 0,
    constant: 0,
};

const POLICY: Bound = Bound {
    per_byte: 16,
    constant: 16 * 1024,
};
