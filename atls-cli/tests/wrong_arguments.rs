//! Arguments that are wrong end with the exit code for usage, and with JSON where that is asked for.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::process::Command;

/// What it wrote to the standard output.
fn ends(arguments: &[&str]) -> String {
    let mut atls = Command::new(env!("CARGO_BIN_EXE_atls"));
    let output = atls.args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn json_is_given_for_arguments_that_are_missing_unknown_or_out_of_range() {
    for arguments in [
        &["get", "--json"][..],
        &["get", "--json", "https://localhost/", "--no-such-thing"],
        &["get", "--json", "https://localhost/", "--timeout", "0"],
        &["proxy", "--json", "--config", "/nonexistent.toml"],
    ] {
        let told: serde_json::Value = serde_json::from_str(&ends(arguments)).unwrap();
        let error = told.get("error").unwrap();
        assert_eq!(error.get("outcome").unwrap(), "usage");
        assert!(error.get("reason").unwrap().as_str().unwrap().len() > 10);
    }
}

#[test]
fn arguments_that_are_missing_are_named_in_json() {
    for (arguments, missing) in [
        (&["get", "--json"][..], "<URL>"),
        (&["policy", "new", "--json"], "--from <EVIDENCE|URL>"),
    ] {
        let told: serde_json::Value = serde_json::from_str(&ends(arguments)).unwrap();
        let reason = told["error"]["reason"].as_str().unwrap();
        assert!(reason.contains(missing), "{reason}");
    }
}

/// The one that does not count could be the one that was meant.
#[test]
fn a_setting_of_a_service_that_counts_once_is_given_once() {
    for (service, setting) in [
        (
            "trustee=https://a.example,policy=strict,policy=lax",
            "policy",
        ),
        ("trustee=https://a.example,key=one,key=two", "key"),
        ("veraison=https://a.example,key=one,key=two", "key"),
        ("ita=https://a.example,api-key=one,api-key=two", "api-key"),
    ] {
        let told = ends(&["get", "--json", "https://localhost/", "--verifier", service]);
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let reason = told["error"]["reason"].as_str().unwrap();
        let expected = format!("{setting} more than once");
        assert!(reason.contains(&expected), "{reason}");
    }
}

#[test]
fn a_wrong_key_of_a_file_is_told_with_the_file() {
    let file = std::env::temp_dir().join(format!("atls-wrong-{}.toml", std::process::id()));
    std::fs::write(
        &file,
        "listen = \"127.0.0.1:0\"\nupstreem = \"http://127.0.0.1:1\"\n",
    )
    .unwrap();
    let told = ends(&["proxy", "--json", "--config", file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    assert!(
        told.contains("upstreem") && told.contains(file.to_str().unwrap()),
        "{told}"
    );
}

#[test]
fn a_mistyped_key_or_argument_is_told_with_the_one_that_was_meant() {
    let file = std::env::temp_dir().join(format!("atls-mistyped-{}.toml", std::process::id()));
    let name = file.to_str().unwrap();
    for (text, meant) in [
        ("upstreem = \"http://127.0.0.1:1\"\n", "--upstream"),
        ("admni = \"127.0.0.1:1\"\n", "--admin"),
        ("clients = \"requir\"\n", "require"),
    ] {
        std::fs::write(&file, format!("listen = \"127.0.0.1:0\"\n{text}")).unwrap();
        let told = ends(&["proxy", "--json", "--config", name]);
        assert!(told.contains(&format!("did you mean '{meant}'?")), "{told}");
    }
    std::fs::remove_file(&file).unwrap();
    let told = ends(&["get", "--json", "https://localhost/", "--polcy", "x"]);
    assert!(told.contains("did you mean '--policy'?"), "{told}");
}

#[test]
fn words_go_to_the_standard_error_otherwise() {
    assert_eq!(ends(&["get"]), "");
}
