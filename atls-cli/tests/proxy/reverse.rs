//! A proxy in front of a service.

use crate::kit::TRUST;
use crate::kit::echo;
use crate::kit::reverse;
use crate::support::World;

#[test]
fn a_service_behind_it_is_attested_and_learns_who_asks() {
    let world = World::new();
    let behind = world.plain(echo());
    let proxy = reverse(&world, &format!("http://{behind}"), &[]);
    for version in ["1.1", "2"] {
        let get = [
            &[
                "get",
                &proxy.url("/a?b"),
                "--http",
                version,
                "-H",
                "Atls-Status: affirming",
                "-H",
                "Atls-Made-Up: x",
            ],
            &TRUST[..],
        ];
        let ran = world.atls(&get.concat()).ends_with(0);
        let told = ran.out();
        for line in [
            "GET /a?b\n",
            "atls-status: none\n",
            "x-forwarded-proto: https\n",
            "x-forwarded-for: 127.0.0.1\n",
            "host: localhost:",
        ] {
            assert!(told.contains(line), "{line}: {told}");
        }
        assert!(
            !told.contains("affirming") && !told.contains("made-up"),
            "{told}"
        );
    }
}

#[test]
fn a_client_that_attests_is_named_to_the_service() {
    let world = World::new();
    let key = rcgen::KeyPair::generate().unwrap();
    world.write("client.pem", key.serialize_pem());
    let own = atls_sim::SimAttester::from_pkcs8(&key.serialize_der()).unwrap();
    world.write("client.key", own.trust_anchor().public_key());
    let behind = world.plain(echo());
    let demands = ["--clients", "require", "--trust-sim", "client.key"];
    let proxy = reverse(&world, &format!("http://{behind}"), &demands);
    let url = proxy.url("/");
    let without = [&["get", &url], &TRUST[..]].concat();
    let get = [&without[..], &["--attester", "sim=client.pem"]].concat();
    let told = world.atls(&get).ends_with(0).out();
    for line in [
        "atls-status: affirming\n",
        "atls-binding: connection\n",
        "atls-expires: 20",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert_ne!(world.atls(&without).code(), 0);
}

#[test]
fn a_service_may_be_behind_a_unix_socket_or_be_gone() {
    let world = World::new();
    let path = world.path("service.sock");
    world.plain_at(&path, echo());
    let proxy = reverse(&world, "unix:service.sock", &[]);
    let ask = || {
        world
            .atls(&[&["get", &proxy.url("/x"), "-i"], &TRUST[..]].concat())
            .ends_with(0)
    };
    assert!(ask().out().contains("GET /x\n"));
    std::fs::remove_file(&path).unwrap();
    let gone = reverse(&world, "unix:service.sock", &[]);
    let ran = world
        .atls(&[&["get", &gone.url("/x"), "-i"], &TRUST[..]].concat())
        .ends_with(0);
    assert!(ran.out().starts_with("HTTP/2.0 502"), "{}", ran.out());
    assert!(ran.out().contains("\"code\":\"upstream\""), "{}", ran.out());
}
