//! An attestation, for people and for scripts.

use atls_azure::AzureClaims;
use atls_core::Origin;
use atls_core::ear::Appraisal;
use atls_core::ear::Tier;
use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_core::policy::AppraisedItem;
use atls_core::policy::Candidate;
use atls_nitro::NitroClaims;
use atls_sim::SimClaims;
use atls_snp::SnpClaims;
use atls_tdx::PlatformClaims;
use atls_tdx::SgxClaims;
use atls_tdx::TdxClaims;
use atls_tpm::TpmClaims;
use serde_json::Value;
use serde_json::json;

use crate::clock;
use crate::terminal::Safe;
use crate::terminal::Style;
use crate::terminal::Table;

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
    for (name, value) in measurements(item) {
        table.inner(name, &value);
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
    let measured: serde_json::Map<_, _> = measurements(item)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    let submods: serde_json::Map<_, _> = ear
        .submods()
        .map(|(name, appraisal)| (name.to_owned(), appraisal_json(appraisal)))
        .collect();
    let findings: Vec<_> = item.findings().iter().map(finding_json).collect();
    json!({
        "label": item.label(),
        "media_type": item.media_type().to_string(),
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

/// The measurements, by the names of the policy file, and the age of the platform.
fn measurements(item: &AppraisedItem) -> Vec<(&'static str, String)> {
    if let Some(claims) = item.claims::<TdxClaims>() {
        return of_td(claims);
    }
    if let Some(claims) = item.claims::<SgxClaims>() {
        return of_enclave(claims);
    }
    if let Some(claims) = item.claims::<SnpClaims>() {
        return of_guest(claims);
    }
    if let Some(claims) = item.claims::<AzureClaims>() {
        return of_vm(claims);
    }
    if let Some(claims) = item.claims::<TpmClaims>() {
        return vec![("secure-boot", claims.shows_secure_boot.to_string())];
    }
    if let Some(claims) = item.claims::<NitroClaims>() {
        return of_nitro(claims);
    }
    if let Some(claims) = item.claims::<SimClaims>() {
        return of_simulated(claims);
    }
    Vec::new()
}

fn of_td(claims: &TdxClaims) -> Vec<(&'static str, String)> {
    let report = &claims.report;
    let mut measured = vec![
        ("mrtd", report.mrtd.to_string()),
        ("mrseam", report.mrseam.to_string()),
    ];
    let rtmrs = RTMRS.into_iter().zip(&report.rtmr);
    measured.extend(rtmrs.map(|(name, value)| (name, value.to_string())));
    measured.extend(of_platform(&claims.platform));
    measured
}

fn of_enclave(claims: &SgxClaims) -> Vec<(&'static str, String)> {
    let report = &claims.report;
    let mut measured = vec![
        ("mrenclave", report.mrenclave.to_string()),
        ("mrsigner", report.mrsigner.to_string()),
        ("isv-prod-id", report.isv_prod_id.to_string()),
        ("isv-svn", report.isv_svn.to_string()),
    ];
    measured.extend(of_platform(&claims.platform));
    measured
}

fn of_platform(platform: &PlatformClaims) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if let Some(status) = platform.tcb_status {
        rows.push(("tcb-status", format!("{status:?}")));
    }
    if let Some(date) = platform.tcb_date {
        rows.push(("tcb-date", clock::rfc3339(date)));
    }
    if !platform.advisories.is_empty() {
        rows.push(("advisories", platform.advisories.join(", ")));
    }
    rows
}

fn of_guest(claims: &SnpClaims) -> Vec<(&'static str, String)> {
    vec![
        ("product", claims.product.to_string()),
        ("measurement", claims.measurement.to_string()),
        ("host-data", claims.host_data.to_string()),
        ("guest-svn", claims.guest_svn.to_string()),
        ("vmpl", claims.vmpl.to_string()),
        ("reported-tcb", claims.reported_tcb.to_string()),
        ("committed-tcb", claims.committed_tcb.to_string()),
    ]
}

/// Without what names the VM.
fn of_vm(claims: &AzureClaims) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("secure-boot", claims.secure_boot.to_string()),
        ("tpm-enabled", claims.tpm_enabled.to_string()),
    ];
    if let Some(enabled) = claims.console_enabled {
        rows.push(("console-enabled", enabled.to_string()));
    }
    rows
}

fn of_nitro(claims: &NitroClaims) -> Vec<(&'static str, String)> {
    let registers = claims.pcrs.iter();
    let used = registers.filter(|(_, value)| !value.is_zero());
    used.filter_map(|(index, value)| {
        let name = PCRS.get(usize::from(*index))?;
        Some((*name, value.to_string()))
    })
    .collect()
}

fn of_simulated(claims: &SimClaims) -> Vec<(&'static str, String)> {
    let software = claims.software.iter();
    software
        .map(|part| {
            (
                "software",
                format!("{} {}", part.name, hex(&part.measurement)),
            )
        })
        .collect()
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const RTMRS: [&str; 4] = ["rtmr0", "rtmr1", "rtmr2", "rtmr3"];

const PCRS: [&str; 16] = [
    "pcr0", "pcr1", "pcr2", "pcr3", "pcr4", "pcr5", "pcr6", "pcr7", "pcr8", "pcr9", "pcr10",
    "pcr11", "pcr12", "pcr13", "pcr14", "pcr15",
];
