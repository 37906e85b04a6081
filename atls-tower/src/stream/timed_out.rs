//! The error of a stream whose time is over.

use std::io;

pub(super) fn timed_out(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}
