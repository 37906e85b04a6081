//! Any bytes as Evidence of a realm, of a device and of a simulator. Nothing that the forger of this process did not sign may be accepted.
#![no_main]

use std::sync::OnceLock;

use atls_cca::CcaVerifier;
use atls_cca::PsaVerifier;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedPsa;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use test_support::at;
use test_support::ready;

struct Setting {
    realm: CcaVerifier,
    device: PsaVerifier,
    simulator: SimVerifier,
}

atls_fuzz::target!(|bytes: &[u8]| {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    let setting = SETTING.get_or_init(|| {
        // The keys are made now, so no seed is under them.
        let provider = rustls::crypto::ring::default_provider();
        Setting {
            realm: ForgedCca::new().verifier(&provider),
            device: ForgedPsa::new().verifier(&provider),
            simulator: SimVerifier::new(SimAttester::generate().expect("a device").trust_anchor()),
        }
    });
    assert!(ready(setting.realm.appraise_recorded(bytes, at(NOW))).is_err());
    assert!(ready(setting.device.appraise_recorded(bytes, at(NOW))).is_err());
    assert!(ready(setting.simulator.appraise_recorded(bytes, at(NOW))).is_err());
});

const NOW: u64 = 1_800_000_000;
