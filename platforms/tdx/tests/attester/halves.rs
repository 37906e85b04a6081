//! The attester and the verifier of these tests.

use std::sync::Arc;

use atls_core::PeerAttestation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_tdx::CollateralSource;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdReport;
use atls_tdx::TdxAttester;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::testing::FakeConfigFs;
use atls_tsm::testing::Forged;
use test_support::Connection;
use test_support::at;
use test_support::ready;

use crate::support::NOW;
use crate::support::policy;
use crate::support::td_verifier;

/// An attester on a forged machine, whose kernel pads quotes as Google's do.
pub(crate) fn attester(platform: &Arc<ForgedPlatform>, report: &TdReport) -> TdxAttester {
    let (platform, report) = (platform.clone(), report.clone());
    let device = FakeConfigFs::new(Provider::TdxGuest, move |inblob| {
        let mut quote = platform
            .tdx_quote(&report, inblob.try_into().unwrap())
            .unwrap();
        quote.resize(8_000, 0);
        Forged {
            outblob: quote,
            auxblob: Vec::new(),
        }
    });
    TdxAttester::over(Tsm::over(device)).unwrap().unwrap()
}

pub(crate) fn verifier(
    platform: &ForgedPlatform,
    report: &TdReport,
    source: impl CollateralSource + 'static,
) -> Arc<TdxVerifier> {
    Arc::new(td_verifier(platform, policy(report), Arc::new(source)))
}

pub(crate) fn supplied(platform: &ForgedPlatform) -> SuppliedCollateral {
    SuppliedCollateral::new([platform.collateral(Tee::Tdx).unwrap()])
}

/// The forger's root is nobody's, so the policy must accept simulated peers.
pub(crate) fn accept(
    verifier: Arc<TdxVerifier>,
    attester: &mut TdxAttester,
) -> Result<PeerAttestation, Refusal> {
    let party = RelyingParty::builder()
        .verifier(verifier)
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    let party = party.build().unwrap();
    let credential = Connection::sha384().credential(attester);
    ready(party.appraise(credential, at(NOW)))
}
