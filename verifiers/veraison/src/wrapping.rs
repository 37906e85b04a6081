//! The form in which Evidence travels to the service.

/// The form in which Evidence travels to the service. It does not change the appraisal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wrapping {
    /// As it is, under its own media type.
    #[default]
    Bare,
    /// In a CMW record (RFC 9999) of CBOR, `application/cmw+cbor`.
    CmwCbor,
    /// In a CMW record of JSON, `application/cmw+json`.
    CmwJson,
}
