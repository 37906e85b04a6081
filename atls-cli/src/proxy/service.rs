//! What a service of either direction is given, and the files that it leaves to be read again.

use std::sync::Arc;
use std::time::Duration;

use super::device::Device;
use super::identity::Identity;
use super::metrics::Metrics;
use super::stated::Stated;
use super::trusted::Trusted;
use super::tunnels::Stop;
use super::tunnels::Tunnels;

/// The surroundings that a service shares.
pub(super) struct Surroundings {
    pub(super) metrics: Arc<Metrics>,
    pub(super) stop: Stop,
    pub(super) tunnels: Tunnels,
    pub(super) drain: Duration,
}

/// What stands behind a service: the files that are read again while it goes on, and its device.
pub(super) struct Files {
    pub(super) identity: Option<Arc<Identity>>,
    /// The device of a reverse proxy.
    pub(super) device: Option<Arc<Device>>,
    /// What a reverse proxy states to the service behind.
    pub(super) stated: Option<Arc<Stated>>,
    /// `None` where no peer is asked to attest.
    pub(super) trusted: Option<Trusted>,
}
