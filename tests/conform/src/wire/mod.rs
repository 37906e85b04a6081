//! The bytes of the protocol, written and read once more: independently of the crates under test, with every rule free to be broken.

pub mod answer;
pub mod answer_draft;
pub mod cbor;
pub mod cmw;
pub mod proof;
pub mod request;
pub mod request_draft;
pub mod schedule;

mod reader;

use atls_core::WireProfile;

pub use reader::Reader;
pub use reader::put_vec8;
pub use reader::put_vec16;
pub use reader::put_vec24;

pub use adversary::AUTHENTICATOR;
pub use adversary::REQUEST;
pub use adversary::VERDICT;

/// The profile of the draft whose label and code point the kit uses.
pub const PROFILE: WireProfile = WireProfile::EXPAT_03;

/// `signature_algorithms`.
pub const SCHEMES: u16 = 13;
/// `cmw_attestation`.
pub const CMW: u16 = PROFILE.cmw_attestation();
/// `attestation_parameters`.
pub const PARAMETERS: u16 = atls_core::exchange::ATTESTATION_PARAMETERS;
/// `server_name`.
pub const SERVER_NAME: u16 = 0;
/// An extension that nobody knows or offers (RFC 8701).
pub const UNKNOWN: u16 = 0xfafa;
/// A signature scheme of the private range that nobody offers.
pub const PRIVATE_SCHEME: u16 = 0xfe01;

/// The schemes of TLS 1.3 (RFC 9846 §4.2.3), by which anybody may sign.
pub const TLS13_SCHEMES: [u16; 11] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0904, 0x0905, 0x0906, 0x0804, 0x0805, 0x0806,
];
