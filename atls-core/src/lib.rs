//! Attested TLS, the protocol without the sockets.
//!
//! A TLS peer proves, bound to this very connection, that it runs known code in a genuine confidential environment:
//! it answers an authenticator request (RFC 9261) with Evidence inside (draft-fossati-seat-expat), the Evidence is
//! appraised (RFC 9334), and only then does anything above get a [`PeerAttestation`].
//!
//! In scope: exported authenticators, the binder, the Conceptual Message Wrapper, Attestation Results, the roles
//! [`Attester`], [`Verifier`], [`Policy`] and [`RelyingParty`]. Out of scope: sockets, runtimes, clocks, HTTP, and
//! every platform; those are other crates. Time and randomness are arguments, all TLS cryptography is that of
//! the application's rustls `CryptoProvider`.
//!
//! # The straight line
//!
//! ```
//! use atls_core::{Attester, Challenge, PeerAttestation, RelyingParty, Session};
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
//!     // The client asks,
//!     let (request, pending) = atls_core::request(client, provider, None)?;
//!     // the server makes Evidence over the value of this connection and answers,
//!     let challenge = Challenge::receive(server, &request)?;
//!     let to_attest = challenge.to_attest().ok_or("client does not understand attestation")?;
//!     let evidence = attester.attest(to_attest).await?;
//!     let authenticator = challenge.answer(&evidence)?;
//!     // the client validates, appraises, decides.
//!     let credential = pending.finish(&authenticator)?;
//!     Ok(relying_party.decide(credential, now).await?)
//! }
//! ```
#![forbid(unsafe_code)]

pub mod authenticator;
pub mod bounded;
pub mod certificate;
pub mod cmw;
pub mod ear;
pub mod limits;

mod appraised;
mod attest_request;
mod attestation;
mod attester;
mod bad_status;
mod binding;
mod bound;
mod box_future;
mod cbor;
mod codec;
mod combine;
mod error;
mod exchange;
mod expected;
mod exporter;
mod finding;
mod http;
mod issuer;
mod media_type;
mod origin;
mod policy;
mod relying_party;
mod report;
mod session;
mod stale;
mod verifier;

pub use crate::http::Held;
pub use crate::http::HttpClient;
pub use crate::http::HttpError;
pub use crate::http::HttpLimits;
pub use appraised::Appraised;
pub use appraised::RecordedAppraisal;
pub use attest_request::AttestRequest;
pub use attest_request::OwnedAttestRequest;
pub use attestation::AppraisedItem;
pub use attestation::Candidate;
pub use attestation::ClaimsError;
pub use attestation::PeerAttestation;
pub use attester::Attester;
pub use attester::LocalAttester;
pub use attester::first_available;
pub use bad_status::BadStatus;
pub use binding::Binding;
pub use bound::Bound;
pub use box_future::BoxFuture;
pub use combine::AllAgree;
pub use combine::Cached;
pub use combine::Failover;
pub use combine::IncompleteResults;
pub use error::AppraisalError;
pub use error::AttestError;
pub use error::ConfigError;
pub use error::Fault;
pub use error::ProtocolError;
pub use error::SendError;
pub use exchange::ATTESTATION_PARAMETERS;
pub use exchange::CMW_ATTESTATION;
pub use exchange::CanAttest;
pub use exchange::Challenge;
pub use exchange::Credential;
pub use exchange::Offer;
pub use exchange::Opener;
pub use exchange::Opening;
pub use exchange::Order;
pub use exchange::Parameters;
pub use exchange::Pending;
pub use exchange::RefusalCode;
pub use exchange::Selection;
pub use exchange::Verdict;
pub use exchange::Verdicts;
pub use exchange::request;
pub use expected::BoundMatch;
pub use expected::ExpectedValue;
pub use exporter::ExporterSecret;
pub use finding::Allowed;
pub use finding::Finding;
pub use finding::Outcome;
pub use finding::Place;
pub use issuer::Issuer;
pub use media_type::MediaType;
pub use media_type::MediaTypeError;
pub use origin::Origin;
pub use pki_types;
pub use policy::Policy;
pub use policy::PolicyViolation;
pub use policy::StandardPolicy;
pub use relying_party::Refusal;
pub use relying_party::RelyingParty;
pub use relying_party::RelyingPartyBuilder;
pub use report::Report;
pub use report::report;
pub use session::Handshake;
pub use session::Session;
pub use session::Side;
pub use stale::Stale;
pub use verifier::Conveys;
pub use verifier::Evidence;
pub use verifier::Verifier;
