//! Events of the crate, as whoever counts them would see them.
#![allow(
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "a module of each test, which uses a part of it"
)]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;

use tracing::Event;
use tracing::Subscriber;
use tracing::field::Field;
use tracing::field::Visit;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::layer::SubscriberExt;

#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Vec<Fields>>>);

impl Events {
    /// Until the guard is dropped, of this thread.
    pub fn collect(&self) -> DefaultGuard {
        test_support::listen(tracing_subscriber::registry().with(self.clone()))
    }

    /// The values of a field, of those events that have it.
    pub fn field(&self, name: &str) -> Vec<String> {
        let events = self.0.lock().unwrap();
        let values = events.iter().filter_map(|fields| fields.0.get(name));
        values.cloned().collect()
    }
}

impl Events {
    /// The levels of those events that have an outcome.
    pub fn levels(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        let with_outcome = events
            .iter()
            .filter(|fields| fields.0.contains_key("outcome"));
        with_outcome
            .map(|fields| fields.0["level"].clone())
            .collect()
    }
}

impl<S: Subscriber> Layer<S> for Events {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("atls_remote") {
            let mut fields = Fields::default();
            event.record(&mut fields);
            let level = event.metadata().level().to_string();
            fields.0.insert("level", level);
            self.0.lock().unwrap().push(fields);
        }
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}
