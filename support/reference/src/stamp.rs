//! The state of a file.

use std::fs::Metadata;
use std::time::SystemTime;

/// The state of a file, compared without reading it.
///
/// The time of its content may be set, and is the same for all files of an image that can be made again; the time of its state is the
/// system's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    state: State,
}

impl Stamp {
    pub(crate) fn of(about: &Metadata) -> Self {
        Self {
            modified: about.modified().ok(),
            length: about.len(),
            state: State::of(about),
        }
    }
}

/// Inode, and time of the last change in seconds since the epoch and nanoseconds. Zero where the system has none.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    inode: u64,
    changed: (i64, i64),
}

impl State {
    #[cfg(unix)]
    fn of(about: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            inode: about.ino(),
            changed: (about.ctime(), about.ctime_nsec()),
        }
    }

    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self {
            inode: 0,
            changed: (0, 0),
        }
    }
}
