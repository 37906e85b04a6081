//! Arguments about trust, which several commands share.

use std::path::PathBuf;

use atls_tower::weaker;
use clap::Args;
use clap::ValueEnum;

use super::crl::CrlOption;
use super::fetched::Fetched;
use super::remote::ServiceOption;
use super::root::RootOption;
use crate::way::ProxyOption;

/// Which servers to trust, and by whose word.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct TrustOptions {
    /// Accept what this file of reference values names: TDX, SGX, SEV-SNP, Nitro, TPM,
    /// CCA, PSA, VMs of Azure
    #[arg(long, value_name = "FILE", help_heading = TRUST)]
    pub(crate) policy: Option<PathBuf>,

    /// Have Evidence appraised by a service: veraison=URL,key=FILE or trustee=URL,policy=ID or
    /// ita=URL,api-key=FILE,policy=ID or maa=URL,measurement=HEX (SEV-SNP) or
    /// td=MRTD:RTMR1:RTMR2; ca=FILE names its authorities
    #[arg(long, value_name = "KIND=URL[,…]", help_heading = TRUST)]
    pub(crate) verifier: Vec<ServiceOption>,

    /// Authorities of the TLS certificate, in PEM, instead of those of this system
    #[arg(long, value_name = "FILE", help_heading = TRUST)]
    pub(crate) ca: Vec<PathBuf>,

    /// Reach the server through a CONNECT proxy, http://HOST:PORT; or `env` for what HTTPS_PROXY and
    /// NO_PROXY say
    #[arg(long, value_name = "URL", help_heading = TRUST)]
    pub(crate) connect_proxy: Option<ProxyOption>,

    /// Accept no result that is older, in seconds [default: 3600]
    #[arg(long, value_name = "SECONDS", help_heading = TRUST)]
    pub(crate) max_age: Option<u64>,

    /// How the server attests. The weaker modes are open to relay and replay
    #[arg(long, value_enum, value_name = "MODE", default_value_t, help_heading = TRUST)]
    pub(crate) mode: Mode,

    /// Accept any TLS certificate, and so any machine with the same code: for RA-TLS
    #[arg(long, help_heading = TRUST)]
    pub(crate) dangerous_any_certificate: bool,

    #[command(flatten)]
    pub(crate) appraisal: AppraisalOptions,
}

/// How Evidence is appraised in this process.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct AppraisalOptions {
    /// Accept a simulated device by its public key, a point or PEM. It proves nothing: for tests
    #[arg(long, value_name = "KEY", help_heading = TRUST)]
    pub(crate) trust_sim: Vec<PathBuf>,

    /// Collateral to use instead of fetching it: Intel's as JSON or CBOR, AMD's certificates
    #[arg(long, value_name = "FILE", help_heading = TRUST)]
    pub(crate) collateral: Vec<PathBuf>,

    /// Intel's early issue of --collateral, which warns of what will be refused
    #[arg(long, value_name = "FILE", requires = "collateral", help_heading = TRUST)]
    pub(crate) early: Vec<PathBuf>,

    /// AMD's revocation list to use instead of fetching it, such as vcek/Milan=FILE
    #[arg(long, value_name = "KEY/PRODUCT=FILE", help_heading = TRUST)]
    pub(crate) crl: Vec<CrlOption>,

    /// Fetch Intel's collateral from this PCCS
    #[arg(long, value_name = "URL", conflicts_with = "offline", help_heading = TRUST)]
    pub(crate) pccs: Option<String>,

    /// Fetch no collateral: what the peer sends and --collateral names must do
    #[arg(long, help_heading = TRUST)]
    pub(crate) offline: bool,

    /// Accept the status `warning` too, such as firmware that needs an update
    #[arg(long, help_heading = TRUST)]
    pub(crate) accept_warning: bool,

    /// Accept simulated Evidence that --policy or --verifier knows. It proves nothing
    #[arg(long, help_heading = TRUST)]
    pub(crate) dangerous_accept_simulated: bool,

    /// Trust this root instead of the maker's: whoever has its key forges any device.
    /// PLATFORM is tdx, sgx, nitro, or snp/Milan, snp/Genoa, snp/Turin
    #[arg(long, value_name = "PLATFORM=FILE", help_heading = TRUST)]
    pub(crate) dangerous_root: Vec<RootOption>,

    #[arg(skip)]
    pub(crate) fetched: Fetched,
}

impl AppraisalOptions {
    pub(crate) fn knows_a_simulator(&self) -> bool {
        !self.trust_sim.is_empty()
    }

    /// Tells whether Evidence that proves nothing was asked for by name.
    pub(crate) fn accepts_simulated(&self) -> bool {
        self.dangerous_accept_simulated
            || self.knows_a_simulator()
            || !self.dangerous_root.is_empty()
    }
}

/// When Evidence is made.
#[allow(
    clippy::enum_variant_names,
    reason = "the names of the three modes, as arguments have them"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// After the handshake, bound to the connection
    #[default]
    PostHandshake,
    /// During the handshake, bound to a nonce and the key: open to relay and diversion
    DangerousIntraHandshake,
    /// Earlier, in the certificate (RA-TLS), bound to the key: open to replay, relay and diversion
    DangerousPreHandshake,
}

impl Mode {
    pub(crate) fn in_tls(self) -> weaker::Mode {
        match self {
            Self::PostHandshake => weaker::Mode::AfterHandshake,
            Self::DangerousIntraHandshake => weaker::Mode::InHandshake,
            Self::DangerousPreHandshake => weaker::Mode::InCertificate,
        }
    }
}

const TRUST: &str = "Trust";
