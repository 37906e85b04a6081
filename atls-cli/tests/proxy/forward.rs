//! A plain port that goes out attested.

use axum::Router;
use axum::http::HeaderValue;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::kit::TRUST;
use crate::kit::fetch;
use crate::kit::sent;
use crate::proxies::Proxy;
use crate::support::World;

#[test]
fn what_goes_out_is_attested_and_the_answer_says_so() {
    let world = World::new();
    let lies = get(async || {
        let mut response = "hello".into_response();
        let lie = HeaderValue::from_static("lie");
        response.headers_mut().insert("atls-binding", lie.clone());
        response.headers_mut().insert("atls-made-up", lie);
        response
    });
    let url = world.attested(world.device("device"), Router::new().route("/", lies));
    let proxy = Proxy::start(
        &world,
        &[&["--listen", "127.0.0.1:0", "--to", &url], &TRUST[..]].concat(),
    );
    let (head, body) = world.block_on(fetch(proxy.address(), "/"));
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["atls-status"], "affirming");
    assert_eq!(head.headers["atls-binding"], "connection");
    assert!(!head.headers.contains_key("atls-made-up"));
    assert_eq!(body, "hello");
}

#[test]
fn nothing_goes_out_to_a_server_that_does_not_attest() {
    let world = World::new();
    world.device("device");
    let url = world.ordinary();
    let proxy = Proxy::start(
        &world,
        &[&["--listen", "127.0.0.1:0", "--to", &url], &TRUST[..]].concat(),
    );
    let (head, body) = world.block_on(fetch(proxy.address(), "/"));
    assert_eq!(head.status, 502);
    assert!(body.contains("\"code\":\"not-attested\""), "{body}");
}

#[test]
fn a_name_that_is_not_its_own_is_refused() {
    let world = World::new();
    let app = Router::new().route("/", get(async || "hello"));
    let url = world.attested(world.device("device"), app);
    let listen = [
        "--listen",
        "127.0.0.1:0",
        "--to",
        &url,
        "--host",
        "local.name",
    ];
    let proxy = Proxy::start(&world, &[&listen[..], &TRUST].concat());
    let status = |target: &str, host: &str| {
        let request = format!("GET {target} HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        let answer = world.block_on(sent(proxy.address(), request.as_bytes()));
        answer.get(9..12).unwrap_or_default().to_owned()
    };
    for host in [
        "Host: localhost\r\n",
        "Host: 127.0.0.1:1\r\n",
        "Host: local.name\r\n",
    ] {
        assert_eq!(status("/", host), "200", "{host}");
    }
    for host in [
        "Host: rebound.example\r\n",
        "Host: \r\n",
        "Host: localhost.evil.example\r\n",
    ] {
        assert_eq!(status("/", host), "421", "{host}");
    }
    let elsewhere = status("http://rebound.example/", "Host: localhost\r\n");
    assert_eq!(elsewhere, "421");
}
