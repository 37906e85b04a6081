//! From what was measured to what is claimed: the table in this crate's README.

use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::pki_types::UnixTime;
use atls_reference::Digest;

use crate::attributes;
use crate::claims::PlatformClaims;
use crate::genuine;
use crate::policy::SgxEnclave;
use crate::policy::SgxPolicy;
use crate::policy::TcbPolicy;
use crate::policy::TcbStatus;
use crate::policy::TdxImage;
use crate::policy::TdxPolicy;
use atls_formats::dcap::SgxReport;
use atls_formats::dcap::TdReport;

/// The claims about a TD, and the image that it is.
pub(crate) fn tdx<'a>(
    report: &TdReport,
    platform: &PlatformClaims,
    policy: &'a TdxPolicy,
    now: UnixTime,
) -> (TrustVector, Option<&'a TdxImage>) {
    // Two images may share measurements and differ in their configuration: the best is the one that counts.
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
        hardware(platform, &policy.tcb(), now)
    } else {
        UNRECOGNISED_HARDWARE
    };
    let vector = vector(&Judgement {
        identity: identity(platform, &policy.tcb()),
        configuration,
        executables,
        hardware,
        runtime: runtime_opaque(debug, policy.allow_debug),
    });
    (vector, image)
}

/// The claims about an enclave, and what it is known as.
pub(crate) fn sgx<'a>(
    report: &SgxReport,
    platform: &PlatformClaims,
    policy: &'a SgxPolicy,
    now: UnixTime,
) -> (TrustVector, Option<&'a SgxEnclave>) {
    let measured = policy
        .enclaves
        .iter()
        .filter(|enclave| is_known_as(enclave, report));
    let enclave = measured
        .clone()
        .find(|enclave| enclave.config_id.accepts(&report.config_id))
        .or_else(|| measured.clone().next());
    let debug = report.flags & attributes::SGX_DEBUG != 0;
    let configured = enclave.is_none_or(|enclave| enclave.config_id.accepts(&report.config_id));
    let configuration = if !configured || !enclave_is_safe(report, policy) {
        CONTRAINDICATED
    } else if debug {
        UNSAFE
    } else {
        APPROVED
    };
    let executables = if enclave.is_some() {
        APPROVED_RUNTIME
    } else {
        UNRECOGNISED_EXECUTABLES
    };
    let vector = vector(&Judgement {
        identity: identity(platform, &policy.tcb()),
        configuration,
        executables,
        hardware: hardware(platform, &policy.tcb(), now),
        runtime: runtime_opaque(debug, policy.allow_debug),
    });
    (vector, enclave)
}

fn matches(image: &TdxImage, report: &TdReport) -> bool {
    let pinned = [image.rtmr0, image.rtmr1, image.rtmr2, image.rtmr3];
    let mut registers = pinned.iter().zip(&report.rtmr);
    image.mrtd == report.mrtd
        && registers.all(|(pinned, value)| pinned.is_none_or(|pinned| pinned == *value))
}

/// Whether all that was measured, at boot and since, is known.
fn is_whole(image: &TdxImage) -> bool {
    let pinned = [image.rtmr0, image.rtmr1, image.rtmr2, image.rtmr3];
    image.mrtd_covers_all || pinned.iter().all(Option::is_some)
}

fn is_configured(image: &TdxImage, report: &TdReport) -> bool {
    image.mrconfigid.accepts(&report.mrconfigid)
        && image.mrowner.accepts(&report.mrowner)
        && image.mrownerconfig.accepts(&report.mrownerconfig)
}

/// The attributes that a TD may have.
pub(crate) fn td_attributes(policy: &TdxPolicy) -> u64 {
    let mut allowed = attributes::TD_SEPT_VE_DISABLE
        | attributes::TD_ICSSD
        | attributes::TD_LASS
        | attributes::TD_PKS
        | attributes::TD_KL;
    if policy.allow_debug {
        allowed |= attributes::TD_UNDER_DEBUG & attributes::TD_DEFINED;
    }
    if policy.allow_perfmon {
        allowed |= attributes::TD_PERFMON;
    }
    if !policy.service_td.is_empty() {
        allowed |= attributes::TD_SERVTD_EXT;
    }
    allowed
}

fn td_is_safe(report: &TdReport, policy: &TdxPolicy) -> bool {
    let attributes_are_safe = report.td_attributes & !td_attributes(policy) == 0
        && report.td_attributes & attributes::TD_SEPT_VE_DISABLE != 0;
    let features_are_known = report.xfam & !(attributes::TD_XFAM | policy.allow_xfam) == 0
        && report.xfam & attributes::TD_XFAM_REQUIRED == attributes::TD_XFAM_REQUIRED;
    attributes_are_safe && features_are_known && service_tds_are_known(report, policy)
}

/// The service TDs that a TD is bound to, zero for none.
pub(crate) fn service_tds(report: &TdReport) -> impl Iterator<Item = &Digest<48>> {
    let bound = report.td15.iter().map(|td| &td.mrservicetd);
    let extended = report.td15_extended.iter();
    let further = extended.flat_map(|td| [&td.initial_service_td, &td.current_service_td]);
    bound.chain(further)
}

fn service_tds_are_known(report: &TdReport, policy: &TdxPolicy) -> bool {
    service_tds(report)
        .all(|service_td| service_td.is_zero() || policy.service_td.contains(service_td))
}

