//! A status that a policy does not accept, and its reasons.

use std::fmt;

use crate::ear::Appraisal;
use crate::ear::Ear;
use crate::ear::Tier;
use crate::ear::TrustClaim;
use crate::ear::TrustVector;
use crate::finding;
use crate::finding::Finding;
use crate::finding::Outcome;
use crate::limits::MAX_FINDINGS;
use crate::media_type::MediaType;
use crate::policy::appraised_item::AppraisedItem;
use crate::policy::candidate::Candidate;

/// The status of a peer that a policy does not accept, with the checks that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct BadStatus {
    tier: Tier,
    findings: Vec<Finding>,
    items: Vec<ItemStatus>,
}

/// The status of one item of a peer's attestation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemStatus {
    label: Box<str>,
    media_type: MediaType,
    tier: Tier,
    parts: Vec<(String, TrustVector)>,
    findings: Vec<Finding>,
}

impl ItemStatus {
    fn of(item: &AppraisedItem) -> Self {
        let parts = item.ear().submods().take(MAX_PARTS);
        Self {
            label: item.label().into(),
            media_type: item.media_type().clone(),
            tier: item.ear().status(),
            parts: parts
                .map(|(name, part)| (finding::bounded(name), part.vector().clone()))
                .collect(),
            findings: [reasons(item), passed(item)].concat(),
        }
    }

    /// Its label in the peer's collection; empty for an item alone.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Its media type.
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// Its status.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// The claims of trustworthiness of each of its parts, by name.
    pub fn parts(&self) -> impl Iterator<Item = (&str, &TrustVector)> {
        self.parts.iter().map(|(name, part)| (name.as_str(), part))
    }

    /// The checks: those that did not pass, worst first, then the others.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

impl BadStatus {
    /// The status of this peer, and its reasons.
    pub(crate) fn of(candidate: &Candidate) -> Self {
        Self {
            tier: candidate.status(),
            findings: candidate.items().iter().flat_map(reasons).collect(),
            items: candidate.items().iter().map(ItemStatus::of).collect(),
        }
    }

    /// Each item of the peer's attestation, those that are affirming too.
    pub fn items(&self) -> &[ItemStatus] {
        &self.items
    }

    /// The worst status of all appraised items.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// The checks that did not pass, failures before warnings. A service gives an Attestation Result and no checks; then these
    /// are the claims of the result that are not affirming.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

/// Prints the status, then the findings that fit into 1,024 bytes, and the first in any case.
impl fmt::Display for BadStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attestation status is {}", self.tier)?;
        let mut separator = ": ";
        let mut room = MAX_LINE;
        for (shown, finding) in self.findings.iter().enumerate() {
            let text = finding.short().to_string();
            match room.checked_sub(text.len()) {
                None if shown > 0 => {
                    let more = self.findings.len().saturating_sub(shown);
                    return write!(f, "; and {more} more");
                }
                left => room = left.unwrap_or(0),
            }
            write!(f, "{separator}{text}")?;
            separator = "; ";
        }
        Ok(())
    }
}

/// The reasons for which the status of an item is not affirming.
fn reasons(item: &AppraisedItem) -> Vec<Finding> {
    let worst = outcome(item.ear().status());
    if worst == Outcome::Passed {
        return Vec::new();
    }
    let findings = item.findings().iter();
    let mut found: Vec<_> = findings
        .filter(|finding| finding.outcome() != Outcome::Passed)
        .cloned()
        .collect();
    // A verifier may warn of one thing and refuse because of another that it does not report.
    if found.iter().all(|finding| finding.outcome() < worst) {
        found.extend(claims(item.ear()));
    }
    found.sort_by_key(|finding| std::cmp::Reverse(finding.outcome()));
    found
}

fn passed(item: &AppraisedItem) -> Vec<Finding> {
    let mut findings = item.findings().to_vec();
    findings.retain(|finding| finding.outcome() == Outcome::Passed);
    findings
}

/// The claims of a result that are not affirming, as findings.
fn claims(ear: &Ear) -> Vec<Finding> {
    let parts = ear
        .submods()
        .filter(|(_, part)| part.status() != Tier::Affirming);
    let found: Vec<_> = parts
        .flat_map(|(name, part)| claims_of(name, part))
        .take(MAX_FINDINGS)
        .collect();
    if found.is_empty() {
        vec![unexplained("ear.status", ear.status())]
    } else {
        found
    }
}

fn claims_of(name: &str, part: &Appraisal) -> Vec<Finding> {
    let claims = part.vector().claims();
    let mut found: Vec<_> = claims
        .filter(|(_, claim)| claim.tier() != Tier::Affirming && *claim != TrustClaim::NO_CLAIM)
        .map(|(category, claim)| {
            Finding::new(
                format_args!("{name}.{}", category.name()),
                outcome(claim.tier()),
            )
            .with_seen(claim.value())
            .with_note(category.meaning(claim))
        })
        .collect();
    if found.is_empty() {
        found.push(unexplained(format_args!("{name}.status"), part.status()));
    }
    found
}

fn unexplained(check: impl fmt::Display, status: Tier) -> Finding {
    Finding::new(check, outcome(status))
        .with_seen(status)
        .with_note("the verifier gives no reason; look into its logs and its policy")
}

fn outcome(tier: Tier) -> Outcome {
    match tier {
        Tier::Affirming => Outcome::Passed,
        Tier::Warning => Outcome::Warning,
        Tier::None | Tier::Contraindicated => Outcome::Failed,
    }
}

/// Most parts of an item that are told.
const MAX_PARTS: usize = 16;

/// Bytes of findings in one line of a log, for every peer can have such a line written. [`BadStatus::findings`] has all.
const MAX_LINE: usize = 1024;
