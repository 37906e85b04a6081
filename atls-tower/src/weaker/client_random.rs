//! The `client_random` of a client's own handshake, which rustls tells its key log alone.

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;

use rustls::KeyLog;

tokio::task_local! {
    /// The `client_random` of the handshake that is being driven.
    static RANDOM: Cell<Option<[u8; 32]>>;
}

/// Does a handshake whose configuration has a [`RandomLog`], and gives its `client_random` too.
pub(super) async fn observe<T>(handshake: impl Future<Output = T>) -> (T, Option<[u8; 32]>) {
    let observed = async {
        let done = handshake.await;
        (done, RANDOM.with(Cell::get))
    };
    RANDOM.scope(Cell::default(), observed).await
}

/// A key log that notes the `client_random` of each handshake, beside the application's own key log.
#[derive(Debug)]
pub(super) struct RandomLog {
    application: Arc<dyn KeyLog>,
}

impl RandomLog {
    pub(super) fn beside(application: Arc<dyn KeyLog>) -> Self {
        Self { application }
    }
}

impl KeyLog for RandomLog {
    fn will_log(&self, label: &str) -> bool {
        label == LABEL || self.application.will_log(label)
    }

    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        if label == LABEL {
            // Only the random is noted, and only in a handshake that is observed.
            let _ = RANDOM.try_with(|random| random.set(client_random.try_into().ok()));
        }
        if self.application.will_log(label) {
            self.application.log(label, client_random, secret);
        }
    }
}

/// RFC 9850 §2.1; the last secret of a handshake.
const LABEL: &str = "EXPORTER_SECRET";
