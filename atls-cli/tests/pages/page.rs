//! What the pages show.

use crate::support;
use crate::support::steady::steady;

/// A command with the output that a page shows.
pub struct Shown {
    pub page: &'static str,
    pub line: String,
    pub output: String,
}

pub const PAGES: [&str; 3] = ["README.md", "docs/cli.md", "docs/deploy/README.md"];

/// The commands of all pages: the lines of each block of `sh`, and those after a `$` in blocks of text.
pub fn all() -> Vec<Shown> {
    let mut all = Vec::new();
    for page in PAGES {
        let text = support::page(page);
        // Every second part is a block.
        for block in text.split("\n```").skip(1).step_by(2) {
            let (kind, lines) = block.split_once('\n').unwrap();
            match kind {
                "sh" => all.extend(script(page, lines)),
                "text" if lines.starts_with("$ ") => all.extend(session(page, lines)),
                _ => {}
            }
        }
    }
    all
}

fn script<'a>(page: &'static str, lines: &'a str) -> impl Iterator<Item = Shown> + use<'a> {
    let lines = lines.lines().filter(|line| !line.trim().is_empty());
    lines.map(move |line| Shown {
        page,
        line: line.to_owned(),
        output: String::new(),
    })
}

fn session(page: &'static str, lines: &str) -> Vec<Shown> {
    let commands = lines.strip_prefix("$ ").unwrap().split("\n$ ");
    let shown = commands.map(|command| {
        let (line, output) = command.split_once('\n').unwrap_or((command, ""));
        Shown {
            page,
            line: line.to_owned(),
            output: output.to_owned(),
        }
    });
    shown.collect()
}

/// Compares what a page shows with what was said, times, ports and random bytes apart. A line `…` on the page stands for any lines, `…` in
/// a line for any text.
#[track_caller]
pub fn assert_shows(line: &str, output: &str, said: &str) {
    let said = steady(said);
    let output = steady(output);
    let mut rest: Vec<_> = said.lines().collect();
    let mut shown = output.lines().peekable();
    while let Some(expected) = shown.next() {
        if expected == "…" {
            let Some(next) = shown.peek() else {
                return;
            };
            let found = rest.iter().position(|line| is_like(line, next));
            let found = found.unwrap_or_else(|| panic!("$ {line}\nno {next:?} in\n{said}"));
            rest.drain(..found);
            continue;
        }
        let is_shown = rest.first().is_some_and(|line| is_like(line, expected));
        assert!(is_shown, "$ {line}\nno {expected:?} at {rest:#?}");
        rest.remove(0);
    }
    assert!(
        rest.is_empty(),
        "$ {line}\nmore than the page shows: {rest:#?}"
    );
}

/// Compares a line with one in which `…` stands for any text.
fn is_like(line: &str, expected: &str) -> bool {
    let Some((start, end)) = expected.split_once('…') else {
        return line == expected;
    };
    let Some(mut rest) = line.strip_prefix(start) else {
        return false;
    };
    let (between, end) = end.rsplit_once('…').unwrap_or(("", end));
    for part in between.split('…') {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(end)
}
