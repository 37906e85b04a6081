//! The trusted root.

use atls_core::Origin;
use dcap_qvl::verify::QuoteVerifier;
use ring::digest;

use crate::chain::Chain;
use crate::error::QuoteError;

/// The root of every chain, known by its digest: each chain brings the certificate itself along.
#[derive(Clone)]
pub(crate) struct Root {
    sha256: [u8; 32],
    /// `None` for Intel's, which the DCAP library brings along.
    other: Option<Vec<u8>>,
    origin: Origin,
}

impl Root {
    pub(crate) fn intel() -> Self {
        Self {
            sha256: INTEL_SGX_ROOT_CA,
            other: None,
            origin: Origin::Device,
        }
    }

    /// Another root, in DER. Anybody may have its key, so its results are of a simulator.
    pub(crate) fn other(der: Vec<u8>) -> Self {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest::digest(&digest::SHA256, &der).as_ref());
        Self {
            sha256,
            other: Some(der),
            origin: Origin::Simulated,
        }
    }

    /// The origin of results under this root.
    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    /// The verifier of the DCAP library under this root. By default the library refuses debug and service TDs without
    /// a result; here they get a result, which tells of them.
    pub(crate) fn verifier(&self) -> QuoteVerifier {
        match &self.other {
            None => QuoteVerifier::new_prod(),
            Some(der) => QuoteVerifier::new(der.clone()),
        }
        .allow_debug(true)
        .allow_service_td(true)
    }

    /// Splits a chain, leaf first, from the root at its end.
    ///
    /// # Errors
    /// [`QuoteError::BadSignature`] unless the last certificate is this root, byte for byte.
    pub(crate) fn split<'a>(&self, chain: &'a [Vec<u8>]) -> Result<Chain<'a>, QuoteError> {
        let (root, others) = chain.split_last().ok_or(QuoteError::BadSignature)?;
        if digest::digest(&digest::SHA256, root).as_ref() != self.sha256 {
            return Err(QuoteError::BadSignature);
        }
        Ok(Chain::new(others, root))
    }
}

/// SHA-256 of the DER of `CN=Intel SGX Root CA`, the root of SGX and TDX alike.
const INTEL_SGX_ROOT_CA: [u8; 32] = [
    0x44, 0xa0, 0x19, 0x6b, 0x2b, 0x99, 0xf8, 0x89, 0xb8, 0xe1, 0x49, 0xe9, 0x5b, 0x80, 0x7a, 0x35,
    0x0e, 0x74, 0x24, 0x96, 0x43, 0x99, 0xe8, 0x85, 0xa7, 0xcb, 0xb8, 0xcc, 0xfa, 0xb6, 0x74, 0xd3,
];
