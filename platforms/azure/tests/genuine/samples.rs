//! The samples that came with all that it takes to appraise them.

use test_support::vectors;

use crate::sample::Sample;
use crate::snp_guest::Json;
use crate::snp_guest::guest;
use crate::trust_domain::Yaml;
use crate::trust_domain::td;

/// Those that came with all that it takes to appraise them. Two quotes of TDs came without collateral of their time.
pub(crate) fn samples() -> Vec<Sample> {
    let Some(vectors) = vectors() else {
        return Vec::new();
    };
    let azure = vectors.join("azure");
    let names = ["snp-evidence-v0", "snp-evidence-v1", "snp-evidence-v2"];
    let mut samples: Vec<_> = names.map(|name| guest(&azure, name)).into();
    samples.push(td(&azure));
    samples
}

/// The HCL reports of all samples.
pub(crate) fn hcl_reports() -> Vec<(String, Vec<u8>)> {
    let Some(vectors) = vectors() else {
        return Vec::new();
    };
    let azure = vectors.join("azure");
    let names = [
        "snp-evidence-v0",
        "snp-evidence-v1",
        "snp-evidence-v2",
        "tdx-evidence-v0",
        "tdx-evidence-v1",
    ];
    let mut reports: Vec<_> = names
        .map(|name| (name.to_owned(), Json::read(&azure, name).report()))
        .into();
    reports.push((
        "tdx-flashbots".to_owned(),
        Yaml::read(&azure).base64("hcl_report_base64: >-"),
    ));
    reports
}
