//! Whether a proxy can do what it is asked for.

use std::fmt;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use super::device::Device;
use super::identity::Identity;
use crate::clock;

/// The health of the proxy, by the configuration of now.
#[derive(Default)]
pub(super) struct Health {
    draining: AtomicBool,
    parts: RwLock<Parts>,
}

/// The parts of a reverse proxy that may fail while it runs. A forward proxy has none: a server that is not reached is no fault of it.
#[derive(Clone, Default)]
pub(super) struct Parts {
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) device: Option<Arc<Device>>,
}

/// Why nobody should send requests here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ill {
    /// The certificate is outside of its validity: every client refuses it.
    Certificate,
    /// The device made no Evidence the last time: no client gets any.
    Device,
    /// Requests under way finish.
    Draining,
}

impl Health {
    pub(super) fn publish(&self, parts: Parts) {
        *self.parts.write().unwrap_or_else(PoisonError::into_inner) = parts;
    }

    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn now(&self) -> Result<(), Ill> {
        if self.is_draining() {
            return Err(Ill::Draining);
        }
        let Parts { identity, device } = self.parts();
        if identity.is_some_and(|identity| !clock::now().is_ok_and(|now| identity.is_valid(now))) {
            return Err(Ill::Certificate);
        }
        if device.is_some_and(|device| device.has_failed()) {
            return Err(Ill::Device);
        }
        Ok(())
    }

    /// The end of the certificate, in seconds since 1970.
    pub(super) fn certificate_expires(&self) -> Option<i64> {
        Some(self.parts().identity?.expires())
    }

    /// Has a device that failed try again, as nobody may ask it while this is ill.
    pub(super) fn look(&self) {
        if let Some(device) = self.parts().device.filter(|device| device.has_failed()) {
            tokio::spawn(async move { device.check().await });
        }
    }

    fn parts(&self) -> Parts {
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        parts.clone()
    }
}

impl fmt::Display for Ill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "the certificate is outside of its validity",
            Self::Device => "the device makes no Evidence",
            Self::Draining => "draining",
        })
    }
}
