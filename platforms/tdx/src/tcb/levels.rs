//! From security version numbers to levels.
//!
//! Documents whose signatures verified and the numbers of a platform go in; the level of each part comes out. By Intel's rule it is the
//! first level, from the highest down, that the part meets in all components. A document of another form is
//! [`QuoteError::Collateral`].

use std::cmp::Reverse;

use atls_core::pki_types::UnixTime;
use atls_formats::dcap::Quote;
use atls_reference::Digest;

use super::documents::Component;
use super::documents::IsvSvn;
use super::documents::Level;
use super::documents::PlatformSvns;
use super::documents::QeIdentity;
use super::documents::TcbInfo;
use super::part::PartTcb;
use super::part::SvnComponent;
use super::part::SvnShortfall;
use super::part::TcbPart;
use super::part::TcbUpdate;
use crate::collateral::Collateral;
use crate::error::QuoteError;
use crate::platform::pck_extension;
use crate::policy::TcbStatus;
use crate::time;

/// The security version numbers that a genuine quote and its PCK certificate state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Svns {
    cpu: [u8; 16],
    pce: u16,
    pce_id: [u8; 2],
    quoting_enclave: u16,
    tdx: Option<[u8; 16]>,
    tdx_now: Option<[u8; 16]>,
}

impl Svns {
    pub(crate) fn of(quote: &Quote<'_>) -> Result<Self, QuoteError> {
        let pck = pck_extension(quote)?;
        let td = quote.report.as_td();
        Ok(Self {
            cpu: pck.cpu_svn,
            pce: pck.pce_svn,
            pce_id: (&*pck.pce_id)
                .try_into()
                .map_err(|_| QuoteError::PCK_CERTIFICATE)?,
            quoting_enclave: quote.qe.isv_svn,
            tdx: td.map(|td| td.tee_tcb_svn),
            tdx_now: td
                .and_then(|td| td.td15.as_ref())
                .map(|td| td.tee_tcb_svn_2),
        })
    }
}

/// The level of each part of the platform, by documents whose signatures the caller verified.
///
/// # Errors
/// [`QuoteError::Collateral`] where a document is not of Intel's form.
pub(crate) fn parts(collateral: &Collateral, svns: &Svns) -> Result<Vec<PartTcb>, QuoteError> {
    let documents = collateral.parts();
    let mut tcb_info: TcbInfo<'_> =
        serde_json::from_str(&documents.tcb_info).map_err(|_| QuoteError::Collateral)?;
    let qe_identity: QeIdentity =
        serde_json::from_str(&documents.qe_identity).map_err(|_| QuoteError::Collateral)?;
    // As Intel's verifier does: SVNs of another kind of PCE say nothing about this one. The library compares the FMSPC alone.
    if Digest::from_hex(&tcb_info.pce_id) != Some(Digest::from(svns.pce_id)) {
        return Err(QuoteError::Collateral);
    }
    // Like Intel's verifier, rely on no order of the document.
    tcb_info.tcb_levels.sort_by_cached_key(|level| {
        let svns = |components: &[Component<'_>]| -> Vec<u8> {
            components.iter().map(|component| component.svn).collect()
        };
        Reverse((svns(&level.tcb.sgx), level.tcb.pcesvn, svns(&level.tcb.tdx)))
    });
    let mut parts = vec![platform(TcbPart::Platform, &tcb_info, svns, svns.tdx)?];
    parts.extend(module(TcbPart::TdxModule, &tcb_info, svns.tdx)?);
    if svns.tdx_now.is_some() && svns.tdx_now != svns.tdx {
        let now = svns.tdx_now;
        parts.push(platform(TcbPart::RunningPlatform, &tcb_info, svns, now)?);
        parts.extend(module(TcbPart::RunningTdxModule, &tcb_info, now)?);
    }
    parts.push(enclave(
        TcbPart::QuotingEnclave,
        SvnComponent::QuotingEnclave,
        &qe_identity.tcb_levels,
        svns.quoting_enclave,
    )?);
    Ok(parts)
}

/// The advisories of all parts, each once.
pub(crate) fn advisories(parts: &[PartTcb]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for advisory in parts.iter().flat_map(|part| &part.advisories) {
        if !all.contains(advisory) {
            all.push(advisory.clone());
        }
    }
    all
}

/// The date of the oldest level.
pub(crate) fn oldest(parts: &[PartTcb]) -> Option<UnixTime> {
    parts.iter().filter_map(|part| part.tcb_date).min()
}

/// The status of all parts together: as bad as the worst of them, or worse.
pub(crate) fn worst(parts: &[PartTcb]) -> TcbStatus {
    let of = |wanted| {
        let part = parts.iter().find(|part| part.part == wanted);
        part.map(|part| part.status)
    };
    let together = |platform: TcbStatus, module: Option<TcbStatus>| {
        [module, of(TcbPart::QuotingEnclave)]
            .into_iter()
            .flatten()
            .fold(platform, TcbStatus::with_component)
    };
    let launched = of(TcbPart::Platform).unwrap_or(TcbStatus::Unrecognised);
    let launched = together(launched, of(TcbPart::TdxModule));
    match of(TcbPart::RunningPlatform) {
        None => launched,
        Some(running) => launched.relaunched_as(together(running, of(TcbPart::RunningTdxModule))),
    }
}

