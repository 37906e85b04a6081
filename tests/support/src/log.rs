//! What a thread logs, as tests read it.

use std::io;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::Mutex;

use tracing::Dispatch;
use tracing::Subscriber;
use tracing::subscriber::DefaultGuard;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::Layer as _;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::Filter;
use tracing_subscriber::layer::SubscriberExt;

/// Has the subscriber hear the events of this thread, until the guard is dropped.
///
/// While a process has one subscriber, `tracing` asks only the thread that first comes by an event whether anybody hears it, and remembers the
/// answer for all threads. That may be the thread of another test, which hears nothing. A second subscriber, which stays, prevents this.
pub fn listen(subscriber: impl Subscriber + Send + Sync + 'static) -> DefaultGuard {
    static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));
    LazyLock::force(&SECOND);
    tracing::subscriber::set_default(subscriber)
}

/// The lines that a thread logs.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Of this thread, on which a test's runtime runs everything, until the guard is dropped: what passes this filter.
    pub fn start(filter: impl Filter<Registry> + Send + Sync + 'static) -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(move || writer.clone());
        let layer = layer.with_filter(filter);
        let guard = listen(tracing_subscriber::registry().with(layer));
        (log, guard)
    }

    /// The lines since the last call.
    pub fn take(&self) -> Vec<String> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::filter::LevelFilter;

    use super::Log;

    #[test]
    fn an_event_is_heard_that_a_thread_without_a_log_came_by_first() {
        let event = || tracing::info!("here");
        let (log, _guard) = Log::start(LevelFilter::INFO);
        std::thread::spawn(event).join().unwrap();
        assert!(log.take().is_empty());
        event();
        let lines = log.take();
        assert!(lines.len() == 1 && lines[0].contains("here"), "{lines:?}");
    }
}
