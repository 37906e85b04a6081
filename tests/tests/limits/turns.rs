//! Clients that wait, and servers that shut down.

use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use adversary::REQUEST;
use atls_axum::AttestedListener;
use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::ConfigError;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::RelyingParty;
use atls_core::Verifier;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Parameters;
use atls_core::exchange::SendError;
use atls_core::limits::MAX_FORMATS;
use atls_core::pki_types::UnixTime;
use atls_reqwest::Attested;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::reqwest_client;
use end_to_end::time::PATIENCE;
use end_to_end::time::until;
use end_to_end::time::wait;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

/// Nothing is attested and nothing appraised for a client that goes silent after the server's authenticator.
#[tokio::test]
async fn clients_that_say_nothing_more_take_nobodys_turn() {
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let terms = terms.require_peer(world.about_clients()).at_once(1, 1);
    let server = world.serve(terms.deadline(Duration::from_secs(600))).await;
    let mut silent = Vec::new();
    for wants_evidence in [false, true] {
        let socket = TcpStream::connect(server.address).await.unwrap();
        let tls = Arc::new(world.client_tls(&[]));
        let mut link = Link::connect(tls, socket, None).await.unwrap();
        let formats = world.about_servers().media_types();
        let parameters = Parameters::client(formats, wants_evidence, CanAttest::AfterServer);
        let (request, _) =
            atls_core::exchange::request(&link, &demo::provider(), Some(&parameters)).unwrap();
        link.write(REQUEST, &request).await.unwrap();
        // The server asks, and attests or not.
        link.read().await.unwrap();
        link.read().await.unwrap();
        silent.push(link);
    }
    let client = reqwest_client(&world.mutual());
    let served = client.get(server.url("/")).send();
    let served = tokio::time::timeout(Duration::from_secs(60), served).await;
    assert!(served.expect("a turn is free").is_ok());
}

#[tokio::test]
async fn those_who_wait_for_their_turn_have_a_deadline_too() {
    let world = World::new();
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let recorder = PrometheusBuilder::new().build_recorder();
    let seen = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let terms = ServerTerms::new().attester(Arc::new(device)).at_once(1, 1);
    let server = world.serve(terms.deadline(LIMIT)).await;
    let clients = [(); 3].map(|()| {
        let client = reqwest_client(&patient(&world));
        tokio::spawn(client.get(server.url("/")).send())
    });
    gate.reached_by(1).await;
    let waiting = "atls_work_waiting{work=\"attestation\"} 2\n";
    until("two wait", || seen.render().contains(waiting)).await;
    wait(LIMIT).await;
    for client in clients {
        let error = exchange_error(&client.await.unwrap().unwrap_err());
        // Closed while it waited, or declined as the device came too late.
        assert!(error.is_closed() || error.is_peer_unattested());
    }
}

#[tokio::test]
async fn a_full_server_takes_the_next_when_one_is_gone() {
    let world = World::new();
    let recorder = PrometheusBuilder::new().build_recorder();
    let seen = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let terms = terms.deadline(LIMIT);
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let server = Served::over(
        AttestedListener::builder(acceptor)
            .pending(2)
            .over(listener)
            .unwrap(),
    );
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(TcpStream::connect(server.address).await.unwrap());
    }
    let client = reqwest_client(&patient(&world));
    let served = tokio::spawn(client.get(server.url("/")).send());
    let full = "atls_pending_connections 2\n";
    for two in silent.chunks_mut(2) {
        until("it is full", || seen.render().contains(full)).await;
        assert!(!served.is_finished());
        wait(LIMIT).await;
        for gone in two {
            let closed = gone.read_to_end(&mut Vec::new()).await;
            assert_eq!(closed.unwrap_or(0), 0);
        }
    }
    assert!(served.await.unwrap().is_ok());
}

#[tokio::test]
async fn graceful_shutdown_finishes_requests_and_drops_handshakes() {
    let world = World::new();
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let mut server = world
        .serve(ServerTerms::new().attester(Arc::new(device)))
        .await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let waiting = tokio::spawn(
        reqwest_client(&world.demanding())
            .get(server.url("/"))
            .send(),
    );
    gate.reached_by(1).await;
    let slow = tokio::spawn(world.plain_client(&["h2"]).get(server.url("/slow")).send());
    server.slow_requests(1).await;

    server.stop();
    // Handshakes in flight are closed,
    let mut bytes = Vec::new();
    assert_eq!(silent.read_to_end(&mut bytes).await.unwrap_or(0), 0);
    assert!(exchange_error(&waiting.await.unwrap().unwrap_err()).is_closed());
    // nobody new is let in,
    assert!(TcpStream::connect(server.address).await.is_err());
    // and what was being served is served.
    server.finish_slow_requests();
    assert_eq!(
        slow.await.unwrap().unwrap().text().await.unwrap(),
        "at last"
    );
    tokio::time::timeout(Duration::from_secs(20), server.task)
        .await
        .expect("it ends")
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_device_that_panics_costs_its_own_connection_only() {
    let world = World::new();
    let server = world
        .serve(
            ServerTerms::new()
                .attester(Arc::new(end_to_end::Panicking(world.server_device.clone()))),
        )
        .await;
    for _ in 0..3 {
        let error = reqwest_client(&world.demanding())
            .get(server.url("/"))
            .send()
            .await
            .unwrap_err();
        assert!(exchange_error(&error).is_peer_unattested());
    }
    assert!(
        world
            .plain_client(&["h2"])
            .get(server.url("/"))
            .send()
            .await
            .is_ok()
    );
}

#[test]
fn terms_whose_request_no_peer_could_take_are_refused_when_they_are_made() {
    let world = World::new();
    let party = |count: usize| {
        let formats = (0..count).map(|n| format!("test/{n}").parse().unwrap());
        let verifier = Arc::new(AnyFormat(formats.collect()));
        let builder = RelyingParty::builder().verifier(verifier);
        Arc::new(builder.build().unwrap())
    };
    let client = |count| {
        let terms = ClientTerms::new().require_peer(party(count));
        ClientConnector::new(world.client_tls(&["h2"]), terms).map(drop)
    };
    let server = |count| {
        let terms = ServerTerms::new().ask_peer(party(count));
        ServerAcceptor::new(world.server_tls(), terms).map(drop)
    };
    assert!(client(MAX_FORMATS).is_ok() && server(MAX_FORMATS).is_ok());
    for refused in [client(MAX_FORMATS + 1), server(MAX_FORMATS + 1)] {
        let refused = refused.unwrap_err();
        assert!(refused.is_local());
        let cause = std::error::Error::source(&refused).unwrap();
        let expected = ConfigError::Request(SendError::TooManyFormats);
        assert_eq!(cause.downcast_ref(), Some(&expected));
    }
}

/// A client that demands attestation and waits longer than any server here.
fn patient(world: &World) -> Attested {
    let builder = world.client().require_peer(world.about_servers());
    builder.deadline(PATIENCE).build().unwrap()
}

/// More than an honest client needs, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(30);

/// Appraises nothing, in any number of formats.
struct AnyFormat(Vec<MediaType>);

impl Verifier for AnyFormat {
    fn media_types(&self) -> &[MediaType] {
        &self.0
    }

    fn appraise<'a>(
        &'a self,
        _: &'a Evidence<'a>,
        _: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async { Err(AppraisalError::Malformed) })
    }
}