fn platform(
    part: TcbPart,
    tcb_info: &TcbInfo<'_>,
    svns: &Svns,
    tdx: Option<[u8; 16]>,
) -> Result<PartTcb, QuoteError> {
    let levels = tcb_info.tcb_levels.iter();
    let levels = levels.map(|level| Ok((level, platform_shortfalls(&level.tcb, svns, tdx)?)));
    part_tcb(part, levels.collect::<Result<_, QuoteError>>()?)
}

fn platform_shortfalls(
    level: &PlatformSvns<'_>,
    svns: &Svns,
    tdx: Option<[u8; 16]>,
) -> Result<Vec<SvnShortfall>, QuoteError> {
    let mut shortfalls = components(&level.sgx, &svns.cpu, SvnComponent::Sgx)?;
    shortfalls.extend(short(SvnComponent::Pce, svns.pce, level.pcesvn));
    if let Some(tdx) = tdx {
        let mut tdx_shortfalls = components(&level.tdx, &tdx, SvnComponent::Tdx)?;
        // The first two are the version of the module; a module with a major version has an identity for them.
        if major_version(&tdx).is_some() {
            tdx_shortfalls.retain(|short| {
                !matches!(short.component, SvnComponent::Tdx(1) | SvnComponent::Tdx(2))
            });
        }
        shortfalls.extend(tdx_shortfalls);
    }
    Ok(shortfalls)
}

/// `None` for a module without major version, which has no identity.
fn module(
    part: TcbPart,
    tcb_info: &TcbInfo<'_>,
    tdx: Option<[u8; 16]>,
) -> Result<Option<PartTcb>, QuoteError> {
    let Some((tdx, major)) = tdx.and_then(|tdx| Some((tdx, major_version(&tdx)?))) else {
        return Ok(None);
    };
    let id = format!("TDX_{major:02X}");
    let identity = tcb_info
        .tdx_module_identities
        .iter()
        .find(|identity| identity.id.eq_ignore_ascii_case(&id));
    let levels = identity.map(|identity| identity.tcb_levels.as_slice());
    let [minor, ..] = tdx;
    enclave(
        part,
        SvnComponent::TdxModule,
        levels.unwrap_or_default(),
        minor.into(),
    )
    .map(Some)
}

fn major_version(tdx: &[u8; 16]) -> Option<u8> {
    let [_, major, ..] = tdx;
    (*major > 0).then_some(*major)
}

/// A part with one number: the Quoting Enclave, a TDX module.
fn enclave(
    part: TcbPart,
    component: SvnComponent,
    levels: &[Level<IsvSvn>],
    has: u16,
) -> Result<PartTcb, QuoteError> {
    let mut levels: Vec<_> = levels
        .iter()
        .map(|level| {
            (
                level,
                Vec::from_iter(short(component, has, level.tcb.isvsvn)),
            )
        })
        .collect();
    levels.sort_by_key(|(level, _)| Reverse(level.tcb.isvsvn));
    part_tcb(part, levels)
}

/// The part by its levels from the highest down, each with the components that are below it.
fn part_tcb<T>(
    part: TcbPart,
    levels: Vec<(&Level<T>, Vec<SvnShortfall>)>,
) -> Result<PartTcb, QuoteError> {
    let date = |level: &Level<T>| {
        let date = time::rfc3339(&level.tcb_date);
        date.map(time::seconds).ok_or(QuoteError::Collateral)
    };
    let met = levels.iter().find(|(_, shortfalls)| shortfalls.is_empty());
    let met = met.map(|(level, _)| *level);
    let status = met.map_or(TcbStatus::Unrecognised, |level| level.tcb_status);
    // The lowest of several that are as good takes the least to reach.
    let best = levels
        .into_iter()
        .rev()
        .min_by_key(|(level, _)| level.tcb_status)
        .filter(|(level, shortfalls)| level.tcb_status < status && !shortfalls.is_empty());
    let update = match best {
        None => None,
        Some((level, shortfalls)) => Some(TcbUpdate {
            status: level.tcb_status,
            tcb_date: date(level)?,
            shortfalls,
        }),
    };
    Ok(PartTcb {
        part,
        status,
        tcb_date: met.map(date).transpose()?,
        advisories: met.map_or_else(Vec::new, |level| level.advisory_ids.clone()),
        update,
    })
}

fn components(
    needed: &[Component<'_>],
    has: &[u8; 16],
    component: fn(u8) -> SvnComponent,
) -> Result<Vec<SvnShortfall>, QuoteError> {
    if needed.len() != has.len() {
        return Err(QuoteError::Collateral);
    }
    let numbered = (1..).zip(has.iter().zip(needed));
    let shortfalls = numbered.filter_map(|(index, (has, needed))| {
        let shortfall = short(component(index), (*has).into(), needed.svn.into())?;
        Some(SvnShortfall {
            name: needed.name(),
            ..shortfall
        })
    });
    Ok(shortfalls.collect())
}

fn short(component: SvnComponent, has: u16, needs: u16) -> Option<SvnShortfall> {
    (has < needs).then_some(SvnShortfall {
        component,
        name: None,
        has,
        needs,
    })
}
