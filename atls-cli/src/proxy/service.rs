//! What a service of either direction is given, and the files that it leaves to be read again.

use std::sync::Arc;
use std::time::Duration;

use super::device::Device;
use super::identity::Identity;
use super::metrics::Metrics;
use super::tunnels::Stop;
use super::tunnels::Tunnels;
use crate::trust::Reload;

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
    pub(super) policies: Vec<Arc<dyn Reload>>,
    /// The connections whose peers the policies accepted.
    pub(super) accepted: Arc<dyn Recall>,
}

/// Connections whose peers were accepted by policies that have changed.
pub(super) trait Recall: Send + Sync {
    /// Ends them properly, and cuts what is left when the time to drain has passed. The policies of now decide about the next ones.
    fn recall(&self);
}
