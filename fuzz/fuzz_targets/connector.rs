//! A live client against a server that does anything after its handshake. `atls_fuzz::exchange` says what must hold.
#![no_main]

use atls_fuzz::exchange;

atls_fuzz::target!(|script: &[u8]| exchange::connector(script));
