//! `atls get --verifier` with stand-ins for each service, as a user runs it. They follow the published interfaces, **not the live services**.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::routing::get;
use axum::routing::post;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use support::Ran;
use support::World;
use support::now;

#[test]
fn trustee_appraises_and_a_key_of_somebody_else_is_no_result() {
    let world = World::new();
    let server = td(&world);
    let signer = Arc::new(Signer::es256());
    let url = plain(&world, stand_in::trustee(signer.clone(), now));
    let ran = ask(&world, &server, &format!("trustee={url}")).ends_with(0);
    assert!(ran.error().contains("affirming"), "{}", ran.error());
    world.write("jwk", with_algorithm(signer.jwk(), "ES256"));
    let pinned = format!("trustee={url},key=jwk");
    ask(&world, &server, &pinned).ends_with(0);
    world.write("jwk", with_algorithm(Signer::es256().jwk(), "ES256"));
    ask(&world, &server, &pinned).ends_with(4);
    ask(&world, &server, &format!("trustee={url},policy=another")).ends_with(0);
}

#[test]
fn the_measurements_that_a_service_found_have_the_names_of_a_policy() {
    let world = World::new();
    let server = td(&world);
    let signer = Arc::new(Signer::es256());
    let answer = |signer: &Signer, claims: Option<Value>| {
        let mut claims = claims?;
        let found = &mut claims["submods"]["cpu0"]["ear.veraison.annotated-evidence"];
        found["tdx"] = json!({ "quote": { "body": { "mr_td": "0d", "rtmr_2": "02" } } });
        found["cca-realm-initial-measurement"] = "Q0ND".into();
        found["psa-software-components"] =
            json!([{ "measurement-type": "BL", "measurement-value": "Q0ND" }, {}]);
        Some(signer.token(&claims))
    };
    let url = plain(&world, stand_in::trustee_with(signer, now, answer));
    let get = ["get", &server, "--ca", "ca.pem", "--json", "--verifier"];
    let told = world.atls(&[&get[..], &[&format!("trustee={url}")]].concat());
    let told = told.ends_with(0).json();
    let expected = json!({ "mrtd": "0d", "rtmr2": "02", "initial-measurement": "434343", "component BL": "434343" });
    assert_eq!(told["attestation"]["items"][0]["measurements"], expected);
}

