//! A service whose key is made inside the machine, whose certificate comes from an ACME server (RFC 8555), and that attests both.
//!
//! ```text
//!  Renewal ── when? ──▶ Issuer ── order, proof, request ──▶ ACME server
//!     │                   │  └─ Challenges ◀── acme-tls/1 ── ServerAcceptor ◀── one port for both
//!     └─ Certificate ─▶ Current ◀── every other client ───────────┘
//! ```
//!
//! [`Issuer`] makes a new key for each certificate, and proves the service's names by tls-alpn-01 on the port of the attested connections.
//! [`Renewal`] asks it in time, and puts the certificate into [`Current`], from where the next connection has it. Evidence is made for
//! each connection, over the key that its handshake used, so attestation needs no word of any of this.
//! docs/acme.md tells what that proves and what it does not.
#![forbid(unsafe_code)]

mod account;
mod certificate;
mod challenges;
mod current;
mod error;
mod http;
mod issuer;
mod name;
mod renewal;
mod suggestion;

pub use certificate::Certificate;
pub use challenges::Challenges;
pub use current::Current;
pub use error::OrderError;
pub use issuer::Issue;
pub use issuer::Issuer;
pub use name::Name;
pub use renewal::Occasion;
pub use renewal::Renewal;
