//! From Intel's rating of a platform to claims about it.
//!
//! The platform's claims, the policy and the time go in; the values of the rows `hardware` and `instance-identity` of the table in this
//! crate's README come out. Nothing here fails.

use atls_core::pki_types::UnixTime;

use crate::claims::PlatformClaims;
use crate::policy::PlatformDemands;
use crate::policy::TcbStatus;
use crate::time::DAY;
use crate::time::seconds;
use crate::vector::APPROVED;
use crate::vector::CONTRAINDICATED;
use crate::vector::NO_CLAIM;
use crate::vector::UNRECOGNISED_HARDWARE;
use crate::vector::UNRECOGNISED_INSTANCE;
use crate::vector::UNSAFE;

pub(crate) fn hardware(
    platform: &PlatformClaims,
    policy: &PlatformDemands<'_>,
    now: UnixTime,
) -> i8 {
    let status = match platform.tcb_status {
        // Neither TCB nor revocation was looked up, so no policy may accept it.
        None | Some(TcbStatus::Unrecognised) => return UNRECOGNISED_HARDWARE,
        Some(TcbStatus::Revoked) => return CONTRAINDICATED,
        Some(status) => status,
    };
    let as_demanded = flag_is_allowed(platform.dynamic_platform, policy.allow_dynamic_platform)
        && flag_is_allowed(platform.cached_keys, policy.allow_cached_keys)
        && smt_is_allowed(platform.smt, policy.allow_smt);
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

/// Intel's rating of a platform, now or once its early issue is the standard one.
pub(crate) struct Tcb<'a> {
    pub(crate) status: TcbStatus,
    pub(crate) advisories: &'a [String],
    /// The date of the oldest level.
    pub(crate) date: Option<UnixTime>,
}

/// Whether the policy accepts Intel's rating.
pub(crate) fn accepts(tcb: &Tcb<'_>, policy: &PlatformDemands<'_>, now: UnixTime) -> bool {
    let in_time = || {
        !tcb.status.is_out_of_date() || grace_ends(tcb.date, policy).is_some_and(|end| now <= end)
    };
    policy.accept_tcb.contains(&tcb.status)
        && policy.accept_advisories.accept(tcb.advisories)
        && in_time()
}

/// The time until which a platform that is out of date may be accepted.
pub(crate) fn grace_ends(
    since: Option<UnixTime>,
    policy: &PlatformDemands<'_>,
) -> Option<UnixTime> {
    let days = policy.out_of_date_grace_days.map(u64::from)?;
    let end = since?.as_secs().saturating_add(days.saturating_mul(DAY));
    Some(seconds(end))
}

/// Whether a flag of platforms with several packages is off, or may be on. The certificate of one with a single package does not have it.
pub(crate) fn flag_is_allowed(flag: Option<bool>, allowed: bool) -> bool {
    allowed || flag != Some(true)
}

/// Whether hyper-threading is off, or may be on. A single package may have it too, and its certificate does not say.
pub(crate) fn smt_is_allowed(smt: Option<bool>, allowed: bool) -> bool {
    allowed || smt == Some(false)
}

pub(crate) fn identity(platform: &PlatformClaims, policy: &PlatformDemands<'_>) -> i8 {
    match policy.ppid {
        None => NO_CLAIM,
        Some(known) if known.contains(&platform.ppid) => APPROVED,
        Some(_) => UNRECOGNISED_INSTANCE,
    }
}
