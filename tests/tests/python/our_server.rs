//! The Python client, against our server.

use std::sync::Arc;

use atls_core::RelyingParty;
use atls_tower::Batcher;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::lenient;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use serde_json::Value;
use test_support::Connection;

use crate::scene::KEYS;
use crate::scene::PATIENT;
use crate::scene::SUITES;
use crate::scene::Scene;

const WANTS: &str = "--trust-sim @server-device.pub";
const ATTESTS: &str = "--device @client-device.key";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_is_served_in_every_form() {
    let Some(scene) = Scene::new("forms-of-the-client") else {
        return;
    };
    let (device, clients) = (scene.device("server-device"), about_clients(&scene));
    let attests = || ServerTerms::new().attester(device.clone());
    let requires = || attests().require_peer(clients.clone());

    let minimal = format!("{WANTS} --minimal");
    let said = one(&scene, attests(), &minimal).await;
    assert_eq!(summary(&said), (true, false, "unattested"), "{said}");

    let said = one(&scene, attests(), WANTS).await;
    assert_eq!(summary(&said), (true, false, "unattested"), "{said}");

    let said = one(&scene, attests().ask_peer(clients.clone()), WANTS).await;
    assert_eq!(summary(&said), (true, false, "unattested"), "{said}");

    let both = format!("{WANTS} {ATTESTS}");
    let said = one(&scene, requires(), &both).await;
    assert_eq!(summary(&said), (true, true, "affirming"), "{said}");
    assert_eq!(said["verdict"], "accepted, 3600 s");

    let first = format!("{both} --attest-first");
    let said = one(&scene, requires().client_first(), &first).await;
    assert_eq!(summary(&said), (true, true, "affirming"), "{said}");

    let client_alone = ServerTerms::new().require_peer(clients.clone());
    let said = one(&scene, client_alone, ATTESTS).await;
    assert_eq!(summary(&said), (false, true, "affirming"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_is_served_over_every_suite_and_key() {
    let Some(scene) = Scene::new("suites-of-the-client") else {
        return;
    };
    for key in KEYS {
        let terms = ServerTerms::new().attester(scene.device("server-device"));
        let server = serve(&scene, key, terms.require_peer(about_clients(&scene))).await;
        for suite in SUITES {
            let arguments = format!("{WANTS} {ATTESTS} --key {key} --suite {suite} --path /peer");
            let said = scene.client(server.address, key, &arguments).await;
            assert_eq!(summary(&said[0]), (true, true, "affirming"), "{said:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_may_present_a_certificate_in_the_handshake() {
    let Some(scene) = Scene::new("certificate-of-the-client") else {
        return;
    };
    let terms = ServerTerms::new().attester(scene.device("server-device"));
    let mut roots = RootCertStore::empty();
    roots.add(certificate(&scene, "p384")).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), demo::provider());
    let clients = verifier.build().unwrap();
    let terms = terms.require_peer(about_clients(&scene));
    let server = serve_tls(&scene, "p256", terms, clients).await;
    let arguments = format!("{WANTS} {ATTESTS} --present @p384 --path /peer");
    let said = scene.client(server.address, "p256", &arguments).await;
    assert_eq!(summary(&said[0]), (true, true, "affirming"), "{said:?}");
}

/// The device is busy with Evidence for a connection of the test's own, so that those of the client wait for the next together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_takes_evidence_of_a_batch_and_ours_takes_its() {
    let Some(scene) = Scene::new("batches-of-the-client") else {
        return;
    };
    let gate = Gate::new();
    let held = Gated {
        inner: scene.device("server-device"),
        gate: gate.clone(),
    };
    let batcher = Batcher::builder(Arc::new(held))
        .device_deadline(PATIENT)
        .spawn()
        .unwrap();
    let busy = batcher.clone();
    let busy = tokio::spawn(async move { Connection::new().token(&busy).await });
    gate.reached_by(1).await;
    let queue = batcher.clone();
    let terms = ServerTerms::new().attester(Arc::new(batcher));
    let server = serve(&scene, "p256", terms.require_peer(about_clients(&scene))).await;
    let opened = tokio::spawn(async move {
        while queue.stats().waiting < 4 {
            tokio::task::yield_now().await;
        }
        gate.open();
    });
    let arguments = format!("{WANTS} {ATTESTS} --batch --connections 4 --path /peer");
    let said = scene.client(server.address, "p256", &arguments).await;
    opened.await.unwrap();
    busy.await.unwrap();
    let batched = said.iter().filter(|said| said["batch"] == true).count();
    assert_eq!((said.len(), batched), (4, 4), "{said:?}");
    for said in &said {
        assert_eq!(summary(said), (true, true, "affirming"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_sends_no_http_to_our_server_on_another_device() {
    let Some(scene) = Scene::new("refusals-of-the-client") else {
        return;
    };
    let terms = ServerTerms::new().attester(scene.device("client-device"));
    let server = serve(&scene, "p256", terms).await;
    let said = scene.client(server.address, "p256", WANTS).await;
    assert_eq!(said[0]["outcome"], "refused", "{said:?}");
    assert_eq!(server.hits(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_is_told_why_our_server_refuses_it() {
    let Some(scene) = Scene::new("refusals-of-our-server") else {
        return;
    };
    let clients = Arc::new(lenient(&scene.device("server-device")).build().unwrap());
    let terms = || {
        ServerTerms::new()
            .attester(scene.device("server-device"))
            .require_peer(clients.clone())
    };
    let refusals = [
        (terms(), format!("{WANTS} {ATTESTS}"), "not accepted"),
        (terms(), WANTS.to_owned(), "required and was not offered"),
        (
            terms().client_first(),
            format!("{WANTS} {ATTESTS}"),
            "no common order",
        ),
    ];
    for (terms, arguments, why) in refusals {
        let server = serve(&scene, "p256", terms).await;
        let said = scene.client(server.address, "p256", &arguments).await;
        assert_eq!(said[0]["outcome"], "rejected", "{said:?}");
        assert!(said[0]["why"].as_str().unwrap().contains(why), "{said:?}");
        assert_eq!(server.hits(), 0);
    }
}

/// Whether the client accepted the server and attested itself, and what a handler sees of it.
fn summary(said: &Value) -> (bool, bool, &str) {
    let flag = |name: &str| said[name].as_bool().unwrap_or_else(|| panic!("{said}"));
    let body = said["body"].as_str().unwrap();
    (flag("peer_attested"), flag("attested"), body)
}

async fn one(scene: &Scene, terms: ServerTerms, arguments: &str) -> Value {
    let server = serve(scene, "p256", terms).await;
    let arguments = format!("{arguments} --path /peer");
    scene
        .client(server.address, "p256", &arguments)
        .await
        .remove(0)
}

async fn serve(scene: &Scene, key: &str, terms: ServerTerms) -> Served {
    serve_tls(scene, key, terms, WebPkiClientVerifier::no_client_auth()).await
}

async fn serve_tls(
    scene: &Scene,
    key: &str,
    terms: ServerTerms,
    clients: Arc<dyn ClientCertVerifier>,
) -> Served {
    let private = PrivateKeyDer::try_from(scene.bytes(&format!("{key}.key"))).unwrap();
    let mut tls = ServerConfig::builder_with_provider(demo::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![certificate(scene, key)], private)
        .unwrap();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let terms = terms.deadline(PATIENT).first_byte(PATIENT);
    World::new().serve_with(terms, tls).await
}

fn certificate(scene: &Scene, key: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(&scene.bytes(&format!("{key}.pem"))).unwrap()
}

fn about_clients(scene: &Scene) -> Arc<RelyingParty> {
    Arc::new(lenient(&scene.device("client-device")).build().unwrap())
}
