//! docs/operations.md beside the code, the dashboard, and what is recorded.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

#[test]
fn each_metric_of_the_code_is_on_the_page_and_each_of_the_page_in_the_code() {
    let page = read("docs/operations.md");
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `atls_"));
    let documented: BTreeSet<_> = rows
        .map(|row| format!("atls_{}", row.split('`').next().unwrap()))
        .collect();
    let mut used = BTreeSet::new();
    for file in sources() {
        let source = std::fs::read_to_string(file).unwrap();
        // Other names of this form are those of claims.
        if ["counter!(", "gauge!(", "histogram!("]
            .iter()
            .any(|it| source.contains(it))
        {
            used.extend(names(&source, '"'));
        }
    }
    assert_eq!(used, documented);
}

#[test]
fn each_label_of_the_code_is_on_the_page_and_each_of_the_page_in_the_code() {
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources() {
        let source = std::fs::read_to_string(file).unwrap();
        for kind in ["counter!(", "gauge!(", "histogram!("] {
            for call in source.split(kind).skip(1) {
                let arguments = arguments(call);
                let Some(name) = names(arguments, '"').into_iter().next() else {
                    continue;
                };
                let mut labels: Vec<_> = arguments.split("=>").collect();
                // The value of the last label.
                labels.pop();
                let labels = labels.into_iter().map(|before| {
                    let quoted = before.trim_end().strip_suffix('"').unwrap();
                    quoted.rsplit('"').next().unwrap().to_owned()
                });
                used.entry(name).or_default().extend(labels);
            }
        }
    }
    assert_eq!(used, Page::read().labels);
}

#[test]
fn each_reason_of_the_code_is_on_the_page_and_each_of_the_page_in_the_code() {
    let documented = reasons(&read("docs/operations.md"));
    let mut used = BTreeSet::new();
    for folder in ["atls-core/src", "atls-tower/src"] {
        for file in files(&root().join(folder)) {
            let source = std::fs::read_to_string(file).unwrap();
            for body in source.split("fn reason(&self) -> &'static str {").skip(1) {
                let (body, _) = body.split_once("\n    }\n").unwrap();
                let words = body.split('"').skip(1).step_by(2);
                used.extend(words.map(str::to_owned));
            }
        }
    }
    assert_eq!(used, documented);
}

#[test]
fn the_dashboard_shows_every_metric_and_no_other() {
    let page = read("docs/operations.md");
    let rows = page.lines().filter(|line| line.starts_with("| `atls_"));
    let documented: BTreeSet<_> = rows.flat_map(|row| names(row, '`')).collect();
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("docs/operations/grafana.json")).unwrap();
    let mut shown = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let metrics = words.filter(|word| word.starts_with("atls_"));
            shown.extend(metrics.map(|word| word.trim_end_matches("_bucket").to_owned()));
        }
    }
    assert_eq!(shown, documented);
}

#[test]
fn each_alert_of_the_page_is_in_the_rules_and_each_of_the_rules_on_the_page() {
    let page = read("docs/operations.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `Atls"));
    let documented: BTreeSet<_> = rows.map(|row| row.split('`').next().unwrap()).collect();
    let rules = read("docs/operations/alerts.yml");
    let alerts = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: Atls"));
    assert_eq!(alerts.collect::<BTreeSet<_>>(), documented);
    assert!(!documented.is_empty());
}

/// Grafana's classic model. `examples/observed/check-dashboard` asks its schema; here stands what a hand that edits the file forgets.
#[test]
fn the_dashboard_is_of_grafanas_form() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("docs/operations/grafana.json")).unwrap();
    let uid = dashboard["uid"].as_str().unwrap();
    assert!((8..=40).contains(&uid.len()), "{uid}");
    let source = serde_json::json!({ "type": "prometheus", "uid": "${datasource}" });
    assert!(dashboard["annotations"]["list"].is_array());
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        assert_eq!(panel["datasource"], source);
        assert!(panel["options"]["legend"]["calcs"].is_array(), "{panel}");
        let unit = panel["fieldConfig"]["defaults"]["unit"].as_str().unwrap();
        assert!(["cps", "reqps", "s", "short"].contains(&unit), "{unit}");
        let at = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{panel}");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "panels overlap: {panel}");
            }
        }
        let mut letters = BTreeSet::new();
        for target in panel["targets"].as_array().unwrap() {
            assert!(letters.insert(target["refId"].as_str().unwrap()), "{panel}");
            assert_eq!(target["datasource"], source);
            // Else it shows all services, whichever is chosen above it.
            let expression = target["expr"].as_str().unwrap();
            let chosen = expression.matches(r#"job=~"$job",instance=~"$instance""#);
            assert_eq!(chosen.count(), expression.matches("atls_").count());
        }
    }
}

