//! Findings of the kinds that several checks make.

use std::fmt::Display;

use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_reference::Digest;

use crate::policy::Pin;

pub(super) fn check(name: &str, met: bool) -> Finding {
    let outcome = if met {
        Outcome::Passed
    } else {
        Outcome::Failed
    };
    Finding::new(name, outcome)
}

/// A field that the host or the owner chooses, against the pin of the image or enclave.
pub(super) fn pinned<const N: usize>(
    name: &str,
    seen: &Digest<N>,
    known_as: Option<(&str, &Pin<N>)>,
) -> Finding {
    let Some((image, pin)) = known_as else {
        return Finding::passed(name)
            .with_seen_bytes(seen.as_bytes())
            .with_note("no image is recognised that could demand a value");
    };
    let finding = check(name, pin.accepts(seen)).with_seen_bytes(seen.as_bytes());
    match pin {
        Pin::Any => finding.with_allowed(image, "any"),
        Pin::Value(value) => finding.with_allowed_bytes(image, value.as_bytes()),
        Pin::Zero => finding.with_allowed(image, "zero"),
    }
}

/// A measurement, against what the recognised image names; where none is recognised, against what any image names.
pub(super) fn measured<const N: usize>(
    name: &str,
    seen: &Digest<N>,
    named: &[(&str, Option<Digest<N>>)],
) -> Finding {
    let met = named
        .iter()
        .any(|(_, value)| value.is_none_or(|value| value == *seen));
    let finding = check(name, met).with_seen_bytes(seen.as_bytes());
    named
        .iter()
        .fold(finding, |finding, (image, value)| match value {
            Some(value) => finding.with_allowed_bytes(image, value.as_bytes()),
            None => finding.with_allowed(image, "any"),
        })
}

/// Bits, of which some may be set.
pub(super) fn bits(name: &str, seen: u64, allowed: u64, required: u64) -> Finding {
    let (unwanted, missing) = (seen & !allowed, required & !seen);
    let finding = check(name, unwanted == 0 && missing == 0)
        .with_seen(format_args!("{seen:#018x}"))
        .with_allowed("bits that may be set", format_args!("{allowed:#018x}"));
    match (unwanted, missing) {
        (0, 0) => finding,
        _ => finding.with_note(format_args!(
            "set and not allowed: {unwanted:#x}; required and not set: {missing:#x}"
        )),
    }
}

/// The image or enclave of the policy that was recognised.
pub(super) fn recognised<'a>(
    name: &str,
    known_as: Option<&str>,
    candidates: impl Iterator<Item = &'a str>,
    cure: impl Display,
) -> Finding {
    let finding = check(name, known_as.is_some());
    let finding = candidates.fold(finding, |finding, name| finding.with_allowed(name, ""));
    match known_as {
        Some(known_as) => finding.with_seen(known_as),
        None => finding.with_seen("unknown").with_note(cure),
    }
}

/// Whether somebody outside can see into the TD or enclave, and whether the policy allows that.
pub(super) fn debug(
    name: &str,
    (visible, allowed): (bool, bool),
    effect: &str,
    cure: &str,
) -> Finding {
    let (outcome, note) = match (visible, allowed) {
        (false, _) => return Finding::passed(name).with_seen("off"),
        (true, true) => (Outcome::Warning, "allow-debug permits it"),
        (true, false) => (Outcome::Failed, cure),
    };
    Finding::new(name, outcome)
        .with_seen("on")
        .with_note(format_args!("{effect}; {note}"))
}
