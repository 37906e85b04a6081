//! Evidence inside an X.509 certificate: how the two weaker modes carry it.
//!
//! | extension | contents | written | read |
//! |---|---|---|---|
//! | `id-pe-cmw` 1.3.6.1.5.5.7.1.35 (RFC 9999) | a CMW | yes | yes |
//! | DICE tagged evidence 2.23.133.5.4.9 (interoperable RA-TLS) | `#6.60000([quote, claims-buffer])` or a CMW | the former | yes |
//! | 1.2.840.113741.1.13.1 (Intel SGX SDK) | a quote | no | yes |
//! | 1.2.840.113741.1337.6 (rats-tls) | a quote | no | yes |
//! | 0.6.9.42.840.113741.1337.6 (Gramine: the same as it is on the wire, malformed) | a quote | no | yes |
//!
//! Which one is written is a [`Format`]. A certificate with one of them twice is refused, and so is `id-pe-cmw` beside any
//! other. Of the rest, the first in this order decides: deployed peers write an old form beside the newer one.
//!
//! Nothing else is read. The other numbers under 1.2.840.113741.1337 are reports of EPID, which Intel ended, and of local
//! attestation.
//!
//! A quote without CMW has its 64 bytes of report data fixed by the carriage: `SHA-256(claims-buffer)` and zeros, where
//! the claims hold the digest of the certificate's key; or `SHA-256(key)` and zeros in the old forms. What the Evidence
//! must carry in a CMW is [`Bound`](crate::Bound)'s to say.
//!
//! Nothing here says that the certificate is trusted, or that its key was proven: that is TLS.

mod claims_buffer;
mod format_error;
mod quote;
mod read;
mod write;

pub use claims_buffer::claims_for_key;
pub use format_error::FormatError;
pub use write::Format;
pub use write::cmw_extension;
pub use write::tagged_evidence;

pub(crate) use read::Carried;
pub(crate) use read::Validity;
pub(crate) use read::read;

/// `id-pe-cmw`, for whoever writes the certificate.
pub const ID_PE_CMW: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 35];

/// DICE tagged evidence, for whoever writes the certificate.
pub const TAGGED_EVIDENCE: &[u64] = &[2, 23, 133, 5, 4, 9];

const PUBKEY_HASH: &str = "pubkey-hash";
/// Registered for quotes of SGX and TDX.
const QUOTE_TAG: u64 = 60000;
/// Named-information hash algorithms, RFC 6920 registry.
const SHA_256: u64 = 1;
const SHA_384: u64 = 7;
const SHA_512: u64 = 8;

const OCTET_STRING: u8 = 0x04;
const UTF8_STRING: u8 = 0x0c;
