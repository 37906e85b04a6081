//! Attested TLS for a stock [`reqwest::Client`].
//!
//! ```
//! use atls_reqwest::{Attested, ClientBuilderExt, ResponseExt};
//! # use std::sync::Arc;
//! # use atls_axum::AttestedListener;
//! # use atls_sim::SimAttester;
//! # use atls_tower::{ServerAcceptor, ServerTerms};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let authority = demo::Authority::new()?;
//! # let device = SimAttester::generate()?;
//! # let relying_party = demo::trusting(&device)?;
//! # let terms = ServerTerms::new().attester(Arc::new(device));
//! # let acceptor = ServerAcceptor::new(authority.server()?, terms)?;
//! # let listener = AttestedListener::bind("127.0.0.1:0", acceptor).await?;
//! # let url = format!("https://localhost:{}/", listener.local_addr().port());
//! # tokio::spawn(async move { atls_axum::serve(listener, axum::Router::new()).await });
//! # let (provider, roots) = (demo::provider(), authority.roots()?);
//! let attested = Attested::builder(provider).roots(roots).require_peer(relying_party).build()?;
//! let client = reqwest::Client::builder().attested(&attested).build()?;
//!
//! let response = client.get(url).send().await?;
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
//!
//! # Features
//!
//! None is a default. `blocking` adds both extension traits for `reqwest::blocking`. For features of reqwest itself (`json`, `stream`,
//! `gzip` …) name it in your own manifest, in the version that is exported here as [`reqwest`].
//!
//! # Guides
//!
//! [Getting started] builds a server and a client in ten minutes. [Platforms] says who appraises which Evidence.
//!
#![doc = concat!("[Getting started]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/getting-started.md")]
#![doc = concat!("[Platforms]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/platforms/README.md")]
#![forbid(unsafe_code)]
// On docs.rs each item says which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

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
