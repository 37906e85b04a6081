//! ACME servers that are away or refuse, and strangers that order a certificate for the service's name.

use acme::Issue;
use acme::OrderError;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpSocket;
use tokio::sync::Notify;

use crate::acme_server::AcmeServer;
use crate::acme_server::Manner;
use crate::acme_server::program;
use crate::scene::Scene;
use crate::scene::issuer;

#[tokio::test]
async fn an_acme_server_that_is_away_leaves_the_certificate_in_service_and_needs_no_memory() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let seen = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let Some(mut scene) = Scene::with(Manner::patient(), &["service.test"]).await else {
        return;
    };
    let asked = Notify::new();
    scene.renewal.next(&asked).await;
    let client = scene.client().await;
    let first = client.key_of("service.test").await.unwrap();

    scene.acme.kill();
    asked.notify_one();
    let failed = async {
        while !seen
            .render()
            .contains(r#"acme_orders_total{outcome="failed"} 1"#)
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = scene.renewal.next(&asked) => panic!("there is nobody to give a certificate"),
        () = failed => {}
    }
    assert_eq!(client.key_of("service.test").await.unwrap(), first);

    // It knows neither the account nor its orders.
    scene.acme.start_anew();
    asked.notify_one();
    scene.renewal.next(&asked).await;
    let client = scene.client().await;
    assert_ne!(client.key_of("service.test").await.unwrap(), first);
}

#[tokio::test]
async fn a_name_that_the_acme_server_refuses_gets_no_certificate() {
    let Some(scene) = Scene::with(Manner::patient(), &["blocked.test"]).await else {
        return;
    };
    let refused = issuer(&scene.acme, &["blocked.test"]).unwrap();
    let Err(OrderError::Acme(why)) = refused.issue().await else {
        panic!("not refused by the server");
    };
    assert!(why.contains("rejectedIdentifier"), "{why}");
}

#[tokio::test]
async fn a_name_that_does_not_come_to_this_machine_is_not_validated() {
    let Some(program) = program() else {
        return;
    };
    // Nobody listens at its port, and nobody else gets it.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = nobody.local_addr().unwrap().port();
    let acme = AcmeServer::start_with(Manner::patient(), program, port).await;
    let refused = issuer(&acme, &["service.test"]).unwrap().issue().await;
    let refused = refused.unwrap_err();
    assert!(matches!(refused, OrderError::NotValidated(_)), "{refused}");
}

/// The service answers its own challenges and no others, during its own order and after it.
#[tokio::test]
async fn a_stranger_gets_no_certificate_for_the_name_of_the_service() {
    let Some(mut scene) = Scene::with(Manner::patient(), &["service.test"]).await else {
        return;
    };
    let stranger = issuer(&scene.acme, &["service.test"]).unwrap();
    let never = Notify::new();
    let (_, beside) = tokio::join!(scene.renewal.next(&never), stranger.issue());
    let alone = stranger.issue().await;
    for refused in [beside, alone] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, OrderError::NotValidated(_)), "{refused}");
    }
}
