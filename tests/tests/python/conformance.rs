//! The Python peer passes the conformance kit, in both roles. What is not supported is written down, so that it cannot grow unseen.

use std::sync::Arc;
use std::time::Duration;

use atls_core::session::Side;
use conform::breach::Breach;
use conform::keys::Keys;
use conform::kit::Kit;
use conform::kit::Target;
use conform::report::Outcome;
use conform::report::Report;
use conform::run::run;
use tokio::net::TcpListener;

use crate::scene::Scene;

/// A server that demands attestation, gives Evidence of a batch, and asks for a certificate in the handshake.
const SERVER: &str =
    "--device @server-device.key --trust-sim @kit-device.pub --batch --ask-certificate";
/// A client that demands attestation, attests, with Evidence of a batch, and presents a certificate in the handshake.
const CLIENT: &str =
    "--again --device @client-device.key --trust-sim @kit-device.pub --batch --present @p384";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_server_conforms() {
    let Some(scene) = Scene::new("conforming-server") else {
        return;
    };
    let kit = kit(&scene);
    let report = serve(&scene, &kit, SERVER).await;
    conforms(&report, &SERVER_LACKS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_server_that_hears_the_client_first_conforms() {
    let Some(scene) = Scene::new("conforming-server-first") else {
        return;
    };
    let kit = kit(&scene);
    let report = serve(&scene, &kit, &format!("{SERVER} --attest-first")).await;
    conforms(&report, &SERVER_LACKS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_server_that_only_asks_conforms() {
    let Some(scene) = Scene::new("conforming-server-that-asks") else {
        return;
    };
    let mut kit = kit(&scene);
    kit.demands = false;
    let report = serve(&scene, &kit, &format!("{SERVER} --ask")).await;
    conforms(&report, &SERVER_THAT_ASKS_LACKS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_conforms() {
    let Some(scene) = Scene::new("conforming-client") else {
        return;
    };
    let report = visit(&scene, CLIENT).await;
    conforms(&report, &CLIENT_LACKS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_that_attests_first_conforms() {
    let Some(scene) = Scene::new("conforming-client-first") else {
        return;
    };
    let report = visit(&scene, &format!("{CLIENT} --attest-first")).await;
    conforms(&report, &FIRST_CLIENT_LACKS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_that_wants_nothing_and_offers_verdicts_conforms() {
    let Some(scene) = Scene::new("conforming-client-without-wishes") else {
        return;
    };
    let report = visit(&scene, "--again --device @client-device.key").await;
    assert_eq!(report.with(Outcome::Fail), [], "{report}");
    assert_eq!(report.with(Outcome::NotReached), [], "{report}");
}

/// It trusts what the scene has a file of.
fn kit(scene: &Scene) -> Kit {
    let mut kit = Kit::new(Keys::generate().unwrap());
    // For a machine that is busy; only what fails waits so long.
    kit.limit = Duration::from_secs(20);
    std::fs::write(scene.file("kit-device.pub"), kit.keys.device_key()).unwrap();
    std::fs::write(scene.file("kit.pem"), kit.keys.authority_pem()).unwrap();
    kit
}

async fn serve(scene: &Scene, kit: &Kit, arguments: &str) -> Report {
    let server = scene.server("p256", arguments);
    let target = Target::Server(server.address());
    run(kit, &target, &Breach::cases(Side::Server)).await
}

async fn visit(scene: &Scene, arguments: &str) -> Report {
    let kit = kit(scene);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _client = scene.visitor(listener.local_addr().unwrap(), "kit", arguments);
    let target = Target::Visitors(Arc::new(listener));
    run(&kit, &target, &Breach::cases(Side::Client)).await
}

fn conforms(report: &Report, lacks: &[&str]) {
    assert_eq!(report.with(Outcome::Fail), [], "{report}");
    assert_eq!(report.with(Outcome::NotReached), [], "{report}");
    let unsupported = report.with(Outcome::NotSupported);
    let unsupported: Vec<_> = unsupported.iter().map(ToString::to_string).collect();
    assert_eq!(unsupported, lacks, "{report}");
}

/// It offers batches and verdicts, demands attestation, and so serves no client in the minimal form.
const SERVER_LACKS: [&str; 4] = [
    "P4.4/selects-unasked",
    "P4.15/takes-forged-empty",
    "P5.1.1/takes-unoffered-batch",
    "P6.8/takes-unoffered-verdicts",
];

/// It offers batches and verdicts, and takes a client that declines.
const SERVER_THAT_ASKS_LACKS: [&str; 4] = [
    "P4.14/takes-empty",
    "P5.1/takes-plain",
    "P5.1.1/takes-unoffered-batch",
    "P6.8/takes-unoffered-verdicts",
];

/// It offers batches and verdicts, demands attestation, and can attest.
const CLIENT_LACKS: [&str; 4] = [
    "P4.15/takes-forged-empty",
    "P5.1.1/takes-unoffered-batch",
    "P6.8/takes-unoffered-verdicts",
    "P8.12/answers-unable",
];

/// Likewise, in either order.
const FIRST_CLIENT_LACKS: [&str; 5] = [
    "P4.15/takes-forged-empty",
    "P5.1.1/takes-unoffered-batch",
    "P6.8/takes-unoffered-verdicts",
    "P8.12/answers-unable",
    "P8.12/answers-out-of-order",
];
