//! The log of a proxy: one line for each event, on the standard error.

use std::io;
use std::io::Write;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::terminal::Safe;

/// Logs from now on: by `RUST_LOG` where that is set, such as to see the whole account of each refusal.
pub(super) fn start() {
    let asked_for = std::env::var("RUST_LOG").ok();
    let (filter, wrong) = match filter(asked_for.as_deref()) {
        Ok(filter) => (filter, None),
        Err(wrong) => (usual(), Some(wrong)),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| Lines(io::stderr()))
        .with_ansi(false)
        .with_filter(filter);
    // A second subscriber would be one of a test.
    let _ = tracing_subscriber::registry().with(lines).try_init();
    if let Some(wrong) = wrong {
        tracing::warn!(error = %wrong, "RUST_LOG is not understood, and has no effect");
    }
}

fn filter(asked_for: Option<&str>) -> Result<Targets, ParseError> {
    match asked_for {
        None | Some("") => Ok(usual()),
        Some(asked_for) => asked_for.parse(),
    }
}

fn usual() -> Targets {
    Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("atls", LevelFilter::INFO)
        .with_target("atls_tower", LevelFilter::INFO)
        .with_target("atls_axum", LevelFilter::INFO)
}

/// Writes each event on one line. Errors have the words of others in them, whose line ends would begin an event of their choice.
struct Lines<W>(W);

impl<W: Write> Write for Lines<W> {
    /// The subscriber writes each event at once.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = format!("{}\n", Safe(text.trim_end_matches('\n')));
        self.0.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::Mutex;

    use tracing::Level;

    use super::*;

    #[test]
    fn rust_log_takes_the_place_of_the_usual_filter_where_it_is_understood() {
        let account = |asked_for| {
            let filter = filter(asked_for).ok()?;
            Some(filter.would_enable("atls_tower::refusal", &Level::DEBUG))
        };
        assert_eq!(account(None), Some(false));
        assert_eq!(account(Some("")), Some(false));
        assert_eq!(account(Some("debug")), Some(true));
        assert_eq!(account(Some("info,atls_tower::refusal=debug")), Some(true));
        assert_eq!(account(Some("atls_tower=loud")), None);
    }

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_words_of_others_begin_a_line_or_a_sequence_of_the_terminal() {
        let written = Written::default();
        let writer = written.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(move || Lines(writer.clone()))
            .with_ansi(false);
        let subscriber = tracing_subscriber::registry().with(lines);
        let reason = "no\nERROR all is lost\r\u{1b}[2J\u{202e}";
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(%reason, "one");
            tracing::warn!("{reason}");
        });
        let written = written.0.lock().unwrap().clone();
        let written = String::from_utf8(written).unwrap();
        assert_eq!(written.lines().count(), 2, "{written}");
        assert!(written.contains("all is lost"), "{written}");
        let is_plain = |c: char| c == '\n' || c.is_ascii_graphic() || c == ' ';
        assert!(written.chars().all(is_plain), "{written:?}");
    }
}
