//! What a reverse proxy states to the service behind, under a key that is replaced while it runs.

use std::sync::Arc;

use atls_tower::forward::ResultForwarder;
use serde_json::Value;

use super::ear;
use super::ear::EarOptions;
use super::reread::Reread;
use super::watched::When;
use crate::failure::Failure;

/// The key of now, by which it signs and which it publishes.
pub(super) struct Stated {
    file: Reread<Now>,
    has_key: bool,
}

#[derive(Clone)]
struct Now {
    forwarder: Option<Arc<ResultForwarder>>,
    public: Value,
}

impl Stated {
    pub(super) fn open(options: &EarOptions) -> Result<Arc<Self>, Failure> {
        let (file, has_key) = (options.file().cloned(), options.file().is_some());
        let options = options.clone();
        Ok(Arc::new(Self {
            file: Reread::open(file, move || Now::read(&options))?,
            has_key,
        }))
    }

    /// Reads the key again, where there is one. Tells whether it was read.
    pub(super) fn reload(&self, when: When) -> Result<bool, Failure> {
        match self.has_key {
            true => self.file.reload(when),
            false => Ok(false),
        }
    }

    /// `None` where nothing is to be stated.
    pub(super) fn forwarder(&self) -> Option<Arc<ResultForwarder>> {
        self.file.now().forwarder
    }

    /// The JWK set that the service pins.
    pub(super) fn public_keys(&self) -> Value {
        self.file.now().public
    }
}

impl Now {
    fn read(options: &EarOptions) -> Result<Self, Failure> {
        let (forwarder, public) = ear::forwarder(options)?;
        Ok(Self { forwarder, public })
    }
}
