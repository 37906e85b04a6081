//! The text that Prometheus scrapes.

use std::collections::BTreeMap;

use super::queries::Matcher;
use super::queries::Query;

/// The series: name, and labels by name.
pub(super) struct Exported(Vec<(String, BTreeMap<String, String>)>);

impl Exported {
    pub(super) fn of(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self(lines.filter_map(series).collect())
    }

    /// What the query asks for and is not there.
    pub(super) fn lacks(&self, query: &Query) -> Option<String> {
        for selector in &query.selectors {
            let found = self.0.iter().any(|(name, labels)| {
                let matches = |matcher: &Matcher| matcher.matches(labels.get(&matcher.label));
                *name == selector.name && selector.matchers.iter().all(matches)
            });
            if !found {
                return Some(format!("{selector:?} of {}", query.text));
            }
        }
        let asked = |name: &str| query.selectors.iter().any(|selector| selector.name == name);
        let mut labels = query.grouped_by.iter();
        let absent = labels.find(|label| {
            let mut series = self.0.iter().filter(|(name, _)| asked(name));
            !series.any(|(_, labels)| labels.contains_key(*label))
        });
        absent.map(|label| format!("label {label} of {}", query.text))
    }
}

fn series(line: &str) -> Option<(String, BTreeMap<String, String>)> {
    let (series, _) = line.rsplit_once(' ')?;
    let Some((name, labels)) = series.split_once('{') else {
        return Some((series.to_owned(), BTreeMap::new()));
    };
    let labels = labels.trim_end_matches('}').split("\",");
    let labels = labels.filter_map(|label| {
        let (label, value) = label.split_once("=\"")?;
        Some((label.to_owned(), value.trim_end_matches('"').to_owned()))
    });
    Some((name.to_owned(), labels.collect()))
}
