//! Any bytes as Evidence of a realm and of a device. Nothing that the forger of this process did not sign may be accepted.
#![no_main]

use std::future::Future;
use std::sync::OnceLock;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use atls_cca::CcaVerifier;
use atls_cca::PsaVerifier;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedPsa;
use atls_core::pki_types::UnixTime;
use libfuzzer_sys::fuzz_target;

struct Setting {
    realm: CcaVerifier,
    device: PsaVerifier,
}

fuzz_target!(|bytes: &[u8]| {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    let setting = SETTING.get_or_init(|| {
        // The keys are made now, so no seed is under them.
        let provider = rustls::crypto::ring::default_provider();
        Setting {
            realm: ForgedCca::new().verifier(&provider),
            device: ForgedPsa::new().verifier(&provider),
        }
    });
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
    assert!(ready(setting.realm.appraise_recorded(bytes, now)).is_err());
    assert!(ready(setting.device.appraise_recorded(bytes, now)).is_err());
});

fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}
