//! The attestation keys of platforms whose makers have no root: TPMs, Arm's platforms and devices.

use std::path::PathBuf;
use std::sync::Arc;

use atls_reference::Table;
use clap::Args;

use super::policy::Policy;
use crate::failure::Failure;

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct KeyOptions {
    /// Whose Evidence it may be, of TPMs, CCA and PSA, whose makers have no root: a file with [tpm-keys], [cca-keys] or
    /// [psa-keys]
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    attestation_keys: Option<PathBuf>,
}

/// The keys that are known.
#[derive(Clone, Debug)]
pub(crate) enum AttestationKeys {
    /// Whichever key came with the Evidence. It proves nothing.
    DangerousAny,
    /// Those of a file.
    Of(Arc<Policy>),
    /// Nobody named any.
    Unknown,
}

impl KeyOptions {
    /// Reads the file.
    pub(crate) fn open(&self) -> Result<AttestationKeys, Failure> {
        match &self.attestation_keys {
            Some(path) => Policy::open(path).map(|keys| AttestationKeys::Of(Arc::new(keys))),
            None => Ok(AttestationKeys::Unknown),
        }
    }
}

impl AttestationKeys {
    /// A table of the file; `None` where any key will do.
    ///
    /// # Errors
    /// A usage failure where nobody named keys.
    pub(crate) fn table<T: Table>(&self) -> Result<Option<T>, Failure> {
        match self {
            Self::DangerousAny => Ok(None),
            Self::Of(keys) => keys.table().map(Some),
            Self::Unknown => Err(
                Failure::usage("nothing says whose Evidence this is").with_help(format!(
                    "its maker has no root; --attestation-keys FILE names its key in a table [{}]",
                    T::NAME
                )),
            ),
        }
    }

    /// A policy under these keys.
    pub(crate) fn over(&self, policy: Policy) -> Policy {
        match self {
            Self::Of(keys) => policy.with_keys(keys),
            _ => policy,
        }
    }
}
