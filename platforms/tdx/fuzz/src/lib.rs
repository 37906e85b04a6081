//! A good quote, the verifier that affirms it, and a poll for what never waits.

use std::sync::Arc;
use std::sync::LazyLock;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use atls_core::pki_types::UnixTime;
use atls_reference::Live;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;

pub static GOOD: LazyLock<(TdxVerifier, Vec<u8>)> = LazyLock::new(|| {
    let platform = ForgedPlatform::new(NOW).expect("platform");
    let report = platform.td_report();
    let image = TdxImage {
        mrtd_covers_all: true,
        ..TdxImage::new("forged", report.mrtd)
    };
    let policy = Live::fixed(TdxPolicy::up_to_date(vec![image])).expect("policy");
    let collateral = platform.collateral(Tee::Tdx).expect("collateral");
    let verifier = TdxVerifier::dangerous_with_root(
        platform.root(),
        Arc::new(policy),
        Arc::new(SuppliedCollateral::new([collateral])),
    );
    let quote = platform.tdx_quote(&report, &[0; 64]).expect("quote");
    (verifier, quote)
});

pub fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(NOW))
}

pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// Midnight, as forged revocation lists have dates of whole days.
const NOW: u64 = 20_833 * 24 * 60 * 60;
