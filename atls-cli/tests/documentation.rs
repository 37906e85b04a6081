//! docs/cli.md shows the help as the binary prints it. `ATLS_BLESS=1` writes it there anew.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::path::Path;

use support::World;

#[test]
fn the_page_shows_the_help_of_each_command() {
    let world = World::new();
    let mut page = support::page("docs/cli.md");
    for command in COMMANDS {
        let shown = block(&world, command);
        let start = format!("```text\n$ atls {command}--help\n");
        let (before, rest) = page
            .split_once(&start)
            .unwrap_or_else(|| panic!("docs/cli.md has no block of `atls {command}--help`"));
        let (_, after) = rest.split_once("```\n").expect("an end of the block");
        page = format!("{before}{shown}{after}");
    }
    let same = page == support::page("docs/cli.md");
    if !same && std::env::var_os("ATLS_BLESS").is_some() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        std::fs::write(root.join("docs/cli.md"), page).unwrap();
        return;
    }
    assert!(
        same,
        "the help changed; ATLS_BLESS=1 writes it into docs/cli.md"
    );
}

#[test]
fn every_exit_code_is_explained() {
    let page = support::page("docs/cli.md");
    for code in 0..=5 {
        assert!(page.contains(&format!("\n| {code} | ")), "{code}");
    }
}

#[test]
fn completions_know_the_commands() {
    let world = World::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = world.atls(&["completions", shell]).ends_with(0).out();
        assert!(script.contains("trust-sim"), "{shell}");
        let ran = world.atls(&["completions", shell, "--json"]).ends_with(0);
        assert_eq!(ran.json()["script"], script, "{shell}");
    }
}

#[test]
fn help_and_version_are_no_failure() {
    let world = World::new();
    for arguments in [&["--help"][..], &["help", "get"], &["--version"]] {
        let ran = world.atls(arguments).ends_with(0);
        assert!(ran.out().contains("atls") && ran.error().is_empty());
    }
}

fn block(world: &World, command: &str) -> String {
    let arguments: Vec<_> = command.split_whitespace().chain(["--help"]).collect();
    let help = world.atls(&arguments).ends_with(0).out();
    let lines: Vec<_> = help.lines().map(str::trim_end).collect();
    let help = lines.join("\n");
    format!(
        "```text\n$ atls {command}--help\n{}\n```\n",
        help.trim_end()
    )
}

const COMMANDS: &[&str] = &[
    "",
    "get ",
    "inspect ",
    "policy new ",
    "policy check ",
    "policy explain ",
    "policy measure snp ",
    "policy measure tdx ",
    "policy measure nitro ",
    "proxy ",
    "tcb ",
];
