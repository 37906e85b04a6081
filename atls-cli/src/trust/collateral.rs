//! The sources of the makers' certificates, TCB information and revocation lists.

use std::path::Path;
use std::sync::Arc;

use atls_collateral::Cache;
use atls_snp::Kds;
use atls_snp::KdsCollateral;
use atls_snp::SnpCollateral;
use atls_tdx::Collateral;
use atls_tdx::CollateralSource;
use atls_tdx::FetchedCollateral;
use atls_tdx::Pcs;

use super::crl::CrlOption;
use super::fetched::Made;
use super::options::AppraisalOptions;
use super::renewal;
use crate::clock;
use crate::failure::Failure;
use crate::http_client;
use crate::source;
use crate::unused;
use crate::unused::given;

/// For TDX and SGX.
pub(crate) fn intel(options: &AppraisalOptions) -> Result<Arc<dyn CollateralSource>, Failure> {
    let mut supplied = Vec::new();
    for path in &options.collateral {
        if let Given::Intel(collateral) = read(path)? {
            supplied.push(*collateral);
        }
    }
    check_intel(options, !supplied.is_empty())?;
    if !supplied.is_empty() {
        let supplied = atls_tdx::SuppliedCollateral::new(supplied);
        return Ok(Arc::new(supplied.with_early(early(options)?)));
    }
    if options.offline {
        return Ok(Arc::new(atls_tdx::CollateralFromPeer::new()));
    }
    options.fetched.intel(|| {
        let client = http_client::over_https()?;
        let pcs = match &options.pccs {
            Some(base) => Pcs::pccs(client, base),
            None => Pcs::intel(client),
        };
        let cache = Cache::new(pcs);
        Ok(Made {
            renewal: renewal::of(&cache, clock::now_or_1970),
            source: Arc::new(FetchedCollateral::new(Arc::new(cache))),
        })
    })
}

/// # Errors
/// A usage failure for an argument that would have no effect.
fn check_intel(options: &AppraisalOptions, is_supplied: bool) -> Result<(), Failure> {
    let early = given([("--early", !options.early.is_empty() && !is_supplied)]);
    let cure = "give Intel's issue of now by --collateral, of which it is the next";
    unused::refuse(&early, "no --collateral is Intel's", cure)?;
    let pccs = given([("--pccs", options.pccs.is_some() && is_supplied)]);
    let why = "--collateral has Intel's, so it is not fetched";
    unused::refuse(&pccs, why, "leave one of them out")
}

/// Intel's next issue.
fn early(options: &AppraisalOptions) -> Result<Vec<Collateral>, Failure> {
    let mut early = Vec::new();
    for path in &options.early {
        match read(path)? {
            Given::Intel(collateral) => early.push(*collateral),
            Given::Amd(_) => return Err(unusable(path)),
        }
    }
    Ok(early)
}

/// For SEV-SNP.
pub(crate) fn amd(options: &AppraisalOptions) -> Result<Arc<dyn SnpCollateral>, Failure> {
    let mut given = atls_snp::SuppliedCollateral::new();
    let mut is_given = !options.crl.is_empty();
    for path in &options.collateral {
        if let Given::Amd(certificates) = read(path)? {
            given = given
                .with_certificates(&certificates)
                .map_err(|error| unusable(path).because(&error))?;
            is_given = true;
        }
    }
    for CrlOption { key, product, file } in &options.crl {
        let list = source::read(file, source::MAX_KEYS)?;
        given = given
            .with_crl(*product, *key, &list)
            .map_err(|error| unusable(file).because(&error))?;
    }
    if is_given {
        return Ok(Arc::new(given));
    }
    if options.offline {
        return Ok(Arc::new(atls_snp::CollateralFromPeer::new()));
    }
    options.fetched.amd(|| {
        let cache = Cache::new(Kds::new(http_client::over_https()?));
        Ok(Made {
            renewal: renewal::of(&cache, clock::now_or_1970),
            source: Arc::new(KdsCollateral::new(cache)),
        })
    })
}

/// The content of a file of collateral.
enum Given {
    Amd(Vec<u8>),
    Intel(Box<Collateral>),
}

fn read(path: &Path) -> Result<Given, Failure> {
    let bytes = source::read(path, source::MAX_KEYS)?;
    let is_certificate = bytes.first() == Some(&0x30) || bytes.starts_with(b"-----BEGIN");
    if is_certificate {
        return Ok(Given::Amd(bytes));
    }
    let collateral = match std::str::from_utf8(&bytes) {
        Ok(text) if text.trim_start().starts_with('{') => Collateral::from_json(text),
        _ => Collateral::decode(&bytes),
    };
    let collateral = collateral.map_err(|error| unusable(path).because(&error))?;
    Ok(Given::Intel(Box::new(collateral)))
}

fn unusable(path: &Path) -> Failure {
    Failure::usage(format!("{}: it is no collateral", path.display()))
}