/// Every series has the labels that the page says, and no value of a label that it does not.
pub(crate) fn assert_documented(recorded: &str) {
    let page = Page::read();
    for series in recorded.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, rest)) = series.split_once('{') else {
            continue;
        };
        let name = ["_count", "_sum", "_bucket"]
            .into_iter()
            .find_map(|part| name.strip_suffix(part))
            .unwrap_or(name);
        let (labels, _) = rest.rsplit_once('}').unwrap();
        for label in labels.split(',') {
            let (label, value) = label.split_once('=').unwrap();
            // Those of a histogram.
            if ["le", "quantile"].contains(&label) {
                continue;
            }
            assert!(page.labels[name].contains(label), "{series}");
            let values = page.values.get(label);
            let is_named = values.is_none_or(|values| values.contains(value.trim_matches('"')));
            assert!(is_named, "{series}");
        }
    }
}

/// What docs/operations.md says of labels.
struct Page {
    /// By the name of the metric.
    labels: BTreeMap<String, BTreeSet<String>>,
    /// By label, where the page names all of them. It does not for names that the application gives.
    values: BTreeMap<String, BTreeSet<String>>,
}

impl Page {
    fn read() -> Self {
        let page = read("docs/operations.md");
        let cells = |row: &str| row.split('|').map(str::to_owned).collect::<Vec<_>>();
        let rows = page.lines().filter(|row| row.starts_with("| `atls_"));
        let labels = rows.map(cells).map(|cells| {
            let name = words(&cells[1]).next().unwrap().to_owned();
            (name, words(&cells[4]).map(str::to_owned).collect())
        });
        let (_, table) = page.split_once("| label | values |").unwrap();
        let (table, _) = table.split_once("\n\n").unwrap();
        let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for cells in table.lines().map(cells).filter(|cells| cells.len() > 2) {
            for label in words(&cells[1]) {
                let known = values.entry(label.to_owned()).or_default();
                known.extend(words(&cells[2]).map(str::to_owned));
            }
        }
        values
            .entry("reason".to_owned())
            .or_default()
            .extend(reasons(&page));
        for named in ["service", "verifier"] {
            values.remove(named);
        }
        Self {
            labels: labels.collect(),
            values,
        }
    }
}

/// The words of the page's table of reasons.
fn reasons(page: &str) -> BTreeSet<String> {
    let (_, table) = page.split_once("| reason | look at |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let first = table.lines().filter_map(|row| row.split('|').nth(1));
    let words = first.flat_map(words);
    // A label beside a reason.
    let words = words.filter(|word| !word.contains('='));
    words.map(str::to_owned).collect()
}

fn words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The sources that may count.
fn sources() -> impl Iterator<Item = PathBuf> {
    let folders = [
        "atls-tower/src",
        "atls-axum/src",
        "support/remote/src",
        "support/collateral/src",
    ];
    folders
        .into_iter()
        .flat_map(|folder| files(&root().join(folder)))
}

/// All to the parenthesis that ends a call.
fn arguments(call: &str) -> &str {
    let mut depth = 1_usize;
    let end = call.find(|c| {
        depth = match c {
            '(' => depth.saturating_add(1),
            ')' => depth.saturating_sub(1),
            _ => depth,
        };
        depth == 0
    });
    &call[..end.unwrap()]
}

/// The names of metrics between such quotes.
fn names(text: &str, quote: char) -> Vec<String> {
    let quoted = text.split(quote).skip(1).step_by(2);
    let names = quoted.filter(|name| {
        name.starts_with("atls_") && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    });
    // A target of tracing has the name of a crate.
    let names = names.filter(|name| !["atls_remote", "atls_tower", "atls_axum"].contains(name));
    names.map(str::to_owned).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
