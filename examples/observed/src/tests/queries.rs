//! The queries of the dashboard and of the alerts, as far as they name what is exported.

/// One query: its text, its selectors, and the labels by which it groups.
pub(super) struct Query {
    pub(super) text: String,
    pub(super) selectors: Vec<Selector>,
    pub(super) grouped_by: Vec<String>,
}

/// The name of a metric, and the labels that it must have.
#[derive(Debug)]
pub(super) struct Selector {
    pub(super) name: String,
    pub(super) matchers: Vec<Matcher>,
}

/// A label and the values that it may have.
#[derive(Debug)]
pub(super) struct Matcher {
    pub(super) label: String,
    values: Vec<String>,
}

impl Matcher {
    pub(super) fn matches(&self, value: Option<&String>) -> bool {
        value.is_some_and(|value| self.values.contains(value))
    }
}

/// Those of the dashboard, of its variables, and of the alerts.
pub(super) fn all() -> Vec<Query> {
    let dashboard: serde_json::Value =
        serde_json::from_str(include_str!("../../../../docs/operations/grafana.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap());
    let shown = targets.map(|target| target["expr"].as_str().unwrap());
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let variables = variables
        .iter()
        .filter_map(|variable| variable["definition"].as_str());
    let alerts = include_str!("../../../../docs/operations/alerts.yml");
    let alerts = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: '"));
    let alerts = alerts.map(|alert| alert.strip_suffix('\'').unwrap());
    shown.chain(variables).chain(alerts).map(query).collect()
}

fn query(text: &str) -> Query {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut selectors = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("atls_") {
        let from = &rest[start..];
        let length = from.find(|c| !is_of_name(c)).unwrap_or(from.len());
        let (name, after) = from.split_at(length);
        let braces = after.strip_prefix('{').and_then(|it| it.split_once('}'));
        let matchers = braces.map_or_else(Vec::new, |(inside, _)| matchers(inside));
        let name = name.to_owned();
        selectors.push(Selector { name, matchers });
        rest = after;
    }
    let groups = text.split("by (").skip(1);
    let groups = groups.flat_map(|group| group.split(')').next().unwrap().split(','));
    let grouped_by = groups.map(|label| label.trim().to_owned());
    Query {
        text: text.to_owned(),
        selectors,
        grouped_by: grouped_by.filter(|label| !is_of_scrape(label)).collect(),
    }
}

fn matchers(inside: &str) -> Vec<Matcher> {
    let parts = inside.split("\",").map(|part| part.trim_end_matches('"'));
    let parts = parts.map(|part| part.split_once("=\"").or_else(|| part.split_once("=~\"")));
    parts
        .map(|part| {
            let (label, values) = part.unwrap();
            Matcher {
                label: label.trim_end_matches('~').to_owned(),
                values: values.split('|').map(str::to_owned).collect(),
            }
        })
        .filter(|matcher| !is_of_scrape(&matcher.label))
        .collect()
}

/// Prometheus adds these when it scrapes.
fn is_of_scrape(label: &str) -> bool {
    ["job", "instance"].contains(&label)
}
