//! An argument that would have no effect beside the others is refused by its name: whoever gives it takes it for in force.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "support/mod.rs"]
mod support;

use support::World;

#[test]
fn an_argument_about_a_server_is_refused_for_a_file_and_one_about_a_file_for_a_server() {
    let world = World::new();
    world.write("quote", test_support::td_quote(&[7; 64]));
    let server = "https://localhost:1/";
    for (command, argument) in [
        (
            &["policy", "new", "--from", "quote"][..],
            &["--ca", "ca.pem"][..],
        ),
        (
            &["policy", "new", "--from", server],
            &["--at", "2026-11-29T18:00:00Z"],
        ),
        (&["tcb", "quote"], &["--ca", "ca.pem"]),
        (&["tcb", server], &["--at", "2026-11-29T18:00:00Z"]),
    ] {
        is_refused(&world, command, argument);
    }
}

#[test]
fn an_argument_of_a_verification_is_refused_where_nothing_is_verified() {
    let world = World::new();
    world.write("quote", test_support::td_quote(&[7; 64]));
    let unverified = ["policy", "new", "--from", "quote", "--dangerous-unverified"];
    is_refused(&world, &unverified, &["--at", "2026-11-29T18:00:00Z"]);
    for argument in [
        &["--offline"][..],
        &["--collateral", "collateral"],
        &["--dangerous-root", "tdx=root"],
    ] {
        is_refused(&world, &unverified, argument);
        is_refused(&world, &["inspect", "quote"], argument);
    }
    is_refused(
        &world,
        &["inspect", "quote"],
        &["--attestation-keys", "keys"],
    );
}

#[test]
fn an_argument_about_another_thing_than_the_file_holds_is_refused() {
    let world = World::new();
    world.write("quote", test_support::td_quote(&[7; 64]));
    world.write(
        "result",
        "eyJhbGciOiJFUzI1NiJ9.eyJpYXQiOjE4MDAwMDAwMDB9.c2lnbmF0dXJl",
    );
    world.write("keys.json", "{\"version\": 1, \"tpm-keys\": {}}");
    let quote = ["inspect", "quote", "--verify"];
    let result = ["inspect", "result", "--verify", "--key", "key"];
    for (command, argument) in [
        (&quote[..], &["--key", "key"][..]),
        (&quote, &["--accept-warning"]),
        (&quote, &["--dangerous-accept-simulated"]),
        (&quote, &["--attestation-keys", "keys.json"]),
        (&result, &["--policy", "policy.toml"]),
        (&result, &["--offline"]),
        (&result, &["--at", "2026-11-29T18:00:00Z"]),
        (
            &["policy", "new", "--from", "quote"],
            &["--attestation-keys", "keys.json"],
        ),
    ] {
        is_refused(&world, command, argument);
    }
    let both = [&quote[..], &["--policy", "policy.toml"]].concat();
    is_refused(&world, &both, &["--attestation-keys", "keys.json"]);
}

#[test]
fn an_argument_that_accepts_more_is_refused_where_nothing_is_refused() {
    let world = World::new();
    world.write("quote", test_support::td_quote(&[7; 64]));
    for command in [&["policy", "new", "--from", "quote"][..], &["tcb", "quote"]] {
        is_refused(&world, command, &["--accept-warning"]);
    }
}

#[test]
fn an_argument_about_intels_collateral_is_refused_where_another_decides() {
    let world = World::new();
    let platform =
        std::sync::Arc::new(atls_tdx::testing::ForgedPlatform::new(support::now()).unwrap());
    world.trust_td(&platform);
    world.write(
        "quote",
        platform.tdx_quote(&platform.td_report(), &[7; 64]).unwrap(),
    );
    let tcb = ["tcb", "quote", "--dangerous-root", "tdx=root.der"];
    let supplied = [&tcb[..], &["--collateral", "collateral"]].concat();
    is_refused(&world, &supplied, &["--pccs", "https://localhost:1"]);
    let of_amd = [&tcb[..], &["--collateral", "ca.pem"]].concat();
    is_refused(&world, &of_amd, &["--early", "collateral"]);
    let both = [&tcb[..], &["--offline", "--pccs", "https://localhost:1"]].concat();
    let told = world.atls(&both).ends_with(1).error();
    assert!(told.contains("cannot be used with"), "{told}");
}

#[test]
fn the_processor_is_refused_where_the_guest_is_not_told() {
    let world = World::new();
    let snp = ["policy", "measure", "snp", "--ovmf", "ovmf", "--vcpus", "1"];
    for vmm in ["ec2", "gce"] {
        let command = [&snp[..], &["--vmm", vmm]].concat();
        is_refused(&world, &command, &["--cpu", "EPYC"]);
    }
}

fn is_refused(world: &World, command: &[&str], argument: &[&str]) {
    let told = world
        .atls(&[command, argument].concat())
        .ends_with(1)
        .error();
    let expected = format!("{} would have no effect", argument[0]);
    assert!(told.contains(&expected), "{command:?}: {told}");
}
