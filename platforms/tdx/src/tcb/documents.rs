//! TCB levels, as Intel's documents have them (Provisioning Certification Service API, version 4). Read once their
//! signature was verified.

use std::borrow::Cow;

use serde::Deserialize;

use crate::policy::TcbStatus;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TcbInfo<'a> {
    #[serde(borrow)]
    pub(super) pce_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) tcb_levels: Vec<Level<PlatformSvns<'a>>>,
    #[serde(default)]
    pub(super) tdx_module_identities: Vec<ModuleIdentity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QeIdentity {
    pub(super) tcb_levels: Vec<Level<IsvSvn>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ModuleIdentity {
    /// `TDX_01`: the major version, in hexadecimal.
    pub(super) id: String,
    pub(super) tcb_levels: Vec<Level<IsvSvn>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Level<T> {
    pub(super) tcb: T,
    pub(super) tcb_date: String,
    pub(super) tcb_status: TcbStatus,
    #[serde(default, rename = "advisoryIDs")]
    pub(super) advisory_ids: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct PlatformSvns<'a> {
    #[serde(borrow, rename = "sgxtcbcomponents")]
    pub(super) sgx: Vec<Component<'a>>,
    #[serde(borrow, default, rename = "tdxtcbcomponents")]
    pub(super) tdx: Vec<Component<'a>>,
    pub(super) pcesvn: u16,
}

#[derive(Deserialize)]
pub(super) struct Component<'a> {
    pub(super) svn: u8,
    #[serde(borrow, default)]
    category: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
pub(super) struct IsvSvn {
    pub(super) isvsvn: u16,
}

impl Component<'_> {
    /// Such as `BIOS: Early Microcode Update`.
    pub(super) fn name(&self) -> Option<String> {
        match (&self.category, &self.kind) {
            (Some(category), Some(kind)) => Some(format!("{category}: {kind}")),
            (category, kind) => category.as_ref().or(kind.as_ref()).map(ToString::to_string),
        }
    }
}
