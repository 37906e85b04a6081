//! Evidence inside an X.509 certificate, as the two weaker modes carry it.
//!
//! A [`Format`] turns Evidence into an extension of a certificate.
//! [`Credential::in_certificate`](crate::exchange::Credential::in_certificate) reads the extensions of peers; a certificate that is
//! ambiguous or malformed gives a [`ProtocolError`](crate::ProtocolError) and no credential.
//!
//! | extension | contents | written | read |
//! |---|---|---|---|
//! | `id-pe-cmw` 1.3.6.1.5.5.7.1.35 (RFC 9999) | a CMW | yes | yes |
//! | DICE tagged evidence 2.23.133.5.4.9 (interoperable RA-TLS) | `#6.60000([quote, claims-buffer])` or a CMW | the former | yes |
//! | 1.2.840.113741.1.13.1 (Intel SGX SDK) | a quote | no | yes |
//! | 1.2.840.113741.1337.6 (rats-tls) | a quote | no | yes |
//! | 0.6.9.42.840.113741.1337.6 (Gramine: the same as it is on the wire, malformed) | a quote | no | yes |
//!
//! A certificate with one of these extensions twice is refused, and so is `id-pe-cmw` beside any other. Otherwise the first in
//! this order decides, since deployed peers write an old form beside the newer one. Other extensions are ignored; the other
//! numbers under 1.2.840.113741.1337 are reports of EPID, which Intel ended, and of local attestation.
//!
//! The certificate fixes the 64 bytes of report data of a quote without CMW. They are `SHA-256(claims-buffer)` and zeros, where
//! the claims hold the digest of the certificate's key. In the old forms they are `SHA-256(key)` and zeros. Evidence in a CMW
//! carries the [`Bound`](crate::Bound) in the form of its platform.
//!
//! TLS proves the certificate's key, and whether the certificate is trusted. This module does neither.

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

/// The object identifier of `id-pe-cmw`, as its arcs.
pub const ID_PE_CMW: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 35];

/// The object identifier of DICE tagged evidence, as its arcs.
pub const TAGGED_EVIDENCE: &[u64] = &[2, 23, 133, 5, 4, 9];

const PUBKEY_HASH: &str = "pubkey-hash";
/// The CBOR tag that is registered for quotes of SGX and TDX.
const QUOTE_TAG: u64 = 60000;
/// Named-information hash algorithms, RFC 6920 registry.
const SHA_256: u64 = 1;
const SHA_384: u64 = 7;
const SHA_512: u64 = 8;

const OCTET_STRING: u8 = 0x04;
const UTF8_STRING: u8 = 0x0c;
