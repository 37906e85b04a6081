//! An attestation, for people and for scripts.

mod hexadecimal;
mod measured;
mod services;

use atls_core::Origin;
use atls_core::ear::Appraisal;
use atls_core::ear::Tier;
use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_core::policy::AppraisedItem;
use atls_core::policy::Candidate;
use atls_sim::SimClaims;
use serde_json::Value;
use serde_json::json;

use crate::appraise;
use crate::clock;
use crate::terminal::Safe;
use crate::terminal::Style;
use crate::terminal::Table;

pub(crate) use hexadecimal::hex;

/// A table of all of it.
pub(crate) fn table(peer: &Candidate, style: Style) -> Table {
    let mut table = Table::new();
    table.painted(1, "status", tier(peer.status(), style));
    table.row("binding", &format!("to the {}", peer.binding()));
    let left = clock::spoken(peer.valid_for(peer.appraised_at()));
    let expires = format!("{}, in {left}", clock::rfc3339(peer.expires_at()));
    table.row("expires", &expires);
    for item in peer.items() {
        add_item(&mut table, item, style);
    }
    table
}

/// The same as JSON.
pub(crate) fn to_json(peer: &Candidate) -> Value {
    let items: Vec<_> = peer.items().iter().map(item_json).collect();
    json!({
        "status": peer.status().to_string(),
        "binding": peer.binding().to_string(),
        "appraised_at": clock::rfc3339(peer.appraised_at()),
        "expires_at": clock::rfc3339(peer.expires_at()),
        "items": items,
    })
}

/// A status in its colour.
pub(crate) fn tier(tier: Tier, style: Style) -> String {
    let word = tier.to_string();
    match tier {
        Tier::Affirming => style.good(&word),
        Tier::Warning => style.warning(&word),
        Tier::None | Tier::Contraindicated => style.bad(&word),
    }
}

/// A check in the colour of its outcome.
pub(crate) fn finding(finding: &Finding, style: Style) -> String {
    let line = Safe(&finding.to_string()).to_string();
    match finding.outcome() {
        Outcome::Passed => line,
        Outcome::Warning => style.warning(&line),
        Outcome::Failed => style.bad(&line),
    }
}

/// The shortcomings of a platform that is genuine.
pub(crate) fn notes(status: Tier, findings: &[Finding]) -> Vec<String> {
    let notable = findings.iter();
    let notable = notable.filter(|finding| finding.outcome() != Outcome::Passed);
    let mut notes: Vec<_> = notable
        .map(|found| Safe(&found.to_string()).to_string())
        .collect();
    if status != Tier::Affirming {
        notes.push(format!(
            "the policy is strict, and finds this machine {status}"
        ));
    }
    notes
}

pub(crate) fn finding_json(finding: &Finding) -> Value {
    let allowed: Vec<_> = finding
        .allowed()
        .iter()
        .map(|allowed| json!({ "name": allowed.name(), "value": allowed.value() }))
        .collect();
    json!({
        "check": finding.check(),
        "outcome": finding.outcome().to_string(),
        "seen": finding.seen(),
        "allowed": allowed,
        "further_allowed": finding.further_allowed(),
        "note": finding.note(),
        "place": finding.place().map(ToString::to_string),
    })
}

fn add_item(table: &mut Table, item: &AppraisedItem, style: Style) {
    let evidence = match item.label() {
        "" => item.media_type().to_string(),
        label => format!("{} ({label})", item.media_type()),
    };
    table.row("evidence", &evidence);
    table.inner("platform", platform(item));
    match item.origin() {
        Origin::Device => table.inner("origin", "a device"),
        _ => table.painted(
            2,
            "origin",
            style.warning("a simulator, which proves nothing"),
        ),
    }
    if let Some(image) = item.image() {
        table.inner("known as", image);
    }
    for (name, value) in measured::of(item) {
        table.inner(&name, &value);
    }
    let ear = item.ear();
    let verifier = format!("{} {}", ear.verifier().developer(), ear.verifier().build());
    table.inner("verifier", &verifier);
    table.inner("appraised", &clock::rfc3339(ear.issued_at()));
    for (name, appraisal) in ear.submods() {
        table.painted(2, name, tier(appraisal.status(), style));
        add_vector(table, appraisal, style);
    }
    let notable = |finding: &&Finding| finding.outcome() != Outcome::Passed;
    for found in item.findings().iter().filter(notable) {
        table.painted(2, "note", finding(found, style));
    }
}

fn platform(item: &AppraisedItem) -> &'static str {
    if item.claims::<SimClaims>().is_some() {
        return "a simulated device";
    }
    match appraise::table_of(&item.media_type().to_string()) {
        Some("azure") => "VM of Azure, by its paravisor",
        Some("cca") => "Arm CCA",
        Some("nitro") => "AWS Nitro Enclaves",
        Some("psa") => "Arm PSA",
        Some("sgx") => "Intel SGX",
        Some("snp") => "AMD SEV-SNP",
        Some("tdx") => "Intel TDX",
        Some("tpm") => "TPM 2.0",
        _ => "as its verifier says",
    }
}

fn add_vector(table: &mut Table, appraisal: &Appraisal, style: Style) {
    for (category, claim) in appraisal.vector().claims() {
        let number = claim.value();
        let status = tier(claim.tier(), style);
        let meaning = category.meaning(claim);
        table.painted(3, category.name(), format!("{number} {status}: {meaning}"));
    }
}

fn item_json(item: &AppraisedItem) -> Value {
    let ear = item.ear();
    let measured: serde_json::Map<_, _> = measured::of(item)
        .into_iter()
        .map(|(name, value)| (name, Value::from(value)))
        .collect();
    let submods: serde_json::Map<_, _> = ear
        .submods()
        .map(|(name, appraisal)| (name.to_owned(), appraisal_json(appraisal)))
        .collect();
    let findings: Vec<_> = item.findings().iter().map(finding_json).collect();
    json!({
        "label": item.label(),
        "media_type": item.media_type().to_string(),
        "platform": platform(item),
        "simulated": item.origin() != Origin::Device,
        "known_as": item.image(),
        "measurements": measured,
        "verifier": { "developer": ear.verifier().developer(), "build": ear.verifier().build() },
        "issued_at": clock::rfc3339(ear.issued_at()),
        "submods": submods,
        "findings": findings,
    })
}

pub(crate) fn appraisal_json(appraisal: &Appraisal) -> Value {
    let vector: serde_json::Map<_, _> = appraisal
        .vector()
        .claims()
        .map(|(category, claim)| {
            let document = json!({
                "value": claim.value(),
                "tier": claim.tier().to_string(),
                "meaning": category.meaning(claim),
            });
            (category.name().to_owned(), document)
        })
        .collect();
    json!({ "status": appraisal.status().to_string(), "vector": vector })
}
