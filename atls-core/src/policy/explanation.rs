//! A refusal, told to an operator in several lines.

use std::fmt;

use super::bad_status::BadStatus;
use super::bad_status::ItemStatus;
use super::violation::PolicyViolation;
use crate::finding;
use crate::refusal::Refusal;
use crate::report::report;

/// A readable account of a [`Refusal`]; [`Refusal::explain`] makes it.
///
/// The first line says whose fault it is and why. Where the status of the peer is the reason, each item of its attestation
/// follows: its status, its claims of trustworthiness in words, and each check, worst first, with the value seen, the values
/// that the policy allows, and for those that did not pass the place of the rule. It holds what [findings](crate::finding::Finding) hold: public values, and nothing
/// that identifies a device; and the labels of the items, which the peer chose, escaped.
///
/// ```text
/// refused by fault of the peer: attestation does not satisfy the policy
/// attestation status is contraindicated
/// item application/eat+cwt: contraindicated
///   sim: executables 96, software that must not run did
///   sim.software failed: seen bdbd, allowed are web 1.4 (0404); run a known build (policy.toml, line 12)
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Explanation<'a>(&'a Refusal);

impl Refusal {
    /// A readable account in several lines, for the operator: each item of the attestation, its claims, and each check with
    /// what it was compared with. Never send it to the peer, who learns from it which values are allowed.
    ///
    /// ```
    /// use atls_core::{AppraisalError, Refusal};
    ///
    /// let refusal = Refusal::Appraisal(AppraisalError::NotBound);
    /// let account = refusal.explain().to_string();
    /// assert!(account.starts_with("refused by fault of the peer: appraisal failed: evidence is not bound"));
    /// ```
    pub fn explain(&self) -> Explanation<'_> {
        Explanation(self)
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused by fault of the {}: ", self.0.fault())?;
        match self.0 {
            Refusal::Policy(PolicyViolation::Status(status)) => {
                write!(f, "{}", self.0)?;
                by_item(f, status)
            }
            other => write!(f, "{}", report(other)),
        }
    }
}

fn by_item(f: &mut fmt::Formatter<'_>, status: &BadStatus) -> fmt::Result {
    write!(f, "\nattestation status is {}", status.tier())?;
    status.items().iter().try_for_each(|one| item(f, one))
}

fn item(f: &mut fmt::Formatter<'_>, item: &ItemStatus) -> fmt::Result {
    f.write_str("\nitem ")?;
    if !item.label().is_empty() {
        write!(f, "{} of type ", finding::bounded(item.label()))?;
    }
    write!(f, "{}: {}", item.media_type(), item.tier())?;
    for (name, part) in item.parts() {
        for (category, claim) in part.claims() {
            let (category_name, meaning) = (category.name(), category.meaning(claim));
            write!(
                f,
                "\n  {name}: {category_name} {}, {meaning}",
                claim.value()
            )?;
        }
    }
    item.findings()
        .iter()
        .try_for_each(|finding| write!(f, "\n  {finding}"))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    /// The peer chose them.
    #[test]
    fn a_label_neither_begins_a_line_nor_fills_the_account() {
        let hostile = "a\nitem application/tpm: affirming\u{1b}[2J".repeat(100);
        let mut bad = sample::item("tpm", &hostile);
        bad.ear = sample::ear("tpm", 96);
        let status = BadStatus::of(&sample::candidate(vec![bad]));
        let refusal = Refusal::Policy(PolicyViolation::Status(status));
        let account = refusal.explain().to_string();
        // Whose fault, the status, the item, its claim, and the finding that the claim makes.
        assert_eq!(account.lines().count(), 5, "{account}");
        assert!(account.len() < 1024, "{account}");
        assert!(!account.contains('\u{1b}'), "{account}");
    }
}
