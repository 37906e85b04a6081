//! The verifier of Azure's confidential VMs, out of the tables of its parts.

use std::sync::Arc;

use atls_azure::AzurePolicy;
use atls_azure::AzureVerifier;
use atls_core::combine::chain::UnboundVerifier;
use atls_reference::Live;
use atls_snp::SnpPolicy;
use atls_tdx::TdxPolicy;
use atls_tpm::TpmPolicy;
use atls_tpm::VouchedTpmVerifier;

use super::options::AppraisalOptions;
use super::platforms;
use super::tables::Tables;
use crate::failure::Failure;
use crate::tls;

/// The policies of a VM: its configuration, its processor and its virtual TPM.
pub(crate) struct Parts {
    pub(crate) azure: Arc<Live<AzurePolicy>>,
    pub(crate) snp: Option<Arc<Live<SnpPolicy>>>,
    pub(crate) tdx: Option<Arc<Live<TdxPolicy>>>,
    pub(crate) tpm: Arc<Live<TpmPolicy>>,
}

impl Parts {
    /// The tables of a file.
    ///
    /// # Errors
    /// A usage failure with file and line.
    pub(crate) fn of(tables: &impl Tables) -> Result<Self, Failure> {
        Ok(Self {
            azure: tables.live()?,
            snp: tables.live_if_named()?,
            tdx: tables.live_if_named()?,
            tpm: tables.live()?,
        })
    }
}

pub(crate) fn azure(parts: Parts, options: &AppraisalOptions) -> Result<AzureVerifier, Failure> {
    let mut processors: Vec<Arc<dyn UnboundVerifier>> = Vec::new();
    if let Some(policy) = parts.snp {
        processors.push(Arc::new(platforms::snp(policy, options)?));
    }
    if let Some(policy) = parts.tdx {
        processors.push(Arc::new(platforms::tdx(policy, options)?));
    }
    let tpm = VouchedTpmVerifier::new(parts.tpm, &tls::provider());
    AzureVerifier::new(parts.azure, processors, Arc::new(tpm))
        .map_err(|error| Failure::usage("the table [azure] cannot be used").because(&error))
}

/// Tells whether a table is about a part of an Azure VM in this file, and so about nothing else.
pub(crate) fn is_part(table: &str, named: &[String]) -> bool {
    has("azure", named) && PARTS.contains(&table)
}

/// Checks that the table `azure` has the tables of its parts beside it, and none that would not be applied.
///
/// # Errors
/// The cure.
pub(crate) fn check_tables(named: &[String]) -> Result<(), &'static str> {
    if !has("azure", named) {
        return Ok(());
    }
    if !has("snp", named) && !has("tdx", named) {
        return Err("[azure] needs [snp] or [tdx] beside it, with the image of the paravisor");
    }
    if !has("tpm", named) {
        return Err("[azure] needs [tpm] beside it, with the image of the guest");
    }
    if has("tpm-keys", named) {
        return Err(
            "beside [azure] the processor vouches for the TPM's key; put [tpm-keys] into a file of its own",
        );
    }
    Ok(())
}

fn has(table: &str, named: &[String]) -> bool {
    named.iter().any(|name| name == table)
}

/// Without the verifiers that they have in other files: else a part of a VM would be accepted as a whole.
const PARTS: [&str; 3] = ["snp", "tdx", "tpm"];
