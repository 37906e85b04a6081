//! TDs: the checks of their reports, and the claims that follow.

use atls_core::ear::TrustVector;
use atls_core::pki_types::UnixTime;
use atls_formats::dcap::Event;
use atls_formats::dcap::Report;
use atls_formats::dcap::TDX_EVIDENCE;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::dcap::TdReport;
use atls_formats::dcap::Tee;

use crate::attributes;
use crate::claims::PlatformClaims;
use crate::claims::TdxClaims;
use crate::findings;
use crate::hardware::hardware;
use crate::hardware::identity;
use crate::policy::PlatformDemands;
use crate::policy::TdxImage;
use crate::policy::TdxPolicy;
use crate::technology::Checked;
use crate::technology::Technology;
use crate::vector::APPROVED;
use crate::vector::APPROVED_BOOT;
use crate::vector::APPROVED_RUNTIME;
use crate::vector::CONTRAINDICATED;
use crate::vector::UNRECOGNISED_EXECUTABLES;
use crate::vector::UNRECOGNISED_HARDWARE;
use crate::vector::UNSAFE;
use crate::vector::Values;
use crate::vector::runtime_opaque;
use crate::vector::vector;

impl Technology for TdxPolicy {
    const INSTANCE: &'static str = "tdx.ppid";
    type Report = TdReport;
    type Claims = TdxClaims;

    const TEE: Tee = Tee::Tdx;
    const MEDIA_TYPES: &'static [&'static str] = &[TDX_QUOTE, TDX_EVIDENCE];

    fn demands(&self) -> PlatformDemands<'_> {
        self.demands()
    }

    fn report(report: &Report) -> Option<&TdReport> {
        report.as_td()
    }

    fn check_report(&self, report: &TdReport, platform: &PlatformClaims, now: UnixTime) -> Checked {
        let (vector, image) = claims(report, platform, self, now);
        Checked {
            vector,
            known_as: image.map(|image| image.name.clone()),
            findings: findings::td(report, self, image),
        }
    }

    fn claims(
        report: &TdReport,
        known_as: Option<String>,
        platform: PlatformClaims,
        events: Vec<Event>,
    ) -> TdxClaims {
        TdxClaims {
            image: known_as,
            report: report.clone(),
            platform,
            events,
        }
    }
}

/// The claims about a TD, and the image that it runs.
fn claims<'a>(
    report: &TdReport,
    platform: &PlatformClaims,
    policy: &'a TdxPolicy,
    now: UnixTime,
) -> (TrustVector, Option<&'a TdxImage>) {
    // Two images may share measurements and differ in their configuration: the one whose configuration fits counts.
    let measured = policy.images.iter().filter(|image| matches(image, report));
    let image = measured
        .clone()
        .find(|image| is_configured(image, report))
        .or_else(|| measured.clone().next());
    let executables = match image {
        None => UNRECOGNISED_EXECUTABLES,
        Some(image) if is_whole(image) => APPROVED_RUNTIME,
        Some(_) => APPROVED_BOOT,
    };
    let debug = report.td_attributes & attributes::TD_UNDER_DEBUG != 0;
    let configured = image.is_none_or(|image| is_configured(image, report));
    let configuration = if !configured || !td_is_safe(report, policy) {
        CONTRAINDICATED
    } else if debug {
        UNSAFE
    } else {
        APPROVED
    };
    let module_is_known = policy
        .mrseam
        .as_ref()
        .is_none_or(|known| known.contains(&report.mrseam));
    let intels = report.mrsignerseam.is_zero() && report.seam_attributes == 0;
    let hardware = if module_is_known && intels {
        hardware(platform, &policy.demands(), now)
    } else {
        UNRECOGNISED_HARDWARE
    };
    let vector = vector(&Values {
        identity: identity(platform, &policy.demands()),
        configuration,
        executables,
        hardware,
        runtime: runtime_opaque(debug, policy.allow_debug),
    });
    (vector, image)
}

fn matches(image: &TdxImage, report: &TdReport) -> bool {
    let pinned = [image.rtmr0, image.rtmr1, image.rtmr2, image.rtmr3];
    let mut registers = pinned.iter().zip(&report.rtmr);
    image.mrtd == report.mrtd
        && registers.all(|(pinned, value)| pinned.is_none_or(|pinned| pinned == *value))
}

/// Whether the image names everything that was measured, at boot and since.
fn is_whole(image: &TdxImage) -> bool {
    let pinned = [image.rtmr0, image.rtmr1, image.rtmr2, image.rtmr3];
    image.mrtd_covers_all || pinned.iter().all(Option::is_some)
}

fn is_configured(image: &TdxImage, report: &TdReport) -> bool {
    image.mrconfigid.accepts(&report.mrconfigid)
        && image.mrowner.accepts(&report.mrowner)
        && image.mrownerconfig.accepts(&report.mrownerconfig)
}

fn td_is_safe(report: &TdReport, policy: &TdxPolicy) -> bool {
    let attributes_are_safe = report.td_attributes & !policy.allowed_attributes() == 0
        && report.td_attributes & attributes::TD_SEPT_VE_DISABLE != 0;
    let features_are_known = report.xfam & !(attributes::TD_XFAM | policy.allow_xfam) == 0
        && report.xfam & attributes::TD_XFAM_REQUIRED == attributes::TD_XFAM_REQUIRED;
    attributes_are_safe && features_are_known && service_tds_are_known(report, policy)
}

fn service_tds_are_known(report: &TdReport, policy: &TdxPolicy) -> bool {
    report
        .service_tds()
        .all(|service_td| service_td.is_zero() || policy.service_td.contains(service_td))
}
