//! The log as tests read it.

use atls_tower::ServerTerms;
use end_to_end::Served;
use end_to_end::World;
use test_support::Log;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;

/// Of this thread: all that the crates say but accounts, which have many lines.
pub(crate) fn capture() -> (Log, DefaultGuard) {
    Log::start(
        Targets::new()
            .with_target("atls_tower", LevelFilter::TRACE)
            .with_target("atls_axum", LevelFilter::TRACE)
            .with_target(ACCOUNTS, LevelFilter::OFF),
    )
}

/// The events of one side.
pub(crate) fn of(log: &Log, side: &str) -> Vec<String> {
    let side = format!("side=\"{side}\"");
    let mut events = log.take();
    events.retain(|event| event.contains(&side));
    events
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
