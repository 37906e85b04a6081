//! Where a proxy is reached.

use std::net::TcpListener;
use std::sync::Arc;

use serde_json::json;

use super::admin;
use super::admin::Published;
use super::health::Health;
use super::metrics::Metrics;
use super::options::ProxyOptions;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The addresses at which it is reached.
pub(super) struct Addresses {
    listening: String,
    admin: Option<String>,
    probes: Option<String>,
}

impl Addresses {
    pub(super) async fn open(
        options: &ProxyOptions,
        socket: &TcpListener,
        (published, metrics, health): (Arc<Published>, Arc<Metrics>, Arc<Health>),
    ) -> Result<Self, Failure> {
        let listens = socket.local_addr();
        let listens = listens.map_err(|error| Failure::fault("no address").because(&error))?;
        let scheme = match options.upstream {
            Some(_) => "https",
            None => "http",
        };
        let mut addresses = Self {
            listening: format!("{scheme}://{listens}"),
            admin: None,
            probes: None,
        };
        if let Some(address) = options.admin {
            let bound = admin::serve_admin(address, published, metrics, health.clone()).await?;
            addresses.admin = Some(format!("http://{bound}"));
        }
        if let Some(address) = options.probes {
            let bound = admin::serve_probes(address, health).await?;
            addresses.probes = Some(format!("http://{bound}"));
        }
        Ok(addresses)
    }

    pub(super) fn announce(
        &self,
        options: &ProxyOptions,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        if options.json {
            terminal.out_json(&json!({
                "serving": true,
                "listening": self.listening,
                "admin": self.admin,
                "probes": self.probes,
            }))?;
            return terminal.flush();
        }
        for (name, url) in [("admin", &self.admin), ("probes", &self.probes)] {
            if let Some(url) = url {
                terminal.error_line(&format!("{name} at {url}"));
            }
        }
        terminal.error_line(&format!("listening on {}", self.listening));
        Ok(())
    }
}
