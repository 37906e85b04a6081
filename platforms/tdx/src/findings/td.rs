//! Checks of a TD.

use atls_core::finding::Finding;
use atls_formats::dcap::TdReport;
use atls_reference::Digest;

use super::check::bits;
use super::check::check;
use super::check::debug;
use super::check::measured;
use super::check::pinned;
use super::check::recognised;
use crate::attributes;
use crate::policy::Pin;
use crate::policy::TdxImage;
use crate::policy::TdxPolicy;

/// All checks of a TD but those of the platform under it. `image` is the one that was recognised.
pub(crate) fn td(report: &TdReport, policy: &TdxPolicy, image: Option<&TdxImage>) -> Vec<Finding> {
    let mut findings = measurements(report, policy, image);
    let allowed = policy.allowed_attributes();
    findings.push(bits(
        "tdx.td-attributes",
        report.td_attributes,
        allowed,
        attributes::TD_SEPT_VE_DISABLE,
    ));
    let visible = report.td_attributes & attributes::TD_UNDER_DEBUG != 0;
    findings.push(debug(
        "tdx.debug",
        (visible, policy.allow_debug),
        "the host can see into the TD",
        "launch it without debug and profiling",
    ));
    findings.push(bits(
        "tdx.xfam",
        report.xfam,
        attributes::TD_XFAM | policy.allow_xfam,
        attributes::TD_XFAM_REQUIRED,
    ));
    findings.extend(service_tds(report, policy));
    findings.extend(module(report, policy));
    findings
}

fn measurements(report: &TdReport, policy: &TdxPolicy, image: Option<&TdxImage>) -> Vec<Finding> {
    let candidates: Vec<&TdxImage> = match image {
        Some(image) => vec![image],
        None => policy.images.iter().collect(),
    };
    let register = |name: &str, seen: &Digest<48>, pin: fn(&TdxImage) -> Option<Digest<48>>| {
        let named: Vec<_> = candidates
            .iter()
            .map(|image| (image.name.as_str(), pin(image)))
            .collect();
        measured(name, seen, &named)
    };
    let [rtmr0, rtmr1, rtmr2, rtmr3] = &report.rtmr;
    let pin = |pin: fn(&TdxImage) -> &Pin<48>| image.map(|image| (image.name.as_str(), pin(image)));
    vec![
        recognised(
            "tdx.image",
            image.map(|image| image.name.as_str()),
            candidates.iter().map(|image| image.name.as_str()),
            unlike(report, policy),
        ),
        register("tdx.mrtd", &report.mrtd, |image| Some(image.mrtd)),
        register("tdx.rtmr0", rtmr0, |image| image.rtmr0),
        register("tdx.rtmr1", rtmr1, |image| image.rtmr1),
        register("tdx.rtmr2", rtmr2, |image| image.rtmr2),
        register("tdx.rtmr3", rtmr3, |image| image.rtmr3),
        pinned(
            "tdx.mrconfigid",
            &report.mrconfigid,
            pin(|image| &image.mrconfigid),
        ),
        pinned("tdx.mrowner", &report.mrowner, pin(|image| &image.mrowner)),
        pinned(
            "tdx.mrownerconfig",
            &report.mrownerconfig,
            pin(|image| &image.mrownerconfig),
        ),
    ]
}

/// The cure, and the image that the TD is most like, where some of its measurements are those of one.
fn unlike(report: &TdReport, policy: &TdxPolicy) -> String {
    let [rtmr0, rtmr1, rtmr2, rtmr3] = &report.rtmr;
    let compared = policy.images.iter().map(|image| {
        let stated = [
            ("mrtd", Some(&image.mrtd), &report.mrtd),
            ("rtmr0", image.rtmr0.as_ref(), rtmr0),
            ("rtmr1", image.rtmr1.as_ref(), rtmr1),
            ("rtmr2", image.rtmr2.as_ref(), rtmr2),
            ("rtmr3", image.rtmr3.as_ref(), rtmr3),
        ];
        let stated = stated
            .into_iter()
            .filter_map(|(name, stated, seen)| Some((name, stated? == seen)));
        let (same, differing): (Vec<_>, Vec<_>) = stated.partition(|(_, is_same)| *is_same);
        let differing: Vec<_> = differing.into_iter().map(|(name, _)| name).collect();
        (image, same.len(), differing)
    });
    let partly = compared.filter(|(_, same, _)| *same > 0);
    let cure = "the measurements are those of no image of the policy";
    let way_out = "run a known build, or add this one";
    match partly.min_by_key(|(_, _, differing)| differing.len()) {
        Some((image, _, differing)) => format!(
            "{cure}; most like {}, and differs from it in {}; {way_out}",
            image.name,
            differing.join(", ")
        ),
        None => format!("{cure}; {way_out}"),
    }
}

fn service_tds(report: &TdReport, policy: &TdxPolicy) -> Vec<Finding> {
    report
        .service_tds()
        .map(|service_td| {
            let known = service_td.is_zero() || policy.service_td.contains(service_td);
            let finding = check("tdx.service-td", known)
                .with_seen_bytes(service_td.as_bytes())
                .with_allowed("none", "zero");
            policy.service_td.iter().fold(finding, |finding, known| {
                finding.with_allowed_bytes("service-td", known.as_bytes())
            })
        })
        .collect()
}

fn module(report: &TdReport, policy: &TdxPolicy) -> Vec<Finding> {
    let named: Vec<_> = match &policy.mrseam {
        Some(known) => known.iter().map(|value| ("mrseam", Some(*value))).collect(),
        None => vec![("any that Intel's TCB Info knows", None)],
    };
    vec![
        measured("tdx.mrseam", &report.mrseam, &named),
        check("tdx.mrsignerseam", report.mrsignerseam.is_zero())
            .with_seen_bytes(report.mrsignerseam.as_bytes())
            .with_allowed("Intel", "zero"),
        bits("tdx.seam-attributes", report.seam_attributes, 0, 0),
    ]
}
