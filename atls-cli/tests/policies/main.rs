//! `atls policy`, as a user runs it, with forged platforms under roots of their own.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod azure;
mod certified;
mod explain;
mod genuine;
mod hostile;
mod made;
mod new;
mod open;
mod psa;
mod samples;
#[path = "../support/mod.rs"]
mod support;
mod unseen;

use std::sync::Arc;

use atls_formats::dcap::TdReport;
use axum::Router;
use axum::routing::get;

use support::World;

#[test]
fn a_wrong_policy_is_told_with_its_line() {
    let world = World::new();
    world.write(
        "policy.toml",
        "version = 1\n\n[tdx]\naccept-tcb = [\"UpToDate\"]\naccept-advisories = []\nimage = []\n",
    );
    let ran = world.atls(&["policy", "check", "policy.toml"]).ends_with(1);
    assert!(ran.error().contains("line 6"), "{}", ran.error());
    let ran = world
        .atls(&["policy", "check", "policy.toml", "--json"])
        .ends_with(1);
    assert_eq!(ran.json()["right"], false);
    world.write("typo.toml", "version = 1\n[tdxx]\n");
    let ran = world.atls(&["policy", "check", "typo.toml"]).ends_with(1);
    assert!(ran.error().contains("tdxx"), "{}", ran.error());
}

/// The forged platform's root and collateral, in files.
const TD: [&str; 4] = [
    "--dangerous-root",
    "tdx=root.der",
    "--collateral",
    "collateral",
];

fn td_platform(world: &World) -> Arc<atls_tdx::testing::ForgedPlatform> {
    let platform = Arc::new(atls_tdx::testing::ForgedPlatform::new(support::now()).unwrap());
    world.trust_td(&platform);
    platform
}

fn serve_td(
    world: &World,
    platform: &Arc<atls_tdx::testing::ForgedPlatform>,
    report: TdReport,
) -> String {
    let app = Router::new().route("/", get(async || "hello"));
    world.attested(world.td(platform, report), app)
}
