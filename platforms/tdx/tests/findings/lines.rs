//! Findings as lines of text.

use atls_core::RecordedAppraisal;
use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_tdx::TcbStatus;
use atls_tdx::testing::ForgedLevel;

pub(crate) fn finding<'a>(appraised: &'a RecordedAppraisal, check: &str) -> &'a Finding {
    let mut findings = appraised.findings().iter();
    let found = findings.find(|finding| finding.check() == check);
    found.unwrap_or_else(|| panic!("no {check} in {:#?}", appraised.findings()))
}

pub(crate) fn lines(appraised: &RecordedAppraisal, outcome: Outcome) -> Vec<String> {
    let findings = appraised.findings().iter();
    findings
        .filter(|finding| finding.outcome() == outcome)
        .map(ToString::to_string)
        .collect()
}

pub(crate) fn level(svn: u8, status: TcbStatus, date: u64) -> ForgedLevel {
    ForgedLevel {
        svn,
        status,
        date,
        advisories: Vec::new(),
    }
}
