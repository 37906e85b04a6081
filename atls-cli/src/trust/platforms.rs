//! The verifier of each platform, by its policy.

use std::sync::Arc;

use atls_cca::CcaVerifier;
use atls_cca::PsaVerifier;
use atls_nitro::NitroPolicy;
use atls_nitro::NitroVerifier;
use atls_reference::Live;
use atls_snp::SnpPolicy;
use atls_snp::SnpVerifier;
use atls_tdx::SgxPolicy;
use atls_tdx::SgxVerifier;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tpm::TpmVerifier;

use super::collateral;
use super::options::AppraisalOptions;
use super::root;
use super::tables::Tables;
use crate::failure::Failure;
use crate::tls;

pub(crate) fn cca(tables: &impl Tables) -> Result<CcaVerifier, Failure> {
    let (policy, keys) = (tables.live()?, tables.live()?);
    Ok(CcaVerifier::new(policy, keys, &tls::provider()))
}

pub(crate) fn nitro(
    policy: Arc<Live<NitroPolicy>>,
    options: &AppraisalOptions,
) -> Result<NitroVerifier, Failure> {
    Ok(match root::nitro(&options.dangerous_root)? {
        None => NitroVerifier::new(policy),
        Some(root) => NitroVerifier::dangerous_with_root(root, policy),
    })
}

pub(crate) fn psa(tables: &impl Tables) -> Result<PsaVerifier, Failure> {
    let (policy, keys) = (tables.live()?, tables.live()?);
    Ok(PsaVerifier::new(policy, keys, &tls::provider()))
}

pub(crate) fn sgx(
    policy: Arc<Live<SgxPolicy>>,
    options: &AppraisalOptions,
) -> Result<SgxVerifier, Failure> {
    let collateral = collateral::intel(options)?;
    Ok(match root::sgx(&options.dangerous_root)? {
        None => SgxVerifier::new(policy, collateral),
        Some(root) => SgxVerifier::dangerous_with_root(root, policy, collateral),
    })
}

pub(crate) fn snp(
    policy: Arc<Live<SnpPolicy>>,
    options: &AppraisalOptions,
) -> Result<SnpVerifier, Failure> {
    let collateral = collateral::amd(options)?;
    Ok(match root::snp(&options.dangerous_root)? {
        None => SnpVerifier::new(policy, collateral),
        Some(root) => SnpVerifier::dangerous_with_root(root, policy, collateral),
    })
}

pub(crate) fn tdx(
    policy: Arc<Live<TdxPolicy>>,
    options: &AppraisalOptions,
) -> Result<TdxVerifier, Failure> {
    let collateral = collateral::intel(options)?;
    Ok(match root::tdx(&options.dangerous_root)? {
        None => TdxVerifier::new(policy, collateral),
        Some(root) => TdxVerifier::dangerous_with_root(root, policy, collateral),
    })
}

pub(crate) fn tpm(tables: &impl Tables) -> Result<TpmVerifier, Failure> {
    let (policy, keys) = (tables.live()?, tables.live()?);
    Ok(TpmVerifier::new(policy, keys, &tls::provider()))
}
