//! The program itself.

use std::path::Path;
use std::process::Command;
use std::process::Output;

use atls_core::session::Side;
use conform::breach::Breach;
use conform::broken::BrokenServer;
use conform::habit::Habit;
use conform::keys::Keys;
use conform::kit::Kit;
use serde_json::Value;

fn folder(test: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    folder.to_str().unwrap().to_owned()
}

async fn conform(words: &[&str]) -> Output {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let running = tokio::task::spawn_blocking(move || {
        let program = env!("CARGO_BIN_EXE_conform");
        Command::new(program).args(words).output().unwrap()
    });
    running.await.unwrap()
}

/// A peer that trusts the keys of this folder, and where it listens.
async fn peer(keys: &str, breach: Option<Breach>) -> String {
    let kit = Kit::new(Keys::kept(Path::new(keys)).unwrap());
    let server = BrokenServer::new(&kit, breach).unwrap();
    server.serve().await.unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_conforms_ends_it_with_0() {
    let keys = folder("conforms");
    assert!(conform(&["keys", &keys]).await.status.success());
    let address = peer(&keys, None).await;
    let output = conform(&["client", &address, "--keys", &keys, "--json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!(report["tested"], "server");
    assert_eq!(report["fail"], 0);
    let cases = report["cases"].as_array().unwrap();
    assert_eq!(cases.len(), Breach::cases(Side::Server).len());
    assert!(
        cases
            .iter()
            .all(|case| case["expected"].is_string() && case["seen"].is_string())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_ends_it_with_1_and_is_told_why() {
    let keys = folder("fails");
    let breach = Breach::Does(Habit::AsksMinimal);
    conform(&["keys", &keys]).await;
    let address = peer(&keys, Some(breach)).await;
    let output = conform(&["client", &address, "--keys", &keys, "--only", "P8.7"]).await;
    assert_eq!(output.status.code(), Some(1));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("FAIL           P8.7/asks-minimal"),
        "{table}"
    );
    assert!(
        table.contains("expected: never: it asks a client that sent no parameters"),
        "{table}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_connect_ends_it_with_2() {
    let keys = folder("absent");
    let words = [
        "server",
        "--keys",
        &keys,
        "--run",
        "true {addr}",
        "--limit",
        "0.1",
        "--only",
        "P1",
    ];
    let output = conform(&words).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

/// The program as the client under test of itself: it connects, and its first visit is a good exchange.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_run_for_each_connection() {
    let keys = folder("command");
    conform(&["keys", &keys]).await;
    let client = format!(
        "{} client {{addr}} --keys {keys} --limit 20 --only P1.3",
        env!("CARGO_BIN_EXE_conform")
    );
    let words = [
        "server", "--keys", &keys, "--run", &client, "--only", "P3.1", "--limit", "20",
    ];
    let output = conform(&words).await;
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("pass           P3.1/sends-other-side-request"),
        "{table}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_test_ends_it_with_3() {
    let keys = folder("nothing");
    let output = conform(&["client", "nowhere", "--keys", &keys]).await;
    assert_eq!(output.status.code(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_names_every_case() {
    let output = conform(&["list"]).await;
    let list = String::from_utf8(output.stdout).unwrap();
    for side in [Side::Server, Side::Client] {
        for case in Breach::cases(side) {
            assert!(list.contains(&format!("{side}  {case}: ")), "{case}");
        }
    }
    assert!(list.contains("no case for P4.12: "), "{list}");
}
