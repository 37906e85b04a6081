//! The rules for the answer to a request.

use rustls::SignatureScheme;
use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::session::Side;

/// The side that asked, and what an answer to its request may hold.
pub(super) struct AnswerRules {
    pub(super) side: Side,
    /// The codes of the extensions that the answer may have.
    pub(super) extensions: Vec<u16>,
    pub(super) schemes: Vec<SignatureScheme>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}
