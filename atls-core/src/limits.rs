//! Every bound on what a peer may send or hold, in one place, with its unit and its reason.

use std::time::Duration;

/// Largest payload of one frame, in octets. An authenticator is the largest message: 64 KiB of CMW
/// and a chain of certificates.
pub const MAX_FRAME: usize = 128 * 1024;

/// Most certificates in an authenticator. Public chains have 2 to 4.
pub const MAX_CHAIN: usize = 8;

/// Most extensions in one request or one certificate entry. We use three; a peer may offer others,
/// which we ignore.
pub const MAX_EXTENSIONS: usize = 32;

/// Most authenticator requests on one connection, both directions together. One exchange has two;
/// the rest is room for attesting again on a long connection. Bounds the memory of spent contexts.
pub const MAX_REQUESTS: usize = 64;

/// Most findings that one result holds. A platform makes some thirty checks; the rest is room for several verifiers.
pub const MAX_FINDINGS: usize = 128;

/// Most media types in `attestation_parameters`.
pub const MAX_FORMATS: usize = 64;

/// Octets of a `certificate_request_context` that we make: 256 bits cannot repeat and cannot be guessed.
pub const CONTEXT_LENGTH: usize = 32;

/// Octets of the nonce of an intra-handshake challenge: those of a `client_random`.
pub const NONCE_LENGTH: usize = 32;

/// Longest age of an Attestation Result that a relying party accepts unless told otherwise.
pub const DEFAULT_MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// Longest time for TLS handshake, exchange and appraisal of one connection together.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);

/// Longest wait of a server for the first octet after the TLS handshake. Clients of this protocol
/// speak at once; ordinary HTTP clients may connect ahead of need.
pub const DEFAULT_FIRST_OCTET: Duration = Duration::from_secs(5);

/// Longest wait of a server for the first octet of HTTP after the exchange. Clients may connect ahead of need; who
/// comes later connects anew.
pub const DEFAULT_FIRST_REQUEST: Duration = Duration::from_secs(30);

/// Most connections that a server holds between accept and the first HTTP octet.
pub const DEFAULT_PENDING: usize = 1024;

/// How long a connection may go on after its attestation expired, so that answers under way arrive.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// Most exchanges that a server runs at once.
pub const DEFAULT_EXCHANGES: usize = 512;

/// Most handshakes at once in which a server's device makes Evidence: all that one costs a client is a ClientHello, and
/// clients that came further share the device.
pub const DEFAULT_IN_HANDSHAKE: usize = 4;

/// Most appraisals that a server runs at once; they may cost a verifier's time or network.
pub const DEFAULT_APPRAISALS: usize = 64;

/// How long an appraisal is used again for the same Evidence: the connections of one batch come within seconds.
pub const DEFAULT_KEPT_AGE: Duration = Duration::from_secs(60);

/// Most appraisals that are kept. One serves a whole batch.
pub const DEFAULT_KEPT_RESULTS: usize = 256;

/// Most octets of Evidence that appraisals are kept under.
pub const DEFAULT_KEPT_OCTETS: usize = 8 * 1024 * 1024;
