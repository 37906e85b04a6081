//! Our client, against the Python server.

use std::sync::Arc;

use atls_reqwest::AttestedBuilder;
use atls_reqwest::Http;
use atls_reqwest::ResponseExt;
use demo::Issued;
use end_to_end::World;
use end_to_end::lenient;
use end_to_end::load;
use end_to_end::refusal;
use end_to_end::reqwest_client;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::SingleCertAndKey;
use serde_json::Value;

use crate::scene::KEYS;
use crate::scene::PATIENT;
use crate::scene::SUITES;
use crate::scene::Scene;
use crate::scene::Server;

const ATTESTS: &str = "--device @server-device.key";
const WANTS: &str = "--trust-sim @client-device.pub";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_client_is_served_by_the_python_server_in_every_form() {
    let Some(scene) = Scene::new("forms-of-the-server") else {
        return;
    };
    let mut server = scene.server("p256", &format!("{ATTESTS} --minimal"));
    get(&server, client(&scene, "p256")).await;
    assert_eq!(server.next()["verdict"], Value::Null);

    let both = format!("{ATTESTS} {WANTS}");
    let forms = [
        (ATTESTS.to_owned(), client(&scene, "p256"), false),
        (format!("{ATTESTS} --batch"), client(&scene, "p256"), false),
        (format!("{both} --ask"), client(&scene, "p256"), false),
        (both.clone(), mutual(&scene, "p256"), true),
        (
            format!("{both} --attest-first"),
            mutual(&scene, "p256").attest_before_server(),
            true,
        ),
    ];
    for (arguments, client, attests) in forms {
        let mut server = scene.server("p256", &arguments);
        get(&server, client).await;
        let said = server.next();
        assert_eq!(said["outcome"], "done", "{arguments}: {said}");
        assert_eq!(said["peer_attested"], attests, "{arguments}: {said}");
        assert_eq!(said["verdict"], "accepted, 3600 s", "{arguments}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_client_is_served_by_the_python_server_over_every_suite_and_key() {
    let Some(scene) = Scene::new("suites-of-the-server") else {
        return;
    };
    for key in KEYS {
        for suite in SUITES {
            let mut server = scene.server(key, &format!("{ATTESTS} {WANTS} --suite {suite}"));
            get(&server, mutual(&scene, key)).await;
            let said = server.next();
            assert_eq!(said["peer_attested"], true, "{key} {suite}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_client_may_present_a_certificate_in_the_handshake_to_the_python_server() {
    let Some(scene) = Scene::new("certificate-of-our-client") else {
        return;
    };
    let chain = vec![CertificateDer::from_pem_slice(&scene.bytes("p384.pem")).unwrap()];
    let key = PrivateKeyDer::try_from(scene.bytes("p384.key")).unwrap();
    let presented = load(&Issued { chain, key });
    let resolver = SingleCertAndKey::from((*presented).clone());
    let mut server = scene.server("p256", &format!("{ATTESTS} {WANTS} --ask-certificate"));
    let client = mutual(&scene, "p256").client_certificate(Arc::new(resolver));
    get(&server, client).await;
    let said = server.next();
    assert_eq!(said["peer_attested"], true);
    assert_eq!(said["certificate"], true, "it saw one in the handshake");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_client_that_wants_no_evidence_attests_to_the_python_server() {
    let Some(scene) = Scene::new("wishes-of-our-client") else {
        return;
    };
    let mut server = scene.server("p256", &format!("{ATTESTS} {WANTS}"));
    let client = builder(&scene, "p256")
        .dangerous_accept_unattested_servers()
        .attester(scene.device("client-device"));
    let client = reqwest_client(&client.http(Http::One).build().unwrap());
    let answer = client.get(server.url()).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "hello, attested client\n");
    assert_eq!(server.next()["peer_attested"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_client_sends_no_http_to_a_python_server_on_another_device() {
    let Some(scene) = Scene::new("refusals-of-our-client") else {
        return;
    };
    let mut server = scene.server("p256", "--device @client-device.key");
    let client = reqwest_client(&client(&scene, "p256").http(Http::One).build().unwrap());
    let error = client.get(server.url()).send().await.unwrap_err();
    assert!(refusal(&error).in_exchange().is_some(), "{error:?}");
    assert_eq!(server.next()["why"], "the attestation was not accepted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_client_on_another_device_is_refused_by_the_python_server() {
    let Some(scene) = Scene::new("refusals-of-the-server") else {
        return;
    };
    let mut server = scene.server("p256", &format!("{ATTESTS} --trust-sim @server-device.pub"));
    let client = reqwest_client(&mutual(&scene, "p256").http(Http::One).build().unwrap());
    let error = client.get(server.url()).send().await.unwrap_err();
    assert!(refusal(&error).in_exchange().is_some(), "{error:?}");
    assert_eq!(server.next()["outcome"], "refused");
}

/// One request, whose answer is that of an attested server.
async fn get(server: &Server, client: AttestedBuilder) {
    let attested = client.http(Http::One).build().unwrap();
    let answer = reqwest_client(&attested)
        .get(server.url())
        .send()
        .await
        .unwrap();
    assert!(answer.attestation(&attested).is_ok());
    assert!(answer.text().await.unwrap().starts_with("hello"));
}

fn client(scene: &Scene, key: &str) -> AttestedBuilder {
    let servers = lenient(&scene.device("server-device")).build().unwrap();
    builder(scene, key).require_peer(Arc::new(servers))
}

fn mutual(scene: &Scene, key: &str) -> AttestedBuilder {
    client(scene, key).attester(scene.device("client-device"))
}

/// It trusts the certificate of the Python server, and demands and offers nothing yet.
fn builder(scene: &Scene, key: &str) -> AttestedBuilder {
    let certificate = String::from_utf8(scene.bytes(&format!("{key}.pem"))).unwrap();
    World::new()
        .client()
        .roots(demo::roots_of(&certificate).unwrap())
        .deadline(PATIENT)
}
