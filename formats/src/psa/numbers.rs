//! The numbers of claims (RFC 9711, RFC 9783).

pub(super) const EAT_NONCE: u16 = 10;
pub(super) const UEID: u16 = 256;
pub(super) const EAT_PROFILE: u16 = 265;
pub(super) const CLIENT_ID: u16 = 2394;
pub(super) const LIFECYCLE: u16 = 2395;
pub(super) const IMPLEMENTATION_ID: u16 = 2396;
pub(super) const CERTIFICATION_REFERENCE: u16 = 2398;
pub(super) const SOFTWARE: u16 = 2399;
pub(super) const VERIFICATION_SERVICE: u16 = 2400;
