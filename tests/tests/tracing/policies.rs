//! The place of the rule, in refusals by a policy of a file.

use std::sync::Arc;

use atls_core::RelyingParty;
use atls_core::policy::Policy;
use atls_reference::CompositionTable;
use atls_reference::Format;
use atls_reference::Instances;
use atls_reference::Live;
use atls_reference::Table;
use end_to_end::World;
use end_to_end::lenient;
use end_to_end::reqwest_client;

use crate::log::assert_one;
use crate::log::capture;
use crate::log::of;

const STRANGERS: &str = r#"version = 1

# Another machine than the server's.
[[instances.known]]
name = "rack 3, node 7"
kind = "sim.instance_id"
id = "010000000000000000000000000000000000000000000000000000000000000007"
"#;

#[tokio::test]
async fn an_unknown_instance_names_file_and_line_and_no_instance() {
    let words = [
        "error.type=\"policy_instance\"",
        "peer is none of the known instances",
        "its evidence states sim.instance_id (policy.toml, line 4)",
        "fault=peer",
    ];
    let event = refused_by::<Instances>(STRANGERS, Format::Toml, &words).await;
    assert!(!event.contains("rack 3"), "{event}");
    let json = r#"{ "version": 1,
      "instances": {
        "known": [{ "name": "a", "kind": "tpm.ak", "text": "another" }]
      }
    }"#;
    refused_by::<Instances>(json, Format::Json, &["(policy.toml, line 3)"]).await;
}

#[tokio::test]
async fn a_missing_item_names_the_line_that_requires_it() {
    let sim = "[[composition.item]]\nmedia-type = 'application/eat+cwt; eat_profile=\"tag:psacertified.org,2023:psa#tfm\"'\n";
    let tpm = "\n[[composition.item]]\nmedia-type = \"application/vnd.atls.tpm-evidence+cbor\"\nlabel = \"tpm\"\n";
    let words = [
        "error.type=\"policy_missing_item\"",
        "lacks an item of application/vnd.atls.tpm-evidence+cbor labelled \"tpm\"",
        "it has application/eat+cwt; eat_profile=",
        "(policy.toml, line 5)",
    ];
    let text = format!("version = 1\n{sim}{tpm}");
    refused_by::<CompositionTable>(&text, Format::Toml, &words).await;
    // The order is the file's and not that of the demands.
    let words = ["(policy.toml, line 3)"];
    let text = format!("version = 1\n{tpm}{sim}");
    refused_by::<CompositionTable>(&text, Format::Toml, &words).await;
}

#[tokio::test]
async fn an_item_too_many_names_the_list_that_it_is_not_in() {
    let text = "version = 1\n\n[[composition.item]]\nmedia-type = \"application/other\"\n";
    let words = [
        "error.type=\"policy_extra_item\"",
        "an item too many, of application/eat+cwt",
        "(policy.toml, line 3)",
    ];
    refused_by::<CompositionTable>(text, Format::Toml, &words).await;
}

/// The client's event about a server that its policy refuses.
async fn refused_by<T: Table>(text: &str, format: Format, words: &[&str]) -> String
where
    Live<T>: Policy,
{
    let (log, _guard) = capture();
    let world = World::new();
    let policy = Live::<T>::of_text("policy.toml", text, format).unwrap();
    let servers: RelyingParty = lenient(&world.server_device)
        .policy(policy)
        .build()
        .unwrap();
    let attested = world.client().require_peer(Arc::new(servers));
    let server = world.serve_attested().await;
    let client = reqwest_client(&attested.build().unwrap());
    client.get(server.url("/")).send().await.unwrap_err();
    let events = of(&log, "client");
    assert_one(&events, "INFO", words);
    events[0].clone()
}
