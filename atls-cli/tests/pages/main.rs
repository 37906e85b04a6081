//! The commands that the pages show run as they are printed, by `sh`, and their output is what the pages show. `Session::replaced`
//! and `Session::serve` have the words for which others stand here, `COMMANDS` each command, and why some do not run.
#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod commands;
mod files;
mod page;
#[path = "../proxies/mod.rs"]
mod proxies;
mod run;
#[path = "../support/mod.rs"]
mod support;

use commands::COMMANDS;
use commands::How;
use files::Needs;
use page::Shown;
use run::Session;

#[test]
fn every_command_of_the_pages_is_known_and_no_other() {
    let shown = page::all();
    for Shown { page, line, .. } in &shown {
        let known = COMMANDS.iter().filter(|known| known.is(line)).count();
        assert_eq!(known, 1, "{page}: {line}");
    }
    for known in COMMANDS {
        let used = shown.iter().any(|shown| known.is(&shown.line));
        assert!(used, "no page shows {:?}", known.start);
    }
    for known in COMMANDS {
        if let How::Not(reason) = known.how {
            println!("not run: {}: {reason}", known.start);
        }
    }
}

#[test]
fn the_commands_of_the_readme_do_what_it_says() {
    run("README.md", |needs| needs != Needs::Samples);
}

#[test]
fn the_commands_of_the_page_of_the_command_line_do_what_it_says() {
    run("docs/cli.md", |needs| needs != Needs::Samples);
}

#[test]
fn the_commands_about_genuine_samples_do_what_the_page_says() {
    if support::vectors().is_none() {
        return;
    }
    run("docs/cli.md", |needs| needs == Needs::Samples);
}

#[test]
fn the_commands_of_the_page_of_deployment_do_what_it_says() {
    run("docs/deploy/README.md", |_| true);
}

/// Runs the commands of a page, in their order, in one folder.
fn run(page: &str, wanted: impl Fn(Needs) -> bool) {
    let mut session = Session::new();
    let all = page::all().into_iter().filter(|shown| shown.page == page);
    for Shown { line, output, .. } in all {
        let known = COMMANDS.iter().find(|known| known.is(&line)).unwrap();
        if !wanted(known.needs) {
            continue;
        }
        files::prepare(session.world(), known.needs);
        match known.how {
            How::Runs(code) => session.run(&line, code, &output),
            How::Serves => session.serve(&line, &output),
            How::Not(_) => {}
        }
    }
}
