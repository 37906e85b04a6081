//! The program, run as a reader of the documentation runs it.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::process::Command;
use std::process::Output;

const KINDS: [&str; 6] = [
    "relayed-evidence",
    "replayed-authenticator",
    "wrong-key",
    "stripped-extension",
    "expired-result",
    "unattested-peer",
];

#[test]
fn help_succeeds_and_names_every_kind() {
    for argument in ["--help", "-h"] {
        let output = run(&[argument]);
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.starts_with("usage: quickstart"), "{text}");
        assert!(KINDS.iter().all(|kind| text.contains(kind)), "{text}");
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn a_kind_is_an_argument_of_its_own_or_behind_an_equals_sign() {
    for arguments in [&["--tamper", "wrong-key"][..], &["--tamper=wrong-key"]] {
        let output = run(arguments);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(text.contains("attacker wrong-key"), "{text}");
        assert!(text.contains("REFUSED"), "{text}");
    }
}

#[test]
fn a_platform_is_an_argument_of_its_own_or_behind_an_equals_sign() {
    for arguments in [&["--platform", "sim"][..], &["--platform=sim"]] {
        let output = run(arguments);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(text.contains("simulated platform"), "{text}");
    }
    for arguments in [&["--platform", "tdx"][..], &["--platform"]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("sim and tpm"), "{text}");
    }
}

/// It fails aloud where there is no swtpm, and then it is not tested here.
#[test]
fn a_tpm_in_software_attests() {
    let output = run(&["--platform", "tpm"]);
    let text = String::from_utf8_lossy(&output.stdout);
    let is_absent = text.contains("there is no swtpm here");
    if is_absent && std::env::var_os("ATLS_REQUIRE_SWTPM").is_none() {
        println!("SKIPPED: no swtpm on this machine");
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("tpm-evidence+cbor"), "{text}");
}

#[test]
fn every_attack_is_refused() {
    for kind in KINDS {
        let output = run(&[&format!("--tamper={kind}")]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{text}");
    }
}

#[test]
fn an_unknown_kind_is_answered_with_the_known_ones() {
    for arguments in [
        &["--tamper", "magic"][..],
        &["--tamper=magic"],
        &["--tamper"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(KINDS.iter().all(|kind| text.contains(kind)), "{text}");
    }
}

#[test]
fn other_arguments_are_refused() {
    for arguments in [
        &["magic"][..],
        &["--magic"],
        &["--tamper", "wrong-key", "--magic"],
        &["--tamper=wrong-key", "--tamper=wrong-key"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty());
    }
}

#[test]
fn the_numbers_of_the_result_are_told_in_words() {
    let output = run(&[]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for line in [
        "instance-identity 2 (affirming): the instance is known and trusted",
        "configuration 2 (affirming): the configuration is approved",
        "executables 2 (affirming): only approved software ran, at boot and since",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

fn run(arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_quickstart"));
    program.args(arguments).output().expect("it starts")
}
