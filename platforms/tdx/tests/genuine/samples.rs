//! Genuine quotes, with the collateral of their time.

use std::path::Path;

use atls_core::RecordedAppraisal;
use atls_reference::Digest;
use atls_tdx::Collateral;
use atls_tdx::Pin;
use atls_tdx::QuoteError;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use test_support::at;
use test_support::ready;

/// A recorded TD quote, the place of its body, and the time in which its collateral serves.
pub(crate) struct Sample {
    pub(crate) quote: Vec<u8>,
    pub(crate) collateral: Collateral,
    pub(crate) body: usize,
    pub(crate) from: u64,
    pub(crate) until: u64,
}

/// 2025-06-19T10:32:27Z to 2025-07-19T10:00:35Z.
pub(crate) fn v4(folder: &Path) -> Sample {
    Sample::json(
        folder,
        "tdx/v4-td10-dcapqvl",
        48,
        1_750_329_147,
        1_752_919_235,
    )
}

impl Sample {
    pub(crate) fn json(folder: &Path, name: &str, body: usize, from: u64, until: u64) -> Self {
        let json = folder.join(format!("{name}.collateral.json"));
        Self {
            quote: std::fs::read(folder.join(format!("{name}.quote"))).unwrap(),
            collateral: Collateral::from_json(&std::fs::read_to_string(json).unwrap()).unwrap(),
            body,
            from,
            until,
        }
    }

    pub(crate) fn measurement(&self, offset: usize) -> Digest<48> {
        let at = self.body + offset;
        Digest::from(<[u8; 48]>::try_from(&self.quote[at..at + 48]).unwrap())
    }

    pub(crate) fn report_data(&self) -> [u8; 64] {
        let at = self.body + 520;
        self.quote[at..at + 64].try_into().unwrap()
    }

    /// A policy that knows every measurement of the quote.
    pub(crate) fn policy(&self) -> TdxPolicy {
        TdxPolicy::up_to_date(vec![TdxImage {
            rtmr0: Some(self.measurement(328)),
            rtmr1: Some(self.measurement(376)),
            rtmr2: Some(self.measurement(424)),
            rtmr3: Some(self.measurement(472)),
            mrconfigid: Pin::Value(self.measurement(184)),
            ..TdxImage::new("sample", self.measurement(136))
        }])
    }

    pub(crate) fn verifier(&self) -> TdxVerifier {
        let mut policy = self.policy();
        if self.measurement(184).is_zero() {
            policy.images[0].mrconfigid = Pin::Zero;
        }
        crate::support::intel(policy, self.collateral.clone())
    }

    pub(crate) fn appraise(&self, quote: &[u8], now: u64) -> Result<RecordedAppraisal, QuoteError> {
        ready(self.verifier().appraise_quote(quote, &[], at(now)))
    }
}

impl Sample {
    pub(crate) fn policy_zero(&self) -> TdxPolicy {
        let mut policy = self.policy();
        policy.images[0].mrconfigid = Pin::Zero;
        policy
    }
}
