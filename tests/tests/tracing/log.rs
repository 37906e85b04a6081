//! The log as tests read it.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;

use atls_tower::ServerTerms;
use end_to_end::Served;
use end_to_end::World;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Of this thread, on which a test's runtime runs everything. Accounts, which have many lines, are left out.
    pub(crate) fn capture() -> (Self, DefaultGuard) {
        Self::capture_with(
            Targets::new()
                .with_target("atls_tower", LevelFilter::TRACE)
                .with_target("atls_axum", LevelFilter::TRACE)
                .with_target(ACCOUNTS, LevelFilter::OFF),
        )
    }

    pub(crate) fn capture_with(ours: Targets) -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(ours));
        let guard = tracing::subscriber::set_default(subscriber);
        (log, guard)
    }

    pub(crate) fn take(&self) -> Vec<String> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// The events of one side.
    pub(crate) fn of(&self, side: &str) -> Vec<String> {
        let side = format!("side=\"{side}\"");
        let mut events = self.take();
        events.retain(|event| event.contains(&side));
        events
    }
}

/// The target of whole accounts of refusals.
pub(crate) const ACCOUNTS: &str = "atls_tower::refusal";

/// One event, of this level, with all of these words.
pub(crate) fn assert_one(events: &[String], level: &str, words: &[&str]) {
    let [event] = events else {
        panic!("{events:#?}");
    };
    assert!(event.contains(&format!(" {level} ")), "{level}: {event}");
    for word in words {
        assert!(event.contains(word), "{word:?} in {event}");
    }
}

/// Demands attestation of clients.
pub(crate) async fn requiring(world: &World) -> Served {
    let terms = ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(world.about_clients());
    world.serve(terms).await
}
