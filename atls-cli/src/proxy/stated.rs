//! What a reverse proxy states to the service behind, under a key that is replaced while it runs.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

use atls_tower::forward::ResultForwarder;
use serde_json::Value;

use super::ear;
use super::ear::EarOptions;
use super::watched::Watched;
use crate::failure::Failure;

/// The key of now, by which it signs and which it publishes.
pub(super) struct Stated {
    options: EarOptions,
    watched: Watched,
    now: RwLock<Now>,
}

#[derive(Clone)]
struct Now {
    forwarder: Option<Arc<ResultForwarder>>,
    public: Value,
}

impl Stated {
    pub(super) fn open(options: &EarOptions) -> Result<Arc<Self>, Failure> {
        let watched = Watched::new(options.file().cloned());
        Ok(Arc::new(Self {
            now: RwLock::new(Now::read(options)?),
            options: options.clone(),
            watched,
        }))
    }

    /// Reads the key again. Where it is wrong the old one stays.
    pub(super) fn reload(&self) -> Result<(), Failure> {
        let (fresh, stamps) = self.watched.read(|| Now::read(&self.options))?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        self.watched.took(stamps);
        Ok(())
    }

    /// The same, if its file was written since.
    pub(super) fn reload_if_changed(&self) -> Result<bool, Failure> {
        if !self.watched.have_changed() {
            return Ok(false);
        }
        self.reload()?;
        Ok(true)
    }

    /// `None` where nothing is to be stated.
    pub(super) fn forwarder(&self) -> Option<Arc<ResultForwarder>> {
        self.now().forwarder
    }

    /// The JWK set that the service pins.
    pub(super) fn public_keys(&self) -> Value {
        self.now().public
    }

    /// Whether there is a key at all.
    pub(super) fn has_key(&self) -> bool {
        self.options.file().is_some()
    }

    fn now(&self) -> Now {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.clone()
    }
}

impl Now {
    fn read(options: &EarOptions) -> Result<Self, Failure> {
        let (forwarder, public) = ear::forwarder(options)?;
        Ok(Self { forwarder, public })
    }
}
