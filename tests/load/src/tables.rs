//! The tables of docs/performance.md, between two marks in it.

use std::error::Error;
use std::fs;
use std::path::Path;

use crate::bars::bars;
use crate::figures::Figures;
use crate::memory::IdleMemory;
use crate::page::Page;
use crate::page::Setup;
use crate::service::Batches;
use crate::service::Device;
use crate::service::Kind;

/// Replaces the tables in a page.
pub(crate) fn write(page: &Page, path: &Path) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    let marks = || format!("{} has no marks for its tables", path.display());
    let text = replaced(&text, &all(page)).ok_or_else(marks)?;
    Ok(fs::write(path, text)?)
}

/// The text with other tables between its marks; none where it has no marks.
fn replaced(text: &str, tables: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{tables}\n{END}{after}"))
}

/// All tables, in Markdown.
pub(crate) fn all(page: &Page) -> String {
    let mut out = format!("\nMeasured on {}.\n", page.machine);
    for setup in &page.setup {
        out += &setup_table(setup);
    }
    out += &devices(page);
    out += &sizes(page);
    out += &requests(page);
    out += &memory(page);
    out += &appraisal(page);
    out += &goals(page);
    out
}

fn setup_table(setup: &Setup) -> String {
    let title = format!(
        "Connections, {} at a time, a device that costs nothing",
        setup.at_once
    );
    let plain = setup.of(Kind::Plain);
    let cpu = plain.map_or(f64::NAN, Figures::cpu);
    let per_second = plain.map_or(f64::NAN, |plain| plain.per_second);
    let row = |name: String, figures: &Figures, cpu: f64, per_second: f64| {
        [
            name,
            format!("{:.0}", figures.per_second),
            format!("{:.2}", figures.per_second / per_second),
            format!("{:.2}", figures.p50),
            format!("{:.2}", figures.p99),
            format!("{:.0}", figures.client_cpu),
            format!("{:.0}", figures.server_cpu),
            format!("{:.2}", figures.cpu() / cpu),
        ]
    };
    let ours = setup.kinds.iter();
    let ours = ours.map(|(kind, figures)| row(kind.to_string(), figures, cpu, per_second));
    let other = setup.other.iter().flat_map(|(plain, attested)| {
        let cpu = plain.cpu();
        [
            row(
                "peer: plain TLS 1.3".to_owned(),
                plain,
                cpu,
                plain.per_second,
            ),
            row(
                "peer: server attests".to_owned(),
                attested,
                cpu,
                plain.per_second,
            ),
        ]
    });
    let head = [
        "",
        "per s",
        "of plain",
        "p50 ms",
        "p99 ms",
        "client µs",
        "server µs",
        "CPU of plain",
    ];
    table(&title, head, ours.chain(other))
}

fn devices(page: &Page) -> String {
    let rows = page.devices.iter().map(|(device, figures)| {
        let (time, batches) = match device {
            Device::Free => ("none".to_owned(), ""),
            Device::Serial(milliseconds, Batches::No) => (format!("{milliseconds} ms"), "one each"),
            Device::Serial(milliseconds, Batches::Yes) => (format!("{milliseconds} ms"), "batches"),
        };
        [
            time,
            batches.to_owned(),
            format!("{:.1}", figures.per_second),
            format!("{:.0}", figures.p50),
            format!("{:.0}", figures.p99),
            format!("{:.0}", figures.cpu()),
            figures.failed.to_string(),
        ]
    });
    let head = [
        "device", "Evidence", "per s", "p50 ms", "p99 ms", "CPU µs", "failed",
    ];
    table("A serial device, the server attests", head, rows)
}

fn sizes(page: &Page) -> String {
    let plain = page
        .sizes
        .first()
        .map_or(f64::NAN, |(_, plain)| plain.cpu());
    let rows = page.sizes.iter().map(|(bytes, figures)| {
        [
            match bytes {
                0 => "plain TLS 1.3".to_owned(),
                bytes => format!("{bytes} B"),
            },
            format!("{:.0}", figures.per_second),
            format!("{:.2}", figures.p50),
            format!("{:.0}", figures.client_cpu),
            format!("{:.0}", figures.server_cpu),
            format!("{:.2}", figures.cpu() / plain),
        ]
    });
    let head = [
        "Evidence",
        "per s",
        "p50 ms",
        "client µs",
        "server µs",
        "CPU of plain",
    ];
    table(
        "Size of Evidence, 16 at a time, the server attests",
        head,
        rows,
    )
}

