//! The protocol of attested TLS, without sockets.
//!
//! One TLS peer proves to the other that it runs known code in a genuine confidential environment, and the proof is bound to
//! this very connection. The peer answers an authenticator request (RFC 9261) with Evidence (draft-fossati-seat-expat), a
//! [`Verifier`] appraises the Evidence (RFC 9334), and a [`Policy`](policy::Policy) checks the result. A [`PeerAttestation`] exists only after
//! all of that succeeded.
//!
//! This crate holds the exported authenticators, the binder, the Conceptual Message Wrapper, Attestation Results, and the
//! roles [`Attester`], [`Verifier`], [`Policy`](policy::Policy) and [`RelyingParty`]. It opens no socket, starts no task, reads no clock and
//! knows no platform. Time, randomness and the [HTTP client](crate::http::HttpClient) of verifiers that ask a service are
//! arguments. All TLS cryptography is that of the application's rustls `CryptoProvider`.
//!
//! | you write | start with |
//! |---|---|
//! | an application | [`RelyingParty`], [`StandardPolicy`], [`policy`]; [`atls-axum`](https://docs.rs/atls-axum) and [`atls-reqwest`](https://docs.rs/atls-reqwest) do the rest |
//! | a platform | [`LocalAttester`], [`Verifier`], [`expected`], [`finding`], [`ear`] |
//! | a verifier that asks a service | [`Verifier`], [`http`], [`ear`] |
//! | a transport | [`exchange`], [`session`] |
//!
//! # The whole exchange
//!
//! ```
//! use atls_core::exchange;
//! use atls_core::exchange::Challenge;
//! use atls_core::session::Session;
//! use atls_core::{Attester, PeerAttestation, RelyingParty};
//! # use atls_core::pki_types::UnixTime;
//! # use rustls::crypto::CryptoProvider;
//! # type Error = Box<dyn std::error::Error>;
//! async fn both_ends(
//!     client: &dyn Session,
//!     server: &dyn Session,
//!     provider: &CryptoProvider,
//!     attester: &dyn Attester,
//!     relying_party: &RelyingParty,
//!     now: UnixTime,
//! ) -> Result<PeerAttestation, Error> {
//!     // The client asks.
//!     let (request, pending) = exchange::request(client, provider, None)?;
//!     // The server makes Evidence that carries the value of this connection, and answers.
//!     let challenge = Challenge::receive(server, &request)?;
//!     let to_attest = challenge.to_attest().ok_or("client does not understand attestation")?;
//!     let evidence = attester.attest(to_attest).await?;
//!     let authenticator = challenge.answer(&evidence)?;
//!     // The client verifies the answer, appraises the Evidence and checks its policy.
//!     let credential = pending.finish(&authenticator)?;
//!     Ok(relying_party.appraise(credential, now).await?)
//! }
//! ```
//!
//! # Guides
//!
//! [The protocol] on the wire, its [threat model], and how to [add a platform].
//!
#![doc = concat!("[The protocol]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/protocol.md")]
#![doc = concat!("[threat model]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/threat-model.md")]
#![doc = concat!("[add a platform]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/adding-a-platform.md")]
#![forbid(unsafe_code)]

pub mod bounded;
pub mod cmw;
pub mod combine;
pub mod ear;
pub mod exchange;
pub mod expected;
pub mod finding;
pub mod http;
pub mod limits;
pub mod policy;
pub mod session;

mod appraised;
mod attest_request;
mod attester;
mod binding;
mod bound;
mod box_future;
mod cbor;
mod codec;
mod cose;
mod error;
mod instance_id;
mod media_type;
mod merkle;
mod origin;
mod peer_attestation;
mod recorded_appraisal;
mod refusal;
mod relying_party;
mod report;
mod stale;
mod verifier;
mod wire_profile;

pub use appraised::Appraised;
pub use attest_request::AttestRequest;
pub use attester::Attester;
pub use attester::LocalAttester;
pub use binding::Binding;
pub use bound::Bound;
pub use box_future::BoxFuture;
pub use error::AppraisalError;
pub use error::AttestError;
pub use error::ConfigError;
pub use error::Fault;
pub use error::ProtocolError;
pub use media_type::MediaType;
pub use media_type::MediaTypeError;
pub use origin::Origin;
pub use peer_attestation::PeerAttestation;
pub use pki_types;
pub use policy::standard::StandardPolicy;
pub use policy::violation::PolicyViolation;
pub use recorded_appraisal::RecordedAppraisal;
pub use refusal::Refusal;
pub use relying_party::RelyingParty;
pub use relying_party::RelyingPartyBuilder;
pub use report::report;
pub use stale::Stale;
pub use verifier::ConceptualMessage;
pub use verifier::Evidence;
pub use verifier::Verifier;
pub use wire_profile::WireProfile;
