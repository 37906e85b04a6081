//! The result of a client, stated to the service under a key of the proxy.

use std::sync::Arc;

use atls_axum::ForwardedAttestation;
use atls_core::ear::VerificationKeys;
use atls_tower::forward::HEADER;
use atls_tower::forward::ResultReceiver;
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::kit::TRUST;
use crate::kit::fetch;
use crate::kit::reverse;
use crate::proxies::Proxy;
use crate::support::World;

#[test]
fn a_service_verifies_what_the_proxy_states_of_a_client() {
    for form in ["jwt", "cwt"] {
        let world = World::new();
        client(&world);
        let (proxy, service) = stating(&world, "orders", form);
        world.spawn(service);
        for version in ["1.1", "2"] {
            let url = proxy.url("/");
            let attests = ["--http", version, "--attester", "sim=client.pem"];
            let get = [&["get", &url], &TRUST[..], &attests].concat();
            assert_eq!(world.atls(&get).ends_with(0).out(), "affirming, connection");
        }
    }
}

#[test]
fn a_client_that_does_not_attest_has_nothing_stated_and_can_bring_nothing() {
    let world = World::new();
    client(&world);
    let (proxy, service) = stating(&world, "orders", "jwt");
    world.spawn(service);
    let url = proxy.url("/");
    for lie in [
        "Accept: x",
        "Atls-Ear: a.b.c",
        "Atls_Ear: a.b.c",
        "Atls-Verifier-Ear: a.b.c",
    ] {
        for version in ["1.1", "2"] {
            let get = ["get", &url, "-i", "-H", lie, "--http", version];
            let told = world.atls(&[&get[..], &TRUST].concat()).ends_with(0).out();
            assert!(
                told.contains(" 403") && told.contains("attestation-required"),
                "{lie}: {told}"
            );
        }
    }
}

#[test]
fn a_client_cannot_have_the_statement_removed() {
    let world = World::new();
    client(&world);
    let (proxy, service) = stating(&world, "orders", "jwt");
    world.spawn(service);
    let url = proxy.url("/");
    let hop = ["-H", "Connection: atls-ear, atls-status", "--http", "1.1"];
    let get = [
        &["get", &url, "--attester", "sim=client.pem"],
        &hop[..],
        &TRUST,
    ]
    .concat();
    assert_eq!(world.atls(&get).ends_with(0).out(), "affirming, connection");
}

#[test]
fn a_statement_to_another_service_is_refused_by_this_one() {
    let world = World::new();
    client(&world);
    let (proxy, service) = stating(&world, "billing", "jwt");
    world.spawn(service);
    let url = proxy.url("/");
    let get = [
        &["get", &url, "-i", "--attester", "sim=client.pem"],
        &TRUST[..],
    ]
    .concat();
    let told = world.atls(&get).ends_with(0).out();
    assert!(told.contains("attestation-unverified"), "{told}");
}

#[test]
fn a_statement_in_cbor_is_inspected_whomever_it_is_to() {
    let world = World::new();
    client(&world);
    let (proxy, service) = stating(&world, "orders", "cwt");
    world.spawn(service);
    let url = proxy.url("/as-it-came");
    let get = [&["get", &url, "--attester", "sim=client.pem"], &TRUST[..]].concat();
    let stated = world.atls(&get).ends_with(0).out();
    let mut stated = BASE64_URL_SAFE_NO_PAD.decode(stated).unwrap();
    let inspect = ["inspect", "stated", "--verify", "--key", "keys"];
    world.write("stated", &stated);
    let shown = world.atls(&inspect).ends_with(0).out();
    assert!(shown.contains("its signature verifies"), "{shown}");
    *stated.last_mut().unwrap() ^= 1;
    world.write("stated", &stated);
    world.atls(&inspect).ends_with(2);
}

#[test]
fn a_key_goes_with_its_audience() {
    let world = World::new();
    world.device_key();
    world.identity(&world.authority);
    let reverse = [
        "proxy",
        "--listen",
        "127.0.0.1:0",
        "--upstream",
        "http://127.0.0.1:1",
    ];
    let identity = [
        "--attester",
        "sim=own.pem",
        "--cert",
        "chain.pem",
        "--key",
        "key.pem",
    ];
    world.write("no-key.pem", "nothing");
    world.device("client");
    let clients = ["--clients", "ask", "--trust-sim", "client.key"];
    for (more, told) in [
        (&["--ear-key", "key.pem"][..], "--ear-audience"),
        (&["--ear-audience", "orders"], "--ear-key"),
        (&["--verifier-ear"], "--ear-key"),
        (&["--ear-issuer", "edge"], "--ear-key"),
        (&["--ear-lifetime", "5"], "--ear-key"),
        (&["--ear-form", "cwt"], "--ear-key"),
        (
            &[
                "--ear-key",
                "key.pem",
                "--ear-audience",
                "orders",
                "--verifier-ear",
            ],
            "--verifier KIND=URL",
        ),
        (
            &["--ear-key", "no-key.pem", "--ear-audience", "orders"],
            "no key in PEM",
        ),
    ] {
        let more = [&clients[..], more].concat();
        let ran = world
            .atls(&[&reverse[..], &identity, &more].concat())
            .ends_with(1);
        assert!(ran.error().contains(told), "{}", ran.error());
    }
}

/// A client that attests by `client.pem`.
fn client(world: &World) {
    let key = rcgen::KeyPair::generate().unwrap();
    world.write("client.pem", key.serialize_pem());
    let device = atls_sim::SimAttester::from_pkcs8(&key.serialize_der()).unwrap();
    world.write("client.key", device.trust_anchor().public_key());
}

/// A proxy that states to a service of this name, and the service `orders` behind it.
fn stating(
    world: &World,
    audience: &str,
    form: &str,
) -> (Proxy, impl Future<Output = ()> + Send + 'static) {
    let key = rcgen::KeyPair::generate().unwrap();
    world.write("ear.pem", key.serialize_pem());
    let listener = world.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
    let listener = listener.unwrap();
    let behind = listener.local_addr().unwrap();
    let ear = [
        "--ear-key",
        "ear.pem",
        "--ear-audience",
        audience,
        "--ear-form",
        form,
    ];
    let clients = [
        "--clients",
        "ask",
        "--trust-sim",
        "client.key",
        "--admin",
        "127.0.0.1:0",
    ];
    let proxy = reverse(
        world,
        &format!("http://{behind}"),
        &[&ear[..], &clients].concat(),
    );
    let (_, keys) = world.block_on(fetch(proxy.told("admin at http://"), "/keys"));
    world.write("keys", &keys);
    let keys: Value = serde_json::from_str(&keys).unwrap();
    let keys = VerificationKeys::from_jwk_set(&keys.to_string()).unwrap();
    let receiver = ResultReceiver::new(keys, &demo::provider(), "atls-proxy", "orders");
    let receiver = Arc::new(receiver.dangerous_accept_simulated().once(100));
    let app = Router::new()
        .route("/", get(answer))
        .with_state(receiver)
        .route("/as-it-came", get(as_it_came));
    (
        proxy,
        async move { axum::serve(listener, app).await.unwrap() },
    )
}

async fn as_it_came(headers: HeaderMap) -> String {
    headers[HEADER].to_str().unwrap().to_owned()
}

async fn answer(client: ForwardedAttestation) -> String {
    format!("{}, {}", client.status(), client.binding())
}
