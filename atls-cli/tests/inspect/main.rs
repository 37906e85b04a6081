//! `atls inspect`, as a user runs it, on forged and on genuine files, and on hostile ones.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod genuine;
mod logs;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use atls_core::cmw::Cmw;
use atls_core::cmw::Label;
use atls_core::pki_types::UnixTime;
use atls_formats::dcap::EventLogWriter;
use atls_formats::dcap::TdxEvidence;
use atls_nitro::testing::ForgedNitro as Forger;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use test_support::Connection;

use support::World;

#[test]
fn a_quote_is_shown_with_intels_names_and_what_is_signed() {
    let world = World::new();
    world.write("quote", test_support::td_quote(&[7; 64]));
    let told = world.atls(&["inspect", "quote"]).ends_with(0).out();
    for line in [
        "TDX quote\n",
        "header and body  [signed by the attestation key]",
        "REPORTDATA  0707",
        "Quote Signature  0000",
        "[not signed]",
        "RTMR2",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

#[test]
fn the_events_of_a_log_are_shown_where_they_lead_to_the_quote() {
    let world = World::new();
    let log = EventLogWriter::new().measured(2, 0xd, b"kernel");
    let platform = atls_tdx::testing::ForgedPlatform::new(1_800_000_000).unwrap();
    let mut report = platform.td_report();
    report.rtmr = log.rtmr();
    let quote = platform.tdx_quote(&report, &[7; 64]).unwrap();
    let evidence = |event_log: &[u8]| {
        let (quote, event_log) = (quote.clone(), event_log.to_vec());
        TdxEvidence { quote, event_log }.encode().unwrap()
    };
    world.write("right", evidence(log.bytes()));
    let told = world.atls(&["inspect", "right"]).ends_with(0).out();
    assert!(told.contains("1 events, which lead to the RTMRs"), "{told}");
    assert!(told.contains("of 6 bytes; claimed type 0xd"), "{told}");
    let other = EventLogWriter::new().measured(2, 0xd, b"another");
    world.write("wrong", evidence(other.bytes()));
    let told = world.atls(&["inspect", "wrong"]).ends_with(0).out();
    assert!(told.contains("so it says nothing"), "{told}");
}

#[test]
fn a_report_is_shown_with_amds_names() {
    let world = World::new();
    let report = test_support::snp_report(&[7; 64]);
    world.write("report", &report);
    let told = world.atls(&["inspect", "report"]).ends_with(0).out();
    for line in [
        "SEV-SNP attestation report",
        "MEASUREMENT",
        "[signed by the VCEK of the chip]",
        "REPORTED_TCB",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

#[test]
fn hex_base64_and_the_standard_input_are_read_too() {
    let world = World::new();
    let quote = test_support::td_quote(&[7; 64]);
    let hex: String = quote.iter().map(|byte| format!("{byte:02x}")).collect();
    let base64 = BASE64_STANDARD.encode(&quote);
    for input in [&quote[..], hex.as_bytes(), base64.as_bytes()] {
        let ran = world.atls_with_input(&["inspect", "-"], input).ends_with(0);
        assert!(ran.out().starts_with("TDX quote\n"), "{}", ran.out());
    }
}

#[test]
fn a_nitro_document_is_shown_with_its_certificates() {
    let world = World::new();
    let forger = Forger::new(at(1_800_000_000));
    let document = forger.seal(forger.fields(Some(&[1; 32]), None));
    world.write("document", document);
    let told = world.atls(&["inspect", "document"]).ends_with(0).out();
    for line in [
        "AWS Nitro attestation document",
        "module_id",
        "cabundle",
        "2027-01-15T08:00:00Z",
        "nonce",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

#[test]
fn a_token_is_shown_in_every_wrapper() {
    let world = World::new();
    let mut device = world.device("device");
    let cmw = Connection::new().attest(&mut device).unwrap();
    let both = Cmw::collection(None, vec![(Label::from("cpu"), cmw.clone())]).unwrap();
    let forms = [
        (cmw.items()[0].value().to_vec(), "PSA attestation token"),
        (cmw.encode().unwrap(), "CMW (CBOR)"),
        (cmw.to_json().unwrap(), "CMW (JSON)"),
        (both.encode().unwrap(), "CMW (CBOR)"),
    ];
    for (bytes, name) in forms {
        let told = world
            .atls_with_input(&["inspect", "-"], &bytes)
            .ends_with(0)
            .out();
        assert!(told.starts_with(name), "{name}: {told}");
        assert!(
            told.contains("psa-security-lifecycle (2395)  12288  — secured"),
            "{told}"
        );
        assert!(
            told.contains("a simulated device, which proves nothing"),
            "{told}"
        );
    }
}

#[test]
fn a_token_verifies_under_its_own_key_alone() {
    let world = World::new();
    let mut device = world.device("device");
    let cmw = Connection::new().attest(&mut device).unwrap();
    world.device("other");
    world.write("token", cmw.items()[0].value());
    let verify = |key| world.atls(&["inspect", "token", "--verify", "--trust-sim", key]);
    let ran = verify("device.key").ends_with(0);
    assert!(
        ran.out()
            .contains("signatures verify under a key that is known"),
        "{}",
        ran.out()
    );
    verify("other.key").ends_with(2);
}

#[test]
fn a_result_is_shown_with_the_words_of_its_values() {
    let world = World::new();
    let told = world
        .atls_with_input(&["inspect", "-"], jwt("x").as_bytes())
        .ends_with(0)
        .out();
    for line in [
        "EAR (JWT)",
        "[signed by the verifier]",
        "hardware  2  — affirming: ",
        "executables  33  — warning: ",
        "iat  1800000000  — 2027-01-15T08:00:00Z",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

#[test]
fn a_certificate_and_a_policy_file_are_recognised() {
    let world = World::new();
    let told = world.atls(&["inspect", "ca.pem"]).ends_with(0).out();
    assert!(told.contains("demonstration authority"), "{told}");
    world.write("policy.toml", "version = 1\n[tdx]\naccept-tcb = []\n");
    let told = world.atls(&["inspect", "policy.toml"]).ends_with(0).out();
    assert!(told.starts_with("policy file"), "{told}");
}

#[test]
fn an_authenticator_covers_the_evidence_in_it_and_a_request_is_named_as_one() {
    let world = World::new();
    let known = support::page("docs/vectors/authenticators.json");
    let known: serde_json::Value = serde_json::from_str(&known).unwrap();
    let case = &known["cases"][1];
    let told = |part: &str| {
        let input = case[part].as_str().unwrap().as_bytes();
        let ran = world.atls_with_input(&["inspect", "-"], input);
        ran.ends_with(0).out()
    };
    let authenticator = told("authenticator");
    assert!(authenticator.contains("[signed by the end-entity key, in CertificateVerify]"));
    assert!(
        authenticator.contains("CMW (CBOR)\n"),
        "without a mark of its own: {authenticator}"
    );
    assert!(
        authenticator.contains("ecdsa_secp256r1_sha256"),
        "{authenticator}"
    );
    let request = told("request");
    assert!(request.starts_with("authenticator request"), "{request}");
    assert!(request.contains("can_attest (6)  1"), "{request}");
}

#[test]
fn json_has_the_same_fields() {
    let world = World::new();
    world.write("quote", test_support::td_quote(&[7; 64]));
    let told = world
        .atls(&["inspect", "quote", "--json"])
        .ends_with(0)
        .json();
    assert_eq!(told["found"]["name"], "TDX quote");
    assert_eq!(
        told["found"]["fields"][0]["signature"]["signed_by"],
        "the attestation key"
    );
}

#[test]
fn a_terminal_is_never_controlled_by_what_is_shown() {
    let world = World::new();
    let hostile = "\u{1b}[2J\u{9b}31m\u{202e}\u{7}";
    for arguments in [&["inspect", "-"][..], &["inspect", "-", "--json"]] {
        let ran = world
            .atls_with_input(arguments, jwt(hostile).as_bytes())
            .ends_with(0);
        let out = ran.out();
        let told = out.replace("\\u001b", "").replace("\\u0007", "");
        let is_control = |c: char| c.is_control() && c != '\n';
        if arguments.len() == 2 {
            assert!(
                !told.contains(is_control) && !told.contains('\u{202e}'),
                "{told}"
            );
        }
        assert!(
            !told.contains('\u{1b}') && !told.contains('\u{7}'),
            "{told}"
        );
    }
}

#[test]
fn garbage_is_told_as_such_and_its_size_is_bounded() {
    let world = World::new();
    for garbage in [
        &b""[..],
        b"hello",
        &[0xff; 5000],
        &[0x9f; 100_000],
        &[b'['; 100_000],
        &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
    ] {
        world
            .atls_with_input(&["inspect", "-"], garbage)
            .ends_with(2);
    }
    let ran = world.atls(&["inspect", "/dev/zero"]).ends_with(1);
    assert!(ran.error().contains("larger than"), "{}", ran.error());
    world.atls(&["inspect", "absent"]).ends_with(1);
}

/// An EAR that nobody signed, with a text of the caller's.
fn jwt(text: &str) -> String {
    let header = r#"{"alg":"ES256"}"#;
    let claims = serde_json::json!({
        "ear.verifier-id": { "developer": text, "build": "1" },
        "iat": 1_800_000_000,
        "submods": { "x": { "ear.trustworthiness-vector": { "hardware": 2, "executables": 33 } } },
    });
    let encode = |part: &str| BASE64_URL_SAFE_NO_PAD.encode(part);
    let (header, claims) = (encode(header), encode(&claims.to_string()));
    format!("{header}.{claims}.{}", encode("signature"))
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}
