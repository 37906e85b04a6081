//! Any bytes on the socket of a server that knows all three modes, and so looks into ClientHellos by itself.
#![no_main]

use atls_fuzz::exchange;

atls_fuzz::target!(|bytes: &[u8]| exchange::socket(bytes));