fn requests(page: &Page) -> String {
    let rows = page.requests.iter().map(|row| {
        let plain = page.requests_of(row.carries, Kind::Plain);
        let plain = plain.map_or(f64::NAN, Figures::cpu);
        [
            row.carries.to_string(),
            row.kind.to_string(),
            format!("{:.0}", row.figures.per_second),
            format!("{:.2}", row.figures.p50),
            format!("{:.1}", row.figures.cpu()),
            format!("{:.3}", row.figures.cpu() / plain),
        ]
    });
    let head = ["", "", "requests/s", "p50 ms", "CPU µs", "CPU of plain"];
    let handler = &page.handler;
    let note = format!(
        "\nLayer and extractor take {:.0} ns and {:.3} allocations of a request.\n",
        handler.with_both - handler.alone,
        handler.allocations_with_both - handler.allocations_alone
    );
    table("Requests over 16 open connections", head, rows) + &note
}

fn memory(page: &Page) -> String {
    let rows = page.memory.iter().flat_map(|row| {
        row.held.iter().map(|held| {
            let plain = page
                .idle(Kind::Plain)
                .and_then(|all| all.iter().find(|one| one.connections == held.connections));
            let plain = plain.map_or(f64::NAN, IdleMemory::both);
            [
                row.kind.to_string(),
                held.connections.to_string(),
                format!("{:.0}", held.client),
                format!("{:.0}", held.server),
                format!("{:+.0}", held.both() - plain),
                format!("{:.0}", held.resident),
            ]
        })
    });
    let head = [
        "",
        "idle",
        "client B",
        "server B",
        "over plain B",
        "resident B, both",
    ];
    table("Memory of each idle connection", head, rows)
}

fn appraisal(page: &Page) -> String {
    if page.appraisal.is_empty() {
        return String::new();
    }
    let rows = page.appraisal.iter().map(|cost| {
        [
            cost.name.clone(),
            cost.bytes.to_string(),
            format!("{:.0}", cost.appraisal),
            cost.library
                .map_or_else(String::new, |library| format!("{library:.0}")),
            format!("{:.1}", cost.cached),
        ]
    });
    let head = [
        "genuine Evidence",
        "bytes",
        "appraisal µs",
        "library alone µs",
        "cached µs",
    ];
    table("Appraisal in process", head, rows)
}

fn goals(page: &Page) -> String {
    let rows = bars(page).into_iter().map(|bar| {
        [
            bar.what,
            bar.goal,
            bar.figure,
            if bar.met { "yes" } else { "**no**" }.to_owned(),
        ]
    });
    table("Goals", ["", "goal", "this run", "met"], rows)
}

/// A title, a blank line, and a table whose figures stand to the right.
fn table<const N: usize>(
    title: &str,
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let mut out = format!("\n### {title}\n\n| {} |\n|---|", head.join(" | "));
    out += &"--:|".repeat(N.saturating_sub(1));
    out.push('\n');
    for row in rows {
        out += &format!("| {} |\n", row.join(" | "));
    }
    out
}

const BEGIN: &str = "<!-- tables: written by `load page` -->";
const END: &str = "<!-- end of tables -->";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_replaced_between_their_marks_alone() {
        let page = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let first = replaced(&page, "new").unwrap();
        assert_eq!(first, format!("before\n{BEGIN}\nnew\n{END}\nafter\n"));
        assert_eq!(replaced(&first, "new"), Some(first));
        assert_eq!(replaced("no marks", "new"), None);
    }

    /// `load page` writes both, and `load again` the tables and plots from the figures.
    #[test]
    fn the_tables_of_the_page_are_those_of_its_figures() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let figures = fs::read(docs.join("performance/figures.json")).unwrap();
        let text = fs::read_to_string(docs.join("performance.md")).unwrap();
        let tables = all(&serde_json::from_slice(&figures).unwrap());
        assert_eq!(replaced(&text, &tables), Some(text));
    }

    #[test]
    fn a_table_has_a_row_for_each_line() {
        let rows = [["a".to_owned(), "1".to_owned()]].into_iter();
        let expected = "\n### Title\n\n|  | n |\n|---|--:|\n| a | 1 |\n";
        assert_eq!(table("Title", ["", "n"], rows), expected);
    }
}
