//! The goals, and whether a run met them.

use crate::memory::IdleMemory;
use crate::page::Page;
use crate::service::BOTH_ATTEST;
use crate::service::Batches;
use crate::service::Device;
use crate::service::Kind;
use crate::service::SERVER_ATTESTS;

/// One goal and the figure of one run.
pub(crate) struct Bar {
    pub(crate) what: String,
    pub(crate) goal: String,
    pub(crate) figure: String,
    pub(crate) met: bool,
}

impl Bar {
    fn at_most(what: impl Into<String>, goal: f64, figure: f64, unit: &str) -> Self {
        Self {
            what: what.into(),
            goal: format!("at most {}{unit}", short(goal)),
            figure: format!("{}{unit}", short(figure)),
            met: figure <= goal,
        }
    }

    fn at_least(what: impl Into<String>, goal: f64, figure: f64, unit: &str) -> Self {
        Self {
            what: what.into(),
            goal: format!("at least {}{unit}", short(goal)),
            figure: format!("{}{unit}", short(figure)),
            met: figure >= goal,
        }
    }
}

pub(crate) fn bars(page: &Page) -> Vec<Bar> {
    let mut bars = Vec::new();
    for (device, figures) in &page.devices {
        let Device::Serial(milliseconds, Batches::Yes) = device else {
            continue;
        };
        let p50 = match milliseconds {
            39 => 120.0,
            140 => 350.0,
            1000 => 2200.0,
            _ => continue,
        };
        let what = |of| format!("device of {milliseconds} ms, in batches: {of}");
        bars.push(Bar::at_least(
            what("connections"),
            1000.0,
            figures.per_second,
            "/s",
        ));
        bars.push(Bar::at_most(what("p50"), p50, figures.p50, " ms"));
    }
    for setup in &page.setup {
        let (Some(plain), Some(server), Some(both)) = (
            setup.of(Kind::Plain),
            setup.of(SERVER_ATTESTS),
            setup.of(BOTH_ATTEST),
        ) else {
            continue;
        };
        let what = |of| format!("{} at a time: {of}", setup.at_once);
        let rate = server.per_second / plain.per_second;
        bars.push(Bar::at_least(
            what("connections/s, server attests, of plain TLS"),
            0.72,
            rate,
            "",
        ));
        let cpu = server.cpu() / plain.cpu();
        bars.push(Bar::at_most(
            what("processor time, server attests, of plain TLS"),
            1.35,
            cpu,
            "",
        ));
        let cpu = both.cpu() / plain.cpu();
        bars.push(Bar::at_most(
            what("processor time, both attest, of plain TLS"),
            1.60,
            cpu,
            "",
        ));
    }
    for row in &page.requests {
        let (carries, kind) = (row.carries, row.kind);
        if !matches!(kind, SERVER_ATTESTS | BOTH_ATTEST) {
            continue;
        }
        for baseline in [Kind::Plain, Kind::PlainServed] {
            if let Some(plain) = page.requests_of(carries, baseline) {
                let ratio = row.figures.cpu() / plain.cpu();
                let what =
                    format!("processor time of a request over {carries}, {kind}, of {baseline}");
                bars.push(Bar::at_most(what, 1.02, ratio, ""));
            }
        }
    }
    let allocations = page.handler.allocations_with_both - page.handler.allocations_alone;
    bars.push(Bar::at_most(
        "allocations of layer and extractor for a request",
        1.0,
        allocations,
        "",
    ));
    for kind in [SERVER_ATTESTS, BOTH_ATTEST] {
        let held = |kind| page.idle(kind)?.last().map(IdleMemory::both);
        if let (Some(plain), Some(ours)) = (held(Kind::Plain), held(kind)) {
            let what = format!("memory of an idle connection over plain TLS, {kind}");
            bars.push(Bar::at_most(what, 1024.0, ours - plain, " B"));
        }
    }
    for cost in &page.appraisal {
        bars.push(Bar::at_most(
            format!("{}, found in the cache", cost.name),
            5.0,
            cost.cached,
            " µs",
        ));
        if let Some(library) = cost.library {
            let what = format!("{}, of the bare library", cost.name);
            bars.push(Bar::at_most(what, 1.1, cost.appraisal / library, ""));
        }
    }
    bars
}

/// Two digits after the point for ratios, none for large figures.
fn short(figure: f64) -> String {
    match figure.abs() {
        large if large >= 100.0 => format!("{figure:.0}"),
        _ => format!("{figure:.2}"),
    }
}
