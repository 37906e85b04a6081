//! The difference between TDX and SGX: the checks of their reports, and the claims.

use std::any::Any;

use atls_core::ear::TrustVector;
use atls_core::finding::Finding;
use atls_core::pki_types::UnixTime;
use atls_formats::dcap::Event;
use atls_formats::dcap::Report;
use atls_formats::dcap::Tee;
use atls_reference::Table;

use crate::claims::PlatformClaims;
use crate::policy::PlatformDemands;

/// A technology of DCAP, by its policy.
pub(crate) trait Technology: Table {
    /// The report that its quotes carry.
    type Report;

    /// The type by which handlers see it.
    type Claims: Any + Send + Sync;

    const TEE: Tee;

    const MEDIA_TYPES: &'static [&'static str];

    fn demands(&self) -> PlatformDemands<'_>;

    /// `None` for the report of the other technology.
    fn report(report: &Report) -> Option<&Self::Report>;

    /// Checks a report on a platform, both from a quote that was verified, against this policy.
    fn check_report(
        &self,
        report: &Self::Report,
        platform: &PlatformClaims,
        now: UnixTime,
    ) -> Checked;

    /// The kind of the identity that its platforms have.
    const INSTANCE: &'static str;

    fn claims(
        report: &Self::Report,
        known_as: Option<String>,
        platform: PlatformClaims,
        events: Vec<Event>,
    ) -> Self::Claims;
}

/// A report that was checked.
pub(crate) struct Checked {
    pub(crate) vector: TrustVector,
    /// The name in the policy of the software that was recognised.
    pub(crate) known_as: Option<String>,
    /// The checks of the report; those of the platform are the same for both technologies.
    pub(crate) findings: Vec<Finding>,
}
