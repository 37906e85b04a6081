//! What a process has used so far.

use std::io;

use cpu_time::ProcessTime;
use serde::Deserialize;
use serde::Serialize;

use crate::ALLOCATOR;

/// What one process has used since it began.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Microseconds of processor time, of user and kernel.
    pub(crate) cpu: f64,
    /// Bytes that are allocated now, by the allocator's count.
    pub(crate) held: f64,
    /// Bytes of memory that are resident now.
    pub(crate) resident: f64,
}

impl Usage {
    pub(crate) fn so_far() -> io::Result<Self> {
        let stats = ALLOCATOR.stats();
        Ok(Self {
            cpu: ProcessTime::try_now()?.as_duration().as_secs_f64() * 1e6,
            held: stats.bytes_allocated as f64 - stats.bytes_deallocated as f64,
            resident: resident().unwrap_or_default(),
        })
    }

    /// What was used since.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            cpu: self.cpu - earlier.cpu,
            held: self.held - earlier.held,
            resident: self.resident - earlier.resident,
        }
    }
}

/// Linux alone tells it without a call.
fn resident() -> Option<f64> {
    const PAGE: f64 = 4096.0;
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * PAGE)
}
