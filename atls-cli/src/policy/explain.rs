//! `atls policy explain`: claim by claim.

use std::collections::BTreeSet;
use std::path::PathBuf;

use atls_core::Origin;
use atls_core::RecordedAppraisal;
use atls_core::ear::Tier;
use clap::Args;
use serde_json::Value;
use serde_json::json;

use super::unseen;
use super::unseen::Unseen;
use crate::appraise;
use crate::appraise::Evidence;
use crate::appraise::Policy;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::inspect;
use crate::report;
use crate::terminal::Safe;
use crate::terminal::Style;
use crate::terminal::Terminal;
use crate::trust;
use crate::trust::AppraisalOptions;

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExplainOptions {
    /// The policy file
    #[arg(value_name = "POLICY")]
    policy: PathBuf,

    /// The Evidence: anything that `atls inspect` recognises, or - for the standard input
    #[arg(value_name = "EVIDENCE")]
    evidence: PathBuf,

    /// Appraise as of this time, such as 2026-11-29T18:00:00Z
    #[arg(long, value_name = "TIME")]
    at: Option<String>,

    /// Write one JSON document
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    trust: AppraisalOptions,
}

pub(super) async fn run(options: &ExplainOptions, terminal: &mut Terminal) -> Result<(), Failure> {
    let ended = explain(options, terminal).await;
    match ended {
        Err(failure) if options.json && !failure.is_reported() => {
            terminal.out_json(&json!({ "accepted": false, "error": failure.to_json() }))?;
            Err(failure.already_reported())
        }
        other => other,
    }
}

async fn explain(options: &ExplainOptions, terminal: &mut Terminal) -> Result<(), Failure> {
    let policy = Policy::open(&options.policy)?;
    let tables = policy.tables()?;
    let items = inspect::evidence_of(&options.evidence)?;
    let at = appraise::time(options.at.as_deref())?;
    let mut documents = Vec::new();
    let mut worst = Verdict::Accepted;
    let mut used = BTreeSet::new();
    for item in &items {
        let recorded = appraise::recorded(item, &policy, &options.trust, at).await?;
        for (item, appraised) in recorded.items() {
            used.extend(item.table());
            let unseen = unseen::of(item, appraised, &policy)?;
            let verdict = Verdict::of(appraised, &options.trust);
            if options.json {
                documents.push(to_json(item, appraised, &unseen, &verdict));
            } else {
                print(item, appraised, &unseen, &verdict, terminal)?;
            }
            if verdict != Verdict::Accepted {
                worst = verdict;
            }
        }
    }
    let accepted = worst == Verdict::Accepted;
    let unused = unused(&tables, &used);
    if options.json {
        let unused: serde_json::Map<_, _> = unused
            .iter()
            .map(|(table, why)| ((*table).to_owned(), Value::from(*why)))
            .collect();
        let document =
            json!({ "accepted": accepted, "items": documents, "tables_not_looked_at": unused });
        terminal.out_json(&document)?;
    } else {
        for (table, why) in &unused {
            terminal.out_line(&format!("[{table}] was not looked at: {why}"))?;
        }
    }
    match worst {
        Verdict::Accepted => Ok(()),
        Verdict::Refused(why) => {
            let failure = Failure::new(Outcome::Refused, why);
            Err(match options.json {
                true => failure.already_reported(),
                false => failure,
            })
        }
    }
}

/// The tables of the policy that say nothing of these items, each with the reason.
fn unused<'a>(tables: &'a [String], used: &BTreeSet<&str>) -> Vec<(&'a str, &'static str)> {
    let reason = |table: &str| match table {
        _ if trust::RULES.contains(&table) => {
            Some("it is about a peer, which `get` and `proxy` ask")
        }
        // The verifier of the other table reads the keys.
        _ if used.contains(table.trim_end_matches("-keys")) => None,
        _ => Some("no item here is of its platform"),
    };
    let tables = tables.iter().map(String::as_str);
    tables
        .filter_map(|table| Some((table, reason(table)?)))
        .collect()
}

/// The verdict of the standard policy on an appraisal, its binding apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    Refused(String),
}

impl Verdict {
    pub(crate) fn of(appraised: &RecordedAppraisal, trust: &AppraisalOptions) -> Self {
        let simulated = appraised.origin() != Origin::Device;
        if simulated && !trust.accepts_simulated() {
            return Self::Refused("the evidence comes from a simulator".to_owned());
        }
        match appraised.ear().status() {
            Tier::Affirming => Self::Accepted,
            Tier::Warning if trust.accept_warning => Self::Accepted,
            Tier::Warning => {
                Self::Refused("the status is warning, which --accept-warning accepts".to_owned())
            }
            status => Self::Refused(format!("the status is {status}")),
        }
    }
}

fn print(
    item: &Evidence,
    appraised: &RecordedAppraisal,
    unseen: &Unseen,
    verdict: &Verdict,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let style = terminal.out_style();
    let status = report::tier(appraised.ear().status(), style);
    let heading = format!("{} is {status}", Safe(&item.media_type));
    terminal.out_line(&heading)?;
    terminal.out_line("  looked at")?;
    for finding in appraised.findings() {
        terminal.out_line(&format!("    {}", report::finding(finding, style)))?;
    }
    terminal.out_line("  not looked at")?;
    terminal.out_line("    the binding to a connection: a recorded appraisal has none")?;
    for (name, value) in unseen.values() {
        let line = format!(
            "    {}: seen {}, any value is accepted",
            Safe(name),
            Safe(value)
        );
        terminal.out_line(&line)?;
    }
    terminal.out_line(&format!("  {}", word(verdict, style)))
}

fn word(verdict: &Verdict, style: Style) -> String {
    match verdict {
        Verdict::Accepted => style.good("accepted, if it is bound to the connection"),
        Verdict::Refused(_) => style.bad("refused"),
    }
}

fn to_json(
    item: &Evidence,
    appraised: &RecordedAppraisal,
    unseen: &Unseen,
    verdict: &Verdict,
) -> Value {
    let findings: Vec<_> = appraised
        .findings()
        .iter()
        .map(report::finding_json)
        .collect();
    let submods: serde_json::Map<_, _> = appraised
        .ear()
        .submods()
        .map(|(name, appraisal)| (name.to_owned(), report::appraisal_json(appraisal)))
        .collect();
    let unseen: serde_json::Map<_, _> = unseen
        .values()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    json!({
        "media_type": item.media_type,
        "accepted": *verdict == Verdict::Accepted,
        "status": appraised.ear().status().to_string(),
        "known_as": appraised.image(),
        "simulated": appraised.origin() != Origin::Device,
        "submods": submods,
        "findings": findings,
        "not_looked_at": unseen,
    })
}

const EXAMPLES: &str = "\
Signatures, collateral, TCB and every line of the policy are checked. The binding to a connection is
not: a recording has none. Exit code 3 says that the policy refuses, 2 that the Evidence is not genuine.

Examples:
  atls policy explain policy.toml evidence.bin
  atls policy explain policy.toml quote.bin --at 2026-06-08T12:00:00Z --collateral collateral.json";
