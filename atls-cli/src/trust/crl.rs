//! Revocation lists by argument.

use std::path::PathBuf;
use std::str::FromStr;

use atls_snp::Product;
use atls_snp::SigningKey;

use super::root;

/// `vcek/Milan=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CrlOption {
    pub(super) key: SigningKey,
    pub(super) product: Product,
    pub(super) file: PathBuf,
}

impl CrlOption {
    pub(super) fn file(&self) -> &PathBuf {
        &self.file
    }
}

impl FromStr for CrlOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (of, file) = text.split_once('=').ok_or("it has no `=`")?;
        let (key, product) = of.split_once('/').ok_or("write it as vcek/Milan=FILE")?;
        let key = match key {
            "vcek" => SigningKey::Vcek,
            "vlek" => SigningKey::Vlek,
            _ => return Err("the keys are vcek and vlek".to_owned()),
        };
        let product = root::product(product).ok_or("the products are Milan, Genoa and Turin")?;
        Ok(Self {
            key,
            product,
            file: file.into(),
        })
    }
}
