//! Firmware and counters.

use atls_core::ear::Category;
use atls_core::ear::Tier;

use crate::setting::Setting;

#[test]
fn firmware_is_as_new_as_asked_and_not_obfuscated() {
    let appraise = |least: u64, change: &dyn Fn(&mut Setting)| {
        let mut setting = Setting::new();
        setting.policy.min_firmware = Some(least.to_be_bytes().into());
        change(&mut setting);
        let (status, _) = setting.appraised();
        (status, setting.claim(Category::Hardware))
    };
    let version = Setting::new().forged.attest.firmware_version;
    assert_eq!(appraise(version, &|_| {}), (Tier::Affirming, 0));
    let refused = (Tier::Contraindicated, 96);
    assert_eq!(appraise(version + 1, &|_| {}), refused);
    let elsewhere = |setting: &mut Setting| setting.forged.attest.qualified_signer[10] ^= 1;
    assert_eq!(appraise(version, &elsewhere), refused);
}

#[test]
fn counters_are_those_of_the_boot_that_is_meant() {
    let appraise = |change: &dyn Fn(&mut Setting)| {
        let mut setting = Setting::new();
        change(&mut setting);
        let (status, _) = setting.appraised();
        (status, setting.claim(Category::Configuration))
    };
    let good = (Tier::Affirming, 0);
    let refused = (Tier::Contraindicated, 96);
    let reset = |count| move |setting: &mut Setting| setting.trusted.reset_count = Some(count);
    assert_eq!(appraise(&reset(1)), good);
    assert_eq!(appraise(&reset(0)), refused);
    assert_eq!(appraise(&reset(2)), refused);
    let restarted = |least, most| {
        move |setting: &mut Setting| {
            setting.forged.attest.clock.restart_count = least;
            setting.policy.max_restarts = Some(most);
        }
    };
    assert_eq!(appraise(&restarted(0, 0)), good);
    assert_eq!(appraise(&restarted(2, 2)), good);
    assert_eq!(appraise(&restarted(1, 0)), refused);
    let safe = |is_safe| {
        move |setting: &mut Setting| {
            setting.forged.attest.clock.is_safe = is_safe;
            setting.policy.safe_clock = true;
        }
    };
    assert_eq!(appraise(&safe(true)), good);
    assert_eq!(appraise(&safe(false)), refused);
    // Where they are obfuscated they prove nothing, whatever they are.
    let (reset, restarted) = (reset(1), restarted(0, 0));
    let asking: [&dyn Fn(&mut Setting); 2] = [&reset, &restarted];
    for asks in asking {
        let obfuscated = |setting: &mut Setting| {
            asks(setting);
            setting.forged.attest.qualified_signer[10] ^= 1;
        };
        assert_eq!(appraise(&obfuscated), refused);
    }
}
