//! Each exit code that says no.

use atls_sim::SoftwareComponent;

use super::get_of;
use super::hello;
use super::support::World;

#[test]
fn an_ordinary_server_is_not_attested() {
    let world = World::new();
    world.device("device");
    let ran = get_of(&world, &world.ordinary(), &[]).ends_with(2);
    assert!(ran.error().contains("not attested"), "{}", ran.error());
    assert!(
        ran.error().contains("ordinary HTTPS server"),
        "{}",
        ran.error()
    );
    assert_eq!(ran.out(), "");
}

#[test]
fn a_server_of_an_unknown_device_is_not_attested() {
    let world = World::new();
    let url = world.attested(world.device("other"), hello());
    world.device("device");
    let ran = get_of(&world, &url, &[]).ends_with(2);
    assert!(ran.error().contains("unknown key"), "{}", ran.error());
}

#[test]
fn other_software_is_refused_by_policy() {
    let world = World::new();
    let device = world.device("device");
    let device = device.with_software(vec![SoftwareComponent::new("ARoT", [7; 32])]);
    let url = world.attested(device, hello());
    let ran = get_of(&world, &url, &[]).ends_with(3);
    assert!(
        ran.error().contains("sim.software failed"),
        "{}",
        ran.error()
    );
}

#[test]
fn a_dead_port_and_an_untrusted_certificate_are_not_reached() {
    let world = World::new();
    let url = world.attested(world.device("device"), hello());
    let ran = get_of(&world, "https://localhost:1/", &[]).ends_with(5);
    assert!(ran.error().contains("not reached"), "{}", ran.error());
    let other = demo::Authority::new().unwrap();
    world.write("ca.pem", other.pem());
    let ran = get_of(&world, &url, &[]).ends_with(5);
    assert!(ran.error().contains("certificate"), "{}", ran.error());
}

#[test]
fn a_dead_verifier_is_its_own_fault() {
    let world = World::new();
    let url = world.attested(world.device("device"), hello());
    let jwk = r#"{"kty":"EC","crv":"P-256","alg":"ES256",
        "x":"usWxHK2PmfnHKwXPS54m0kTcGJ90UiglWiGahtagnv8",
        "y":"IBOL-C3BttVivg-lSreASjpkttcsz-1rb7btKLv8EX4"}"#;
    world.write("ear.jwk", jwk);
    let service = "veraison=http://127.0.0.1:1,key=ear.jwk";
    let ran = world.atls(&["get", &url, "--ca", "ca.pem", "--verifier", service]);
    let ran = ran.ends_with(4);
    assert!(
        ran.error().contains("could not be reached"),
        "{}",
        ran.error()
    );
}

#[test]
fn wrong_arguments_are_usage_and_say_what_to_write() {
    let world = World::new();
    world.device("device");
    world.write("policy.toml", "version = 1\n[tdx]\nimage = 3\n");
    world.write("empty.toml", "version = 1\n");
    world.write("no.pem", "nothing");
    let url = "https://localhost:1/";
    let cases: [(&[&str], &str); 10] = [
        (&["get"], "Usage"),
        (&["get", "localhost"], "https://HOST"),
        (&["get", "http://localhost/"], "only https"),
        (&["get", url], "--policy FILE"),
        (&["get", url, "--policy", "policy.toml"], "line 3"),
        (&["get", url, "--policy", "empty.toml"], "atls policy new"),
        (&["get", url, "--policy", "absent.toml"], "absent.toml"),
        (
            &["get", url, "--trust-sim", "device.key", "--ca", "no.pem"],
            "no certificate",
        ),
        (
            &["get", url, "--trust-sim", "device.key", "-H", "bad"],
            "Name: value",
        ),
        (
            &["get", url, "--verifier", "other=https://a"],
            "veraison, trustee",
        ),
    ];
    for (arguments, told) in cases {
        let ran = world.atls(arguments).ends_with(1);
        assert!(ran.error().contains(told), "{arguments:?}: {}", ran.error());
    }
}
