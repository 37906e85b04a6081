//! No Evidence costs much more memory than its length.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use allocation::Bound;
use allocation::Findings;
use allocation::hostile;
use atls_remote::EvidenceFormat;
use atls_trustee::AzureVtpm;
use atls_trustee::SampleEvidence;
use atls_trustee::SnpReport;
use atls_trustee::TdxQuote;
use atls_trustee::TrusteeService;

#[test]
fn allocations_are_bounded_by_the_input() {
    const LENGTH: usize = 60_000;
    let mut findings = Findings::new();
    let shape =
        |format: &dyn EvidenceFormat<TrusteeService>, input: &[u8]| format.read(input).map(drop);
    let mut json = hostile::json(LENGTH);
    for name in ["tpm_quote", "report_data", "hcl_report"] {
        json.extend(hostile::within(hostile::json(LENGTH), |value| {
            [
                format!("{{\"version\":1,\"{name}\":").as_bytes(),
                value,
                b"}",
            ]
            .concat()
        }));
    }
    // At most 4,096 values.
    let azure = Bound {
        per_byte: 8,
        constant: 4096 * 256,
    };
    findings.check("Azure, SNP", azure, &json, |input| {
        shape(&AzureVtpm::snp("a/b"), input)
    });
    findings.check("Azure, TDX", azure, &json, |input| {
        shape(&AzureVtpm::tdx("a/b"), input)
    });
    findings.check("sample", SMALL, &json, |input| {
        shape(&SampleEvidence::new(), input)
    });
    let cbor = hostile::cbor(LENGTH);
    findings.check("SNP", ENVELOPE, &cbor, |input| {
        shape(&SnpReport::new(), input)
    });
    // Its length alone is looked at.
    let nothing = Bound {
        per_byte: 0,
        constant: 0,
    };
    findings.check("TDX", nothing, &cbor, |input| {
        shape(&TdxQuote::new(), input)
    });
    findings.assert_none();
}

const ENVELOPE: Bound = Bound {
    per_byte: 2,
    constant: 8 * 1024,
};

const SMALL: Bound = Bound {
    per_byte: 8,
    constant: 32 * 1024,
};