#[test]
fn intel_trust_authority_appraises_with_a_key_of_its_subscriber() {
    let world = World::new();
    let server = td(&world);
    let signer = Arc::new(Signer::ps384());
    let set = with_kid(&signer);
    let attest = async move |headers: HeaderMap, Json(request): Json<Value>| {
        if headers.get("x-api-key").is_none_or(|key| key != "secret") {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let quote = request["tdx"]["quote"].as_str().unwrap();
        let quote = BASE64_STANDARD.decode(quote).unwrap();
        Ok(Json(json!({ "token": signer.token(&ita_claims(&quote)) })))
    };
    let app = Router::new()
        .route("/appraisal/v2/attest", post(attest))
        .route("/certs", get(async move || Json(set.clone())));
    let url = https(&world, app);
    world.write("api-key", "secret\n");
    let service = format!("ita={url},api-key=api-key,ca=ca.pem");
    let ran = ask(&world, &server, &service).ends_with(3);
    assert!(
        ran.error().contains("unknown software ran"),
        "{}",
        ran.error()
    );
    ask_leniently(&world, &server, &service).ends_with(0);
    world.write("api-key", "wrong");
    ask_leniently(&world, &server, &service).ends_with(4);
    ask(&world, &server, &format!("ita={url},ca=ca.pem")).ends_with(1);
}

#[test]
fn azure_attestation_appraises_under_the_name_of_its_instance() {
    for (issuer, code) in [(None, 0), (Some("https://other.attest.azure.net"), 4)] {
        let world = World::new();
        let server = td(&world);
        let signer = Arc::new(Signer::rs256());
        let set = with_kid(&signer);
        let attest = async move |headers: HeaderMap, Json(request): Json<Value>| {
            let own = format!("https://{}", headers["host"].to_str().unwrap());
            let quote = request["quote"].as_str().unwrap();
            let quote = BASE64_URL_SAFE_NO_PAD.decode(quote).unwrap();
            let claims = maa_claims(issuer.unwrap_or(&own), &quote);
            Json(json!({ "token": signer.token(&claims) }))
        };
        let app = Router::new()
            .route("/attest/TdxVm", post(attest))
            .route("/certs", get(async move || Json(set.clone())));
        let url = https(&world, app);
        let service = format!("maa={url},ca=ca.pem");
        let ran = ask_leniently(&world, &server, &service).ends_with(code);
        if code == 0 {
            let told = ran.error();
            let shown = told
                .lines()
                .any(|line| line.contains("mrtd") && line.contains("0505"));
            assert!(shown, "{told}");
        }
    }
}

#[test]
fn a_service_that_is_not_there_is_a_fault_and_no_word_on_the_server() {
    let world = World::new();
    let server = td(&world);
    let (_socket, port) = support::nobody();
    let url = format!("http://127.0.0.1:{port}");
    let ran = ask(&world, &server, &format!("trustee={url}")).ends_with(4);
    assert!(
        ran.error().contains("could not be reached"),
        "{}",
        ran.error()
    );
}

fn ask(world: &World, server: &str, service: &str) -> Ran {
    world.atls(&["get", server, "--ca", "ca.pem", "--verifier", service])
}

/// The same, for services that do not know the software.
fn ask_leniently(world: &World, server: &str, service: &str) -> Ran {
    world.atls(&[
        "get",
        server,
        "--ca",
        "ca.pem",
        "--verifier",
        service,
        "--accept-warning",
    ])
}

/// A server in a TD of a forged platform.
fn td(world: &World) -> String {
    let platform = Arc::new(atls_tdx::testing::ForgedPlatform::new(now()).unwrap());
    let device = world.td(&platform, platform.td_report());
    world.attested(device, Router::new().route("/", get(async || "hello")))
}

fn plain(world: &World, app: Router) -> String {
    let listener = world.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
    let listener = listener.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    world.spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

/// The same over TLS, under the authority of the world.
fn https(world: &World, app: Router) -> String {
    let tls = Arc::new(world.authority.server().unwrap());
    let acceptor = tokio_rustls::TlsAcceptor::from(tls);
    let listener = world.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
    let listener = listener.unwrap();
    let port = listener.local_addr().unwrap().port();
    world.spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, app) = (acceptor.clone(), app.clone());
            tokio::spawn(async move {
                let stream = TokioIo::new(acceptor.accept(socket).await.unwrap());
                let builder = auto::Builder::new(TokioExecutor::new());
                let _ = builder
                    .serve_connection(stream, TowerToHyperService::new(app))
                    .await;
            });
        }
    });
    format!("https://localhost:{port}")
}

fn with_algorithm(jwk: &Value, algorithm: &str) -> String {
    let mut jwk = jwk.clone();
    jwk["alg"] = algorithm.into();
    jwk.to_string()
}

fn with_kid(signer: &Signer) -> Value {
    let mut jwk = signer.jwk().clone();
    jwk["kid"] = "k".into();
    json!({ "keys": [jwk] })
}

fn report_data(quote: &[u8]) -> String {
    quote[568..632]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn ita_claims(quote: &[u8]) -> Value {
    let now = now();
    json!({
        "eat_profile": "https://portal.trustauthority.intel.com/eat_profile.html",
        "iss": "Intel Trust Authority", "iat": now, "nbf": now, "exp": now + 300, "ver": "2.0.0",
        "policy_ids_matched": [], "policy_ids_unmatched": null,
        "tdx": {
            "attester_type": "TDX", "attester_tcb_status": "UpToDate", "dbgstat": "disabled",
            "tdx_is_debuggable": false, "tdx_mrtd": "00".repeat(48), "tdx_report_data": report_data(quote),
        },
    })
}

fn maa_claims(issuer: &str, quote: &[u8]) -> Value {
    let now = now();
    json!({
        "iss": issuer, "iat": now, "nbf": now, "exp": now + 28_800, "x-ms-ver": "1.0",
        "x-ms-attestation-type": "tdxvm", "dbgstat": "disabled", "tdx_td_attributes_debug": false,
        "attester_tcb_status": "UpToDate", "tdx_mrtd": "05".repeat(48), "tdx_report_data": report_data(quote),
        "x-ms-compliance-status": "azure-compliant-cvm", "x-ms-policy-hash": "hash",
    })
}
