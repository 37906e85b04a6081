//! Each link of a page to a file of the repository leads somewhere.

use std::collections::BTreeMap;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use crate::sources;

#[test]
fn each_link_of_a_page_names_a_file_and_its_heading() {
    let pages: BTreeMap<PathBuf, String> = sources::named(".md").into_iter().collect();
    let mut links = 0;
    let mut broken = Vec::new();
    for (page, text) in &pages {
        for link in targets(&prose(text)) {
            links += 1;
            if !leads_somewhere(page, &link, &pages) {
                broken.push((page, link));
            }
        }
    }
    assert!(links > 300, "{links}");
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let text = "# One two\n\n```text\n[a](absent.md)\n```\nSee [b](#one-two), [c](#three) and [d](e.md), [f](https://g.example).";
    let page = PathBuf::from("docs/page.md");
    let pages = BTreeMap::from([(page.clone(), text.to_owned())]);
    let all = targets(&prose(text));
    assert_eq!(all, ["#one-two", "#three", "e.md"]);
    let found = all
        .iter()
        .map(|link| leads_somewhere(&page, link, &pages))
        .collect::<Vec<_>>();
    assert_eq!(found, [true, false, false]);
}

fn leads_somewhere(page: &Path, link: &str, pages: &BTreeMap<PathBuf, String>) -> bool {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let folder = page.parent().unwrap_or_else(|| Path::new(""));
    let path = match file {
        "" => page.to_owned(),
        file => normal(&folder.join(file)),
    };
    match pages.get(&path) {
        Some(text) if !heading.is_empty() => headings(text).any(|name| name == heading),
        Some(_) => true,
        None => heading.is_empty() && sources::root().join(path).exists(),
    }
}

/// Without the blocks of code.
fn prose(text: &str) -> String {
    let parts = text.split("```").step_by(2);
    parts.collect::<Vec<_>>().join("\n")
}

/// The targets of links that are of the repository.
fn targets(text: &str) -> Vec<String> {
    let ends = text.split("](").skip(1);
    let links = ends.filter_map(|rest| rest.split(')').next());
    let ours = links.filter(|link| !link.contains("://") && !link.starts_with("mailto:"));
    ours.map(str::to_owned).collect()
}

/// As they are linked to.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let titles = text.lines().filter(|line| line.starts_with('#'));
    titles.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|sign| {
            sign.is_alphanumeric() || matches!(sign, '-' | '_') || sign.is_whitespace()
        });
        kept.map(|sign| if sign.is_whitespace() { '-' } else { sign })
            .collect()
    })
}

/// Without `..`, which the file system would follow through links.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}
