//! TLS configurations that an attested connection can stand on.
//!
//! Attestation covers one full TLS 1.3 handshake. A resumed session would skip the certificate verifier and carry an
//! old decision to a new connection, early data would arrive before any decision: both are switched off here, and
//! [`Handshake`](atls_core::session::Handshake) refuses a connection on which a peer got them all the same.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::client::Resumption;
use rustls::server::NoServerSessionStorage;
use rustls::server::ProducesTickets;

/// No tickets, no session store, no early data, nothing sent before the client finished.
pub(crate) fn harden_server(mut config: ServerConfig) -> ServerConfig {
    config.send_tls13_tickets = 0;
    // rustls prefers a ticketer to the store, and would resume sessions by the tickets of a sibling of this server.
    config.ticketer = Arc::new(NoTickets);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
    config.send_half_rtt_data = false;
    config
}

/// Neither makes nor takes tickets.
#[derive(Debug)]
struct NoTickets;

impl ProducesTickets for NoTickets {
    fn enabled(&self) -> bool {
        false
    }

    fn lifetime(&self) -> u32 {
        0
    }

    fn encrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn decrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

/// No resumption, no early data.
pub(crate) fn harden_client(mut config: ClientConfig) -> ClientConfig {
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    config
}
