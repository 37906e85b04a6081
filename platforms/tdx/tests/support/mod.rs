//! Helpers of several tests.
#![allow(dead_code, reason = "no test uses all of it")]

use std::collections::BTreeMap;
use std::sync::Arc;

use atls_core::RecordedAppraisal;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_reference::Live;
use atls_tdx::Collateral;
use atls_tdx::CollateralSource;
use atls_tdx::QuoteError;
use atls_tdx::SgxPolicy;
use atls_tdx::SgxReport;
use atls_tdx::SgxVerifier;
use atls_tdx::SuppliedCollateral;
use atls_tdx::Td15;
use atls_tdx::Td15Extended;
use atls_tdx::TdReport;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use test_support::at;
use test_support::ready;

/// A verifier under Intel's root with this collateral at hand.
pub(crate) fn intel(policy: TdxPolicy, collateral: Collateral) -> TdxVerifier {
    TdxVerifier::new(
        Arc::new(Live::fixed(policy).unwrap()),
        Arc::new(SuppliedCollateral::new([collateral])),
    )
}

/// Collateral in YAML, as far as the samples need it: keys at the margin; block scalars under them, quoted or plain
/// ones beside them.
pub(crate) fn collateral_of_yaml(text: &str) -> Collateral {
    let mut fields = BTreeMap::<&str, String>::new();
    let mut key = "";
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("  ") {
            let field = fields.get_mut(key).unwrap();
            field.push_str(line);
            field.push('\n');
        } else if let Some((name, value)) = line.split_once(':') {
            key = name;
            let value = match value.trim() {
                block if block.starts_with(['|', '>']) => String::new(),
                quoted if quoted.starts_with('"') => serde_json::from_str(quoted).unwrap(),
                plain => plain.trim_matches('\'').to_owned(),
            };
            fields.insert(name, value);
        }
    }
    let fields: BTreeMap<_, _> = fields
        .iter()
        .map(|(name, value)| match name.ends_with("chain") {
            true => (*name, value.clone()),
            false => (*name, value.trim_end().to_owned()),
        })
        .collect();
    Collateral::from_json(&serde_json::to_string(&fields).unwrap()).unwrap()
}

/// A verifier of TDs under the forged root.
pub(crate) fn td_verifier(
    platform: &ForgedPlatform,
    policy: TdxPolicy,
    source: Arc<dyn CollateralSource>,
) -> TdxVerifier {
    let policy = Arc::new(Live::fixed(policy).unwrap());
    TdxVerifier::dangerous_with_root(platform.root(), policy, source)
}

/// A verifier of enclaves under the forged root.
pub(crate) fn enclave_verifier(
    platform: &ForgedPlatform,
    policy: SgxPolicy,
    source: Arc<dyn CollateralSource>,
) -> SgxVerifier {
    let policy = Arc::new(Live::fixed(policy).unwrap());
    SgxVerifier::dangerous_with_root(platform.root(), policy, source)
}

/// The platform's own collateral.
pub(crate) fn own(platform: &ForgedPlatform, tee: Tee) -> Arc<dyn CollateralSource> {
    Arc::new(SuppliedCollateral::new([platform.collateral(tee).unwrap()]))
}

/// A quote of the platform's usual TD.
pub(crate) fn td_quote(platform: &ForgedPlatform) -> Vec<u8> {
    let report = platform.td_report();
    platform.tdx_quote(&report, &REPORT_DATA).unwrap()
}

pub(crate) fn appraise(
    platform: &ForgedPlatform,
    report: &TdReport,
    policy: TdxPolicy,
) -> RecordedAppraisal {
    appraise_at(platform, report, policy, NOW).unwrap()
}

pub(crate) fn appraise_at(
    platform: &ForgedPlatform,
    report: &TdReport,
    policy: TdxPolicy,
    now: u64,
) -> Result<RecordedAppraisal, QuoteError> {
    let verifier = td_verifier(platform, policy, own(platform, Tee::Tdx));
    let quote = platform.tdx_quote(report, &REPORT_DATA).unwrap();
    ready(verifier.appraise_quote(&quote, &[], at(now)))
}

pub(crate) fn appraise_enclave(
    platform: &ForgedPlatform,
    report: &SgxReport,
    policy: SgxPolicy,
) -> RecordedAppraisal {
    let verifier = enclave_verifier(platform, policy, own(platform, Tee::Sgx));
    let quote = platform.sgx_quote(report, &REPORT_DATA).unwrap();
    ready(verifier.appraise_quote(&quote, &[], at(NOW))).unwrap()
}

/// A policy that knows every measurement of a forged TD.
pub(crate) fn policy(report: &TdReport) -> TdxPolicy {
    let [rtmr0, rtmr1, rtmr2, rtmr3] = report.rtmr.map(Some);
    TdxPolicy::up_to_date(vec![TdxImage {
        rtmr0,
        rtmr1,
        rtmr2,
        rtmr3,
        ..TdxImage::new("forged", report.mrtd)
    }])
}

/// The same TD in a body of TDX 1.5.
pub(crate) fn td15(report: &TdReport) -> TdReport {
    let mut report = report.clone();
    report.td15 = Some(Td15::new(report.tee_tcb_svn));
    report
}

/// The same TD in an extended body.
pub(crate) fn extended(report: &TdReport) -> TdReport {
    let mut report = td15(report);
    report.td15_extended = Some(Td15Extended::new([0x1d; 32]));
    report
}

pub(crate) fn value(appraised: &RecordedAppraisal, category: Category) -> i8 {
    let (_, part) = appraised.ear().submods().next().unwrap();
    part.vector().get(category).value()
}

pub(crate) fn tier(appraised: &RecordedAppraisal) -> Tier {
    appraised.ear().status()
}

/// Midnight, as forged revocation lists have dates of whole days.
pub(crate) const NOW: u64 = 20_833 * DAY;

/// Seconds.
pub(crate) const DAY: u64 = 24 * 60 * 60;

pub(crate) const REPORT_DATA: [u8; 64] = [0x5a; 64];
