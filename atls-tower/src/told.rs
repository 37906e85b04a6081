//! How often the log tells of what strangers can bring about as often as they like.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

/// How many events of one connection's requests were told. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told(Arc<AtomicU32>);

impl Told {
    /// Counts an event, and says whether it is one of the first: a client may ask as often as it likes, and must not fill the log.
    pub(crate) fn is_new(&self) -> bool {
        let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
        let one_more = |told: u32| (told < MOST).then(|| told.saturating_add(1));
        self.0.fetch_update(set, get, one_more).is_ok()
    }
}

/// How many events of a minute were told, where nothing tells apart who brought them about.
#[derive(Debug, Default)]
pub(crate) struct ToldLately(Mutex<Option<(Instant, u32)>>);

impl ToldLately {
    /// Counts an event, and says whether it is one of the first of its minute.
    pub(crate) fn is_new(&self) -> bool {
        let now = Instant::now();
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = told.filter(|(since, _)| now.saturating_duration_since(*since) < MINUTE);
        let (since, number) = lately.unwrap_or((now, 0));
        *told = Some((since, number.saturating_add(1)));
        number < MOST
    }
}

/// The same of several things, of each apart: none hides another.
#[derive(Debug, Default)]
pub(crate) struct EachToldLately(Mutex<BTreeMap<&'static str, ToldLately>>);

impl EachToldLately {
    /// Counts an event of this thing, and says whether it is one of the first of its minute.
    pub(crate) fn is_new(&self, thing: &'static str) -> bool {
        let mut each = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        each.entry(thing).or_default().is_new()
    }
}

/// An event at this level for the first ones, and at `debug` for the others. The level of a call site is static.
macro_rules! event {
    ($is_new:expr, $level:ident, $($fields:tt)+) => {
        if $is_new {
            tracing::$level!($($fields)+);
        } else {
            tracing::debug!($($fields)+);
        }
    };
}

pub(crate) use event;

/// A request to each of several routes shows the reason of each.
const MOST: u32 = 8;

const MINUTE: Duration = Duration::from_secs(60);
