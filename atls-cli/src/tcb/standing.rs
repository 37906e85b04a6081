//! The standing of a platform: its versions, and how far they are behind.

use atls_core::finding::Finding;
use atls_core::finding::Outcome as Checked;
use atls_snp::SnpClaims;
use atls_tdx::PlatformClaims;
use atls_tdx::TcbStatus;
use atls_tdx::tcb::PartTcb;
use serde_json::Value;
use serde_json::json;

use crate::clock;
use crate::report;
use crate::terminal::Safe;
use crate::terminal::Style;
use crate::terminal::Table;

/// One platform, and the findings about its versions.
pub(super) struct Standing {
    versions: Versions,
    findings: Vec<Finding>,
    judge: Judge,
}

/// Whoever says which versions are good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judge {
    /// Its maker, as far as that publishes a list.
    Maker,
    Policy,
}

/// The versions, by their maker.
pub(super) enum Versions {
    Amd(Box<SnpClaims>),
    Intel(Box<PlatformClaims>),
}

impl Standing {
    pub(super) fn of(versions: Versions, findings: &[Finding], judge: Judge) -> Self {
        let is_about_versions = |finding: &&Finding| {
            let check = finding.check();
            // Where a policy does not name the product, no version of it is good enough.
            check.contains("tcb") || check.ends_with(".collateral") || check == "snp.product"
        };
        Self {
            versions,
            findings: findings.iter().filter(is_about_versions).cloned().collect(),
            judge,
        }
    }

    /// Somebody says which versions are good enough. AMD publishes no list.
    pub(super) fn is_judged(&self) -> bool {
        matches!(self.versions, Versions::Intel(_)) || self.judge == Judge::Policy
    }

    /// Nothing of it is, or will be, less than it should be.
    pub(super) fn is_current(&self) -> bool {
        let passed = |finding: &Finding| finding.outcome() == Checked::Passed;
        let up_to_date = match &self.versions {
            Versions::Amd(_) => true,
            Versions::Intel(platform) => {
                let next = platform.early.as_ref().map(|early| early.tcb_status);
                let all = [platform.tcb_status, next].into_iter().flatten();
                platform.tcb_status.is_some()
                    && all.into_iter().all(|status| status == TcbStatus::UpToDate)
            }
        };
        up_to_date && self.findings.iter().all(passed)
    }

    pub(super) fn table(&self, style: Style) -> Table {
        let mut table = Table::new();
        match &self.versions {
            Versions::Amd(claims) => {
                table.painted(0, "platform", format!("AMD SEV-SNP, {}", claims.product));
                for (name, tcb) in firmware(claims) {
                    table.row(name, &tcb);
                }
            }
            Versions::Intel(platform) => intel(&mut table, platform, style),
        }
        let notable = self.findings.iter();
        let notable = notable.filter(|finding| finding.outcome() != Checked::Passed);
        for finding in notable {
            table.painted(1, "note", report::finding(finding, style));
        }
        let says = match (self.is_current(), self.is_judged()) {
            (false, _) => style.warning("update it"),
            (true, true) => style.good("nothing to do"),
            (true, false) => {
                style.warning("not judged: AMD publishes no list, and there is no --policy")
            }
        };
        table.painted(1, "so", says);
        table
    }

    pub(super) fn to_json(&self) -> Value {
        let findings: Vec<_> = self.findings.iter().map(report::finding_json).collect();
        let mut document = match &self.versions {
            Versions::Amd(claims) => {
                let firmware: serde_json::Map<_, _> = firmware(claims)
                    .into_iter()
                    .map(|(name, tcb)| (name.to_owned(), Value::from(tcb)))
                    .collect();
                json!({ "maker": "AMD", "product": claims.product.name(), "tcb": firmware })
            }
            Versions::Intel(platform) => {
                let early = platform.early.as_ref().map(|early| {
                    json!({
                        "evaluation_data_number": early.tcb_evaluation_data_number,
                        "status": format!("{:?}", early.tcb_status),
                        "advisories": early.advisories,
                        "parts": parts_json(&early.parts),
                    })
                });
                json!({
                    "maker": "Intel",
                    "status": platform.tcb_status.map(|status| format!("{status:?}")),
                    "advisories": platform.advisories,
                    "evaluation_data_number": platform.tcb_evaluation_data_number,
                    "parts": parts_json(&platform.parts),
                    "next": early,
                })
            }
        };
        if let Value::Object(fields) = &mut document {
            fields.insert("current".to_owned(), self.is_current().into());
            fields.insert("judged".to_owned(), self.is_judged().into());
            fields.insert("findings".to_owned(), findings.into());
        }
        document
    }
}

fn intel(table: &mut Table, platform: &PlatformClaims, style: Style) {
    let word = |status: TcbStatus| match status {
        TcbStatus::UpToDate => style.good("UpToDate"),
        other => style.warning(&format!("{other:?}")),
    };
    let status = platform
        .tcb_status
        .map_or_else(|| style.bad("not rated"), word);
    table.painted(0, "platform", format!("Intel, {status}"));
    if let Some(number) = platform.tcb_evaluation_data_number {
        table.row("evaluation data number", &number.to_string());
    }
    if !platform.advisories.is_empty() {
        table.row("advisories", &platform.advisories.join(", "));
    }
    for part in &platform.parts {
        add_part(table, 1, part, &word);
    }
    match &platform.early {
        Some(early) => {
            let number = early.tcb_evaluation_data_number;
            let status = word(early.tcb_status);
            table.painted(
                1,
                "next",
                format!("{status} by evaluation data number {number}"),
            );
            for part in early.parts.iter().filter(|part| part.update.is_some()) {
                add_part(table, 2, part, &word);
            }
        }
        None => table.row(
            "next",
            "Intel's early issue is not at hand; --early FILE gives it",
        ),
    }
}

fn add_part(table: &mut Table, depth: usize, part: &PartTcb, word: &impl Fn(TcbStatus) -> String) {
    let date = part
        .tcb_date
        .map(|date| format!(" of {}", clock::rfc3339(date)));
    let status = format!("{}{}", word(part.status), date.unwrap_or_default());
    table.painted(depth, &part.part.to_string(), status);
    let Some(update) = &part.update else {
        return;
    };
    let date = clock::rfc3339(update.tcb_date);
    let needs = format!("to be {:?} of {date}", update.status);
    table.painted(depth.saturating_add(1), "behind", needs);
    for shortfall in &update.shortfalls {
        let shown = Safe(&shortfall.to_string()).to_string();
        table.painted(depth.saturating_add(1), "", shown);
    }
}

fn parts_json(parts: &[PartTcb]) -> Value {
    let parts = parts.iter().map(|part| {
        let update = part.update.as_ref().map(|update| {
            let shortfalls = update.shortfalls.iter().map(ToString::to_string);
            json!({
                "status": format!("{:?}", update.status),
                "date": clock::rfc3339(update.tcb_date),
                "shortfalls": shortfalls.collect::<Vec<_>>(),
            })
        });
        json!({
            "part": part.part.to_string(),
            "status": format!("{:?}", part.status),
            "date": part.tcb_date.map(clock::rfc3339),
            "advisories": part.advisories,
            "update": update,
        })
    });
    parts.collect::<Vec<_>>().into()
}

fn firmware(claims: &SnpClaims) -> [(&'static str, String); 4] {
    [
        ("current", claims.current_tcb.to_string()),
        ("reported", claims.reported_tcb.to_string()),
        ("committed", claims.committed_tcb.to_string()),
        ("launch", claims.launch_tcb.to_string()),
    ]
}
