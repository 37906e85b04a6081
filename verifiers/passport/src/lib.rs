//! The passport model (RFC 9334 §5.1): the attester has its Evidence appraised by a service and brings the signed result; the
//! relying party verifies the result and asks nobody.
//!
//! ```text
//! attester: device ── Evidence ──▶ PassportAttester ── Evidence ──▶ Issuer (Veraison, Trustee …)
//!                                        ◀────────── signed EAR ────────┘
//!                   ── EAR, as application/eat+jwt; eat_profile="…" ──▶ relying party: PassportVerifier
//! ```
//!
//! ```
//! use std::sync::Arc;
//! use atls_core::ear::VerificationKeys;
//! use atls_core::{Attester, ear::Issuer, RelyingParty};
//! use atls_passport::{PassportAttester, PassportVerifier, Scheme, TrustedIssuer};
//!
//! # fn example(device: Arc<dyn Attester>, veraison: Arc<dyn Issuer>, jwk: &str, provider: &rustls::crypto::CryptoProvider)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! // The attester: everything else is as with Evidence.
//! let attester = PassportAttester::new(device, veraison);
//! // The relying party: an issuer, and the part and the policy under which it is believed.
//! let keys = VerificationKeys::from_jwk(jwk)?;
//! let issuer = TrustedIssuer::veraison(Arc::new(keys)).with_scheme(Scheme::psa_iot("policy:PSA_IOT"));
//! let verifier = PassportVerifier::builder(provider).issuer(issuer).build()?;
//! let relying_party = RelyingParty::builder().verifier(Arc::new(verifier)).build()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What binds a passport to a connection
//!
//! The Evidence carried the value of this connection, and the issuer says so. But **an echoed nonce is not proof**: several
//! deployed schemes affirm replayed Evidence under any nonce, and echo it. So a passport counts only under a [`Scheme`]: a
//! configured combination of issuer, part of the result and policy. To configure one is to declare that this issuer compares the
//! Evidence's own value under it. Where the signed result also *reports* the Evidence's value (PSA's
//! `psa-nonce`, the realm challenge of CCA, `report_data` of Trustee), that is compared too. A passport with any part that no
//! scheme covers is [`NotBound`](atls_core::AppraisalError::NotBound).
//!
//! | issuer | must be equal to the value of this connection |
//! |---|---|
//! | Veraison | `eat_nonce`, and the reported value where the scheme has one |
//! | Trustee | `report_data` among the claims of the Evidence (it has no `eat_nonce`), of the named TEE |
//! | draft-ietf-rats-ear | `eat_nonce`, and the part's own `eat_nonce` where it is there |
//!
//! # Debugging
//!
//! The verifier appraises the lifecycles, guest policies and TD attributes that results report, as a verifier of Evidence does: a device
//! that is open to debugging gets a part `local` of the result that contraindicates it. The schemes of known formats demand these
//! claims.
//!
//! # Simulators
//!
//! A scheme states the origin of its Evidence. For PSA and CCA the result itself says more: the implementation ID of the
//! simulated platform makes it [`Simulated`](atls_core::Origin::Simulated), and so does a result that hides the ID. Trustee's
//! `sample` TEE is simulated whatever is configured.
//!
//! # Passports that are used again
//!
//! A [`ReusablePassport`] is about a key ([`Scheme::dangerous_key_only`]), not about a connection. A thief of the key can
//! present it from anywhere until it ends: its binding is [`Key`](atls_core::Binding::Key), which the standard policy refuses.
//! Results name that key by `cnf` (RFC 7800 in a JWT, RFC 8747 in a CWT) or, Veraison's, by `akpub`; where they name several,
//! these must be the same. A result with a `cnf` of its own counts, under *any* scheme, only from the holder of that key.
//!
//! # Guide
//!
//! [How to set it up].
//!
#![doc = concat!("[How to set it up]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/verifiers/passport.md")]
#![forbid(unsafe_code)]

mod appraisal;
mod attester;
mod confirmation;
mod debugging;
mod error;
mod issuer;
mod reusable;
mod scheme;
mod verifier;

pub use attester::PassportAttester;
pub use error::PassportSetupError;
pub use issuer::TrustedIssuer;
pub use reusable::ReusablePassport;
pub use scheme::Scheme;
pub use verifier::PassportVerifier;
pub use verifier::PassportVerifierBuilder;
