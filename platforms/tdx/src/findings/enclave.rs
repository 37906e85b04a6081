//! Checks of an enclave.

use atls_core::finding::Finding;
use atls_formats::dcap::SgxReport;

use super::check::bits;
use super::check::check;
use super::check::debug;
use super::check::measured;
use super::check::pinned;
use super::check::recognised;
use crate::attributes;
use crate::policy::SgxEnclave;
use crate::policy::SgxPolicy;

/// All checks of an enclave but those of the platform under it. `known` is the one that was recognised.
pub(crate) fn enclave(
    report: &SgxReport,
    policy: &SgxPolicy,
    known: Option<&SgxEnclave>,
) -> Vec<Finding> {
    let candidates: Vec<&SgxEnclave> = match known {
        Some(enclave) => vec![enclave],
        None => policy.enclaves.iter().collect(),
    };
    let name = |enclave: &&SgxEnclave| enclave.name.clone();
    let names: Vec<String> = candidates.iter().map(name).collect();
    let named = |pin: fn(&SgxEnclave) -> Option<atls_reference::Digest<32>>| -> Vec<_> {
        let pins = candidates.iter().map(|enclave| pin(enclave));
        names.iter().map(String::as_str).zip(pins).collect()
    };
    let pin = known.map(|enclave| (enclave.name.as_str(), &enclave.config_id));
    vec![
        recognised(
            "sgx.enclave",
            known.map(|enclave| enclave.name.as_str()),
            names.iter().map(String::as_str),
            "the enclave is none of the policy; run a known build, or add this one",
        ),
        measured(
            "sgx.mrenclave",
            &report.mrenclave,
            &named(|enclave| enclave.mrenclave),
        ),
        measured(
            "sgx.mrsigner",
            &report.mrsigner,
            &named(|enclave| enclave.mrsigner),
        ),
        numbered(
            "sgx.isv-prod-id",
            report.isv_prod_id,
            &candidates,
            |enclave| enclave.isv_prod_id.map(|id| (id, id)),
        ),
        numbered("sgx.isv-svn", report.isv_svn, &candidates, |enclave| {
            enclave.min_isv_svn.map(|least| (least, u16::MAX))
        }),
        pinned("sgx.config-id", &report.config_id, pin),
        bits(
            "sgx.attributes",
            report.flags,
            policy.allowed_flags(),
            attributes::SGX_INIT,
        ),
        debug(
            "sgx.debug",
            (
                report.flags & attributes::SGX_DEBUG != 0,
                policy.allow_debug,
            ),
            "the enclave can be read from outside",
            "launch it without debug",
        ),
    ]
}

/// A number, and the range that each enclave of the policy allows.
fn numbered(
    name: &str,
    seen: u16,
    candidates: &[&SgxEnclave],
    range: fn(&SgxEnclave) -> Option<(u16, u16)>,
) -> Finding {
    let fits = |enclave: &&SgxEnclave| {
        range(enclave).is_none_or(|(least, most)| (least..=most).contains(&seen))
    };
    let finding = check(name, candidates.iter().any(fits)).with_seen(seen);
    candidates
        .iter()
        .fold(finding, |finding, enclave| match range(enclave) {
            None => finding.with_allowed(&enclave.name, "any"),
            Some((least, most)) if least == most => finding.with_allowed(&enclave.name, least),
            Some((least, _)) => {
                finding.with_allowed(&enclave.name, format_args!("{least} or more"))
            }
        })
}
