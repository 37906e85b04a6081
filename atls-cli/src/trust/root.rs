//! Roots other than the makers', for laboratories and tests.

use std::path::PathBuf;
use std::str::FromStr;

use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::pem::PemObject;
use atls_reference::Digest;
use atls_snp::Product;
use atls_snp::SnpRoot;
use sha2::Digest as _;
use sha2::Sha256;

use crate::failure::Failure;
use crate::source;

/// `PLATFORM=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RootOption {
    platform: Platform,
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Platform {
    Nitro,
    Sgx,
    Snp(Product),
    Tdx,
}

impl RootOption {
    pub(super) fn file(&self) -> &PathBuf {
        &self.file
    }
}

impl FromStr for RootOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (platform, file) = text.split_once('=').ok_or("it has no `=`")?;
        let platform = match platform {
            "nitro" => Platform::Nitro,
            "sgx" => Platform::Sgx,
            "tdx" => Platform::Tdx,
            other => Platform::Snp(
                other
                    .strip_prefix("snp/")
                    .and_then(product)
                    .ok_or("the platforms are tdx, sgx, nitro, snp/Milan, snp/Genoa, snp/Turin")?,
            ),
        };
        Ok(Self {
            platform,
            file: file.into(),
        })
    }
}

/// A product by AMD's name.
pub(crate) fn product(name: &str) -> Option<Product> {
    let mut all = Product::ALL.into_iter();
    all.find(|product| product.name().eq_ignore_ascii_case(name))
}

pub(crate) fn tdx(roots: &[RootOption]) -> Result<Option<Vec<u8>>, Failure> {
    of(roots, Platform::Tdx)
}

pub(crate) fn sgx(roots: &[RootOption]) -> Result<Option<Vec<u8>>, Failure> {
    of(roots, Platform::Sgx)
}

/// By its digest, as the verifier of Nitro knows roots.
pub(crate) fn nitro(roots: &[RootOption]) -> Result<Option<Digest<32>>, Failure> {
    let root = of(roots, Platform::Nitro)?;
    Ok(root.map(|der| Digest::from(<[u8; 32]>::from(Sha256::digest(der)))))
}

pub(crate) fn snp(roots: &[RootOption]) -> Result<Option<SnpRoot>, Failure> {
    for product in Product::ALL {
        if let Some(der) = of(roots, Platform::Snp(product))? {
            let root = SnpRoot::decode(&der);
            return root.map(Some).map_err(|error| {
                Failure::usage(format!("this is no root of {product}")).because(&error)
            });
        }
    }
    Ok(None)
}

fn of(roots: &[RootOption], platform: Platform) -> Result<Option<Vec<u8>>, Failure> {
    let Some(root) = roots.iter().find(|root| root.platform == platform) else {
        return Ok(None);
    };
    let bytes = source::read(&root.file, source::MAX_KEYS)?;
    if bytes.first() == Some(&0x30) {
        return Ok(Some(bytes));
    }
    let certificate = CertificateDer::from_pem_slice(&bytes)
        .map_err(|_| Failure::usage(format!("{}: it holds no certificate", root.file.display())))?;
    Ok(Some(certificate.to_vec()))
}
