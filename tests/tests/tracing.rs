//! What is logged: one event per connection that says whose fault it was, and nothing of the connection itself.
//!
//! A file of its own, for the log of a process is one.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::io;
use std::sync::Arc;
use std::sync::Mutex;

use atls_tower::ServerTerms;
use end_to_end::World;
use end_to_end::reqwest_client;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

#[tokio::test]
async fn each_connection_is_one_event_that_names_the_fault_and_no_secret() {
    let log = Log::default();
    let writer = log.clone();
    let ours = Targets::new()
        .with_target("atls_tower", LevelFilter::TRACE)
        .with_target("atls_axum", LevelFilter::TRACE);
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(move || writer.clone());
    tracing_subscriber::registry()
        .with(layer.with_filter(ours))
        .init();

    let world = World::new();
    let server = world.serve_attested().await;
    let attested = world.demanding();
    reqwest_client(&attested)
        .get(server.url("/"))
        .send()
        .await
        .unwrap();
    let events = log.take();
    assert_eq!(
        events.matches(" DEBUG ").count(),
        2,
        "the client's and the server's: {events}"
    );
    assert!(
        events.contains("side=\"server\"") && events.contains("peer=127.0.0.1:"),
        "{events}"
    );

    let unattested = world.serve(ServerTerms::plain()).await;
    reqwest_client(&attested)
        .get(unattested.url("/"))
        .send()
        .await
        .unwrap_err();
    let events = log.take();
    assert!(
        events.contains(" WARN ") && events.contains("fault=peer"),
        "{events}"
    );
    assert!(events.contains("side=\"client\""), "{events}");

    let mutual = world
        .serve(
            ServerTerms::new()
                .attester(world.server_device.clone())
                .require_peer(world.about_servers()),
        )
        .await;
    reqwest_client(&world.mutual())
        .get(mutual.url("/"))
        .send()
        .await
        .unwrap_err();
    let events = log.take();
    assert!(
        events.contains("evidence is signed by an unknown key")
            || events.contains("appraisal failed"),
        "{events}"
    );
    // Neither a binder nor Evidence, a certificate or a name in it: nothing that is long and random.
    for word in events.split(|c: char| !c.is_ascii_alphanumeric()) {
        let random = word.len() >= 32 && word.chars().any(|c| c.is_ascii_digit());
        assert!(!random, "{word} in {events}");
    }
}
