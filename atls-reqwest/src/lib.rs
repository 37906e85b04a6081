//! Attested TLS for a stock [`reqwest::Client`].
//!
//! ```no_run
//! use std::sync::Arc;
//! use atls_reqwest::{Attested, ClientBuilderExt, ResponseExt};
//! # use atls_core::RelyingParty;
//!
//! # async fn example(provider: Arc<rustls::crypto::CryptoProvider>, roots: rustls::RootCertStore,
//! #     relying_party: Arc<RelyingParty>) -> Result<(), Box<dyn std::error::Error>> {
//! let attested = Attested::builder(provider).roots(roots).require_peer(relying_party).build()?;
//! let client = reqwest::Client::builder().attested(&attested).build()?;
//!
//! let response = client.get("https://service.example/").send().await?;
//! let peer = response.attestation(&attested)?;
//! println!("{} until {}", peer.status(), peer.expires_at().as_secs());
//! # Ok(())
//! # }
//! ```
//!
//! Every connection in the client's pool passed TLS, the check of chain and name, and attestation before its first byte
//! of HTTP, whichever request opened it: redirects, retries and bursts too. It refuses all that cannot be attested: `http`
//! URLs, requests through a proxy in the clear, HTTP/3, TLS 1.2.
//!
//! # What it cannot do
//!
//! reqwest keeps its connections to itself, so when a result expires, the connection is drained by the *server*, which
//! knows from the client's verdict when that is, and the next request goes on a new one. Under a server that does not,
//! [`ResponseExt::attestation`] is an error from then on. To stop sending requests to a server that expired and does not
//! end the connection, use [`AttestedHttps`](atls_tower::AttestedHttps) with hyper-util instead.
//!
//! reqwest's `native-tls` backend is not supported. All TLS settings are made here: those of
//! `reqwest::ClientBuilder` (roots, identity, versions) have no effect.
#![forbid(unsafe_code)]

mod builder;
mod capture;
mod connect;
mod error;
mod ext;
mod http_version;
mod log;
mod setting;

pub use builder::Attested;
pub use builder::AttestedBuilder;
pub use error::Error;
pub use error::LookupError;
pub use ext::ClientBuilderExt;
pub use ext::ResponseExt;
pub use http_version::Http;
pub use reqwest;
pub use rustls;