fn is_known_as(enclave: &SgxEnclave, report: &SgxReport) -> bool {
    let is = |expected: Option<_>, value| expected.is_none_or(|expected| expected == value);
    let product = enclave
        .isv_prod_id
        .is_none_or(|id| id == report.isv_prod_id);
    let version = enclave
        .min_isv_svn
        .is_none_or(|least| report.isv_svn >= least);
    // A table that was not checked may name nothing at all.
    let named = enclave.mrenclave.is_some() || enclave.mrsigner.is_some();
    named
        && is(enclave.mrenclave, report.mrenclave)
        && is(enclave.mrsigner, report.mrsigner)
        && product
        && version
}

/// The attributes that an enclave may have.
pub(crate) fn enclave_flags(policy: &SgxPolicy) -> u64 {
    let mut allowed = attributes::SGX_INIT
        | attributes::SGX_MODE64BIT
        | attributes::SGX_CET
        | attributes::SGX_KSS
        | attributes::SGX_AEXNOTIFY;
    if policy.allow_debug {
        allowed |= attributes::SGX_DEBUG;
    }
    if policy.allow_provision_key {
        allowed |= attributes::SGX_PROVISIONKEY;
    }
    allowed
}

fn enclave_is_safe(report: &SgxReport, policy: &SgxPolicy) -> bool {
    report.flags & !enclave_flags(policy) == 0 && report.flags & attributes::SGX_INIT != 0
}

fn hardware(platform: &PlatformClaims, policy: &TcbPolicy<'_>, now: UnixTime) -> i8 {
    let status = match platform.tcb_status {
        // Not looked up, revocation included: whatever else is allowed, this is not to be accepted.
        None | Some(TcbStatus::Unrecognised) => return UNRECOGNISED_HARDWARE,
        Some(TcbStatus::Revoked) => return CONTRAINDICATED,
        Some(status) => status,
    };
    let as_demanded = flag_is_allowed(platform.dynamic_platform, policy.allow_dynamic_platform)
        && flag_is_allowed(platform.cached_keys, policy.allow_cached_keys)
        && flag_is_allowed(platform.smt, policy.allow_smt);
    if !as_demanded {
        return CONTRAINDICATED;
    }
    let tcb = Tcb {
        status,
        advisories: &platform.advisories,
        date: platform.tcb_date,
    };
    if accepts(&tcb, policy, now) {
        APPROVED
    } else {
        UNSAFE
    }
}

/// What Intel says about a platform, now or once its early issue is the standard one.
pub(crate) struct Tcb<'a> {
    pub(crate) status: TcbStatus,
    pub(crate) advisories: &'a [String],
    /// Of the oldest level.
    pub(crate) date: Option<UnixTime>,
}

/// Whether the policy accepts what Intel says.
pub(crate) fn accepts(tcb: &Tcb<'_>, policy: &TcbPolicy<'_>, now: UnixTime) -> bool {
    let in_time = || {
        !tcb.status.is_out_of_date() || grace_ends(tcb.date, policy).is_some_and(|end| now <= end)
    };
    policy.accept_tcb.contains(&tcb.status)
        && policy.accept_advisories.accept(tcb.advisories)
        && in_time()
}

/// Until when a platform that is out of date may be accepted.
pub(crate) fn grace_ends(since: Option<UnixTime>, policy: &TcbPolicy<'_>) -> Option<UnixTime> {
    let days = policy.out_of_date_grace_days.map(u64::from)?;
    let end = since?.as_secs().saturating_add(days.saturating_mul(DAY));
    Some(genuine::seconds(end))
}

/// Whether a flag of the platform is off, or may be on.
pub(crate) fn flag_is_allowed(flag: Option<bool>, allowed: bool) -> bool {
    allowed || flag != Some(true)
}

fn identity(platform: &PlatformClaims, policy: &TcbPolicy<'_>) -> i8 {
    match policy.ppid {
        None => NO_CLAIM,
        Some(known) if known.contains(&platform.ppid) => APPROVED,
        Some(_) => UNRECOGNISED_INSTANCE,
    }
}

/// What can be seen into is never affirmed: a policy that allows it gets a warning, and must accept that too.
fn runtime_opaque(visible: bool, allowed: bool) -> i8 {
    match (visible, allowed) {
        (false, _) => APPROVED,
        (true, true) => UNSAFE,
        (true, false) => CONTRAINDICATED,
    }
}

struct Judgement {
    identity: i8,
    configuration: i8,
    executables: i8,
    hardware: i8,
    runtime: i8,
}

/// All eight: what is not looked at is said not to be claimed.
fn vector(judgement: &Judgement) -> TrustVector {
    [
        (Category::InstanceIdentity, judgement.identity),
        (Category::Configuration, judgement.configuration),
        (Category::Executables, judgement.executables),
        (Category::FileSystem, NO_CLAIM),
        (Category::Hardware, judgement.hardware),
        (Category::RuntimeOpaque, judgement.runtime),
        (Category::StorageOpaque, NO_CLAIM),
        (Category::SourcedData, NO_CLAIM),
    ]
    .into_iter()
    .fold(TrustVector::new(), |vector, (category, value)| {
        vector.with(category, TrustClaim::new(value))
    })
}

// AR4SI §2.3.4, by category.
const NO_CLAIM: i8 = 0;
const APPROVED: i8 = 2;
const APPROVED_RUNTIME: i8 = 2;
const APPROVED_BOOT: i8 = 3;
const UNSAFE: i8 = 32;
const UNRECOGNISED_EXECUTABLES: i8 = 33;
const CONTRAINDICATED: i8 = 96;
const UNRECOGNISED_HARDWARE: i8 = 97;
const UNRECOGNISED_INSTANCE: i8 = 97;

/// Seconds.
const DAY: u64 = 24 * 60 * 60;
