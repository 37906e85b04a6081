//! The bits of `TDATTRIBUTES` and `ATTRIBUTES.FLAGS`.
//!
//! Intel TDX Module ABI Specification (348551), "ATTRIBUTES"; Intel SDM volume 3D, "ATTRIBUTES". A bit that is not
//! named here is reserved and must be zero.

/// TD: bits 7 to 0, `TUD`: the TD is under debug or profiled, and the host can see into it.
pub const TD_UNDER_DEBUG: u64 = 0xff;
/// TD: bit 16, `ICSSD`: a defence against single-stepping by counting instructions.
pub const TD_ICSSD: u64 = 1 << 16;
/// TD: bit 17, `SERVTD_EXT`: the report has a hash of more about service TDs.
pub const TD_SERVTD_EXT: u64 = 1 << 17;
/// TD: bit 27, `LASS`: may use Linear Address Space Separation.
pub const TD_LASS: u64 = 1 << 27;
/// TD: bit 28, `SEPT_VE_DISABLE`: a page that the host took away ends the TD instead of raising an exception in it.
pub const TD_SEPT_VE_DISABLE: u64 = 1 << 28;
/// TD: bit 29, `MIGRATABLE`: a service TD can move it to another machine.
pub const TD_MIGRATABLE: u64 = 1 << 29;
/// TD: bit 30, `PKS`: may use Supervisor Protection Keys.
pub const TD_PKS: u64 = 1 << 30;
/// TD: bit 31, `KL`: may use Key Locker.
pub const TD_KL: u64 = 1 << 31;
/// TD: bit 63, `PERFMON`: may use performance counters, which are a side channel into it.
pub const TD_PERFMON: u64 = 1 << 63;

/// TD: every bit that the ABI defines (348551-008, table "ATTRIBUTES"), whether or not a policy can accept it: 0, 4 to
/// 6, 16 to 22, 27 to 31, 62 and 63.
pub(crate) const TD_DEFINED: u64 = 0xc000_0000_f87f_0071;

/// Enclave: bit 0, `INIT`: it was initialised.
pub const SGX_INIT: u64 = 1;
/// Enclave: bit 1, `DEBUG`: its memory can be read from outside.
pub const SGX_DEBUG: u64 = 1 << 1;
/// Enclave: bit 2, `MODE64BIT`.
pub const SGX_MODE64BIT: u64 = 1 << 2;
/// Enclave: bit 4, `PROVISIONKEY`: may derive keys that identify the platform.
pub const SGX_PROVISIONKEY: u64 = 1 << 4;
/// Enclave: bit 6, `CET`: control-flow enforcement.
pub const SGX_CET: u64 = 1 << 6;
/// Enclave: bit 7, `KSS`: Key Separation and Sharing.
pub const SGX_KSS: u64 = 1 << 7;
/// Enclave: bit 10, `AEXNOTIFY`: learns of interruptions.
pub const SGX_AEXNOTIFY: u64 = 1 << 10;

/// The bits that `XFAM` may have: bits 0 to 2, 5 to 9, 11, 12, 14, 15, 17 and 18, as the TDX Module's `XFAM_FIXED0` of Sapphire
/// Rapids and Emerald Rapids has it: x87, SSE, AVX, AVX-512, PT, PKRU, CET, ULI, LBR, AMX.
pub const TD_XFAM: u64 = 0x0006_dbe7;
/// The bits that `XFAM` must have: x87 and SSE.
pub const TD_XFAM_REQUIRED: u64 = 0x3;
