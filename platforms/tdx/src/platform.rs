//! The platform under a TD or enclave, as far as it decides which collateral a quote needs.

use atls_formats::dcap::Quote;
use atls_formats::dcap::Tee;
use dcap_qvl::intel::PckExtension;

use crate::error::QuoteError;

/// The platform by which collateral is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(
    clippy::exhaustive_structs,
    reason = "Intel's service is asked by these, and a source must look at all of them"
)]
pub struct Platform {
    /// SGX and TDX have collateral of their own.
    pub tee: Tee,
    /// Family, model, stepping, platform type and custom SKU: 6 bytes.
    pub fmspc: [u8; 6],
    /// The issuer of the PCK certificate, and hence of its revocation list.
    pub ca: PckCa,
}

impl Platform {
    /// The platform that a quote claims. It serves to look up collateral at hand; nothing of it is verified.
    ///
    /// # Errors
    /// [`QuoteError::Malformed`] where the PCK certificate does not parse.
    pub(crate) fn claimed_by(quote: &Quote<'_>) -> Result<Self, QuoteError> {
        let leaf = pck_certificate(quote)?;
        let ca = dcap_qvl::intel::pck_ca(leaf).map_err(|_| QuoteError::PCK_CERTIFICATE)?;
        Ok(Self {
            tee: quote.tee(),
            fmspc: pck_extension(quote)?.fmspc,
            ca: match ca {
                dcap_qvl::config::PckCa::Platform => PckCa::Platform,
                dcap_qvl::config::PckCa::Processor => PckCa::Processor,
            },
        })
    }
}

/// The SGX extension of the quote's PCK certificate.
///
/// # Errors
/// [`QuoteError::Malformed`] where it does not parse.
pub(crate) fn pck_extension(quote: &Quote<'_>) -> Result<PckExtension, QuoteError> {
    dcap_qvl::intel::parse_pck_extension(pck_certificate(quote)?)
        .map_err(|_| QuoteError::PCK_CERTIFICATE)
}

fn pck_certificate<'a>(quote: &'a Quote<'_>) -> Result<&'a [u8], QuoteError> {
    let leaf = quote.chain.first();
    Ok(leaf.ok_or(QuoteError::PCK_CERTIFICATE)?)
}

/// Intel's two issuers of PCK certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "Intel has these two")]
pub enum PckCa {
    /// Platforms with several packages, which registered with Intel.
    Platform,
    /// Platforms with one package.
    Processor,
}

impl PckCa {
    /// As in Intel's URLs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Processor => "processor",
        }
    }
}

/// A platform whose quote verified up to the root, apart from revocation and TCB. Nothing is fetched for any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedPlatform {
    platform: Platform,
}

impl VerifiedPlatform {
    /// For the verification of the signatures of a quote alone.
    pub(crate) fn new(platform: Platform) -> Self {
        Self { platform }
    }

    /// The platform by which its collateral is found.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::ForgedPlatform;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        /// The certificate is parsed before its signature is verified.
        #[test]
        fn a_hostile_certificate_never_panics(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
            cut in any::<prop::sample::Index>(),
        ) {
            static QUOTE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
                let platform = ForgedPlatform::new(1_800_000_000).unwrap();
                platform.tdx_quote(&platform.td_report(), &[0; 64]).unwrap()
            });
            let mut quote = Quote::decode(&QUOTE, Tee::Tdx).unwrap();
            let leaf = &mut quote.chain[0];
            for (at, byte) in changes {
                let at = at.index(leaf.len());
                leaf[at] = byte;
            }
            let _ = Platform::claimed_by(&quote);
            let length = cut.index(quote.chain[0].len());
            quote.chain[0].truncate(length);
            prop_assert!(Platform::claimed_by(&quote).is_err());
        }
    }
}
