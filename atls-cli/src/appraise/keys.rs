//! The attestation keys of platforms whose makers have no root: TPMs, Arm's platforms and devices.

use std::path::PathBuf;
use std::sync::Arc;

use atls_cca::PsaKeys;
use atls_cca::PublicKey;
use atls_cca::TrustedKey;
use atls_formats::psa::EcKey;
use atls_reference::Table;
use atls_sim::IMPLEMENTATION_ID;
use atls_sim::TrustAnchor;
use clap::Args;
use serde_json::json;

use super::evidence::Evidence;
use super::policy::Policy;
use crate::failure::Failure;
use crate::unused;
use crate::unused::LEAVE_OUT;
use crate::unused::given;

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
    pub(crate) fn are_named(&self) -> bool {
        self.attestation_keys.is_some()
    }

    pub(crate) fn given(&self) -> Vec<&'static str> {
        given([(ATTESTATION_KEYS, self.are_named())])
    }

    /// # Errors
    /// A usage failure where keys were named, and none of these items is of a platform that has no other root.
    pub(crate) fn check_used<'a>(
        &self,
        items: impl IntoIterator<Item = &'a Evidence>,
    ) -> Result<(), Failure> {
        let is_used = |item: &Evidence| matches!(item.table(), Some("cca" | "psa" | "tpm"));
        let is_idle = self.are_named() && !items.into_iter().any(is_used);
        let why = "the maker of this platform has a root, under which it is verified";
        unused::refuse(&given([(ATTESTATION_KEYS, is_idle)]), why, LEAVE_OUT)
    }

    /// Reads the file.
    pub(crate) fn open(&self) -> Result<AttestationKeys, Failure> {
        match &self.attestation_keys {
            Some(path) => Policy::open(path).map(|keys| AttestationKeys::Of(Arc::new(keys))),
            None => Ok(AttestationKeys::Unknown),
        }
    }
}

impl AttestationKeys {
    /// Those of simulated devices, which are PSA devices whose keys software holds.
    pub(crate) fn of_simulators(devices: &[TrustAnchor]) -> Result<Self, Failure> {
        let keys = devices.iter().map(key_of).collect::<Option<_>>();
        let keys = keys.ok_or_else(|| Failure::usage("--trust-sim: it is no point of P-256"))?;
        let table = json!({ "version": 1, (PsaKeys::NAME): PsaKeys::new(keys) });
        let policy = Policy::of_json("the keys of --trust-sim", &table);
        Ok(Self::Of(Arc::new(policy)))
    }

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

fn key_of(device: &TrustAnchor) -> Option<TrustedKey> {
    let public = PublicKey::from(EcKey::from_point(device.public_key())?);
    let instance_id = device.instance_id().try_into().ok()?;
    let key = TrustedKey::new("simulated", IMPLEMENTATION_ID, instance_id, public);
    Some(key.in_software())
}

const ATTESTATION_KEYS: &str = "--attestation-keys";
