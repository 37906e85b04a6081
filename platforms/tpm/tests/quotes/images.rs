//! Registers and events against the images of the policy.

use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::TcgLogWriter;
use atls_tpm::ImaRule;
use atls_tpm::Measurement;
use atls_tpm::TpmEvent;
use atls_tpm::TpmImage;
use atls_tpm::TpmPolicy;
use atls_tpm::testing::ForgedTpm;
use atls_tpm::testing::KERNEL;
use atls_tpm::testing::secure_boot;

use crate::setting::Setting;
use crate::setting::log_with_command_line;
use crate::support::pcr;

#[test]
fn a_register_with_another_value_is_contraindicated() {
    let mut setting = Setting::new();
    setting.forged.log = ForgedTpm::log().measured(4, 4, b"one more");
    assert_eq!(setting.appraised(), (Tier::Contraindicated, 33));
}

#[test]
fn a_register_that_is_not_quoted_is_contraindicated() {
    let mut setting = Setting::new();
    setting.forged.quoting(HashAlgorithm::Sha256, &[0, 7]);
    assert_eq!(setting.appraised(), (Tier::Contraindicated, 33));
}

#[test]
fn a_register_that_must_be_unmeasured_is_quoted_and_holds_what_a_reset_leaves() {
    let mut setting = Setting::new();
    let mut image = ForgedTpm::image();
    image.unmeasured = [pcr(9), pcr(12)].into();
    setting.policy = TpmPolicy::new(vec![image]);
    assert_eq!(setting.appraised(), (Tier::Contraindicated, 33));
    setting
        .forged
        .quoting(HashAlgorithm::Sha256, &[0, 4, 7, 9, 12]);
    assert_eq!(setting.appraised(), (Tier::Affirming, 3));
    setting.forged.log = ForgedTpm::log().measured(12, 0xd, b"init=/bin/sh");
    assert_eq!(setting.appraised(), (Tier::Contraindicated, 33));
}

#[test]
fn the_bank_is_the_one_of_the_policy() {
    let mut setting = Setting::new();
    let image = &mut setting.policy.images[0];
    let value = Measurement::new(&[1; 48]).unwrap();
    image.bank = HashAlgorithm::Sha384;
    image.pcr = [(pcr(4), value)].into();
    assert_eq!(setting.appraised(), (Tier::Contraindicated, 33));
}

#[test]
fn one_image_must_match_in_everything() {
    let mut setting = Setting::new();
    let (good, other) = (ForgedTpm::image(), Measurement::new(&[1; 32]).unwrap());
    let mut one = good.clone();
    one.name = "one".to_owned();
    one.pcr.insert(pcr(7), other.clone());
    let mut two = TpmImage::measured("two", [(pcr(4), other)]);
    two.pcr
        .insert(pcr(7), Measurement::new(ForgedTpm::log().value(7)).unwrap());
    setting.policy = TpmPolicy::new(vec![one.clone(), two.clone()]);
    assert_eq!(setting.appraised(), (Tier::Contraindicated, 33));
    setting.policy = TpmPolicy::new(vec![one, two, good]);
    assert_eq!(setting.appraised(), (Tier::Affirming, 3));
    assert_eq!(setting.claims().image.as_deref(), Some("forged"));
}

#[test]
fn events_are_those_that_an_image_lists() {
    let event = |name: &str, index, digest: &[u8]| {
        TpmEvent::required(name, pcr(index), Measurement::new(digest).unwrap())
    };
    let variable = HashAlgorithm::Sha256.digest(&[&secure_boot(1)]);
    let kernel = event("kernel", 4, &KERNEL);
    let boot = event("secure boot", 7, &variable);
    let absent = event("absent", 4, &[9; 32]);
    let mut optional = absent.clone();
    optional.optional = true;
    let appraise = |events: &[&TpmEvent], change: &dyn Fn(&mut Setting)| {
        let mut setting = Setting::new();
        let image = &mut setting.policy.images[0];
        image.pcr.clear();
        image.events = events.iter().map(|event| (*event).clone()).collect();
        change(&mut setting);
        setting.appraised()
    };
    let affirmed = (Tier::Affirming, 3);
    let refused = (Tier::Contraindicated, 33);
    let unchanged: &dyn Fn(&mut Setting) = &|_| {};
    assert_eq!(appraise(&[&kernel], unchanged), affirmed);
    assert_eq!(appraise(&[&kernel, &boot], unchanged), affirmed);
    assert_eq!(appraise(&[&kernel, &optional], unchanged), affirmed);
    assert_eq!(appraise(&[&kernel, &absent], unchanged), refused);
    let misplaced = event("kernel", 5, &KERNEL);
    let elsewhere = appraise(&[&kernel, &misplaced], unchanged);
    assert_eq!(elsewhere, refused, "not quoted");
    // Software that runs later may extend anything: an event that is not listed is no known state.
    let more = |setting: &mut Setting| {
        setting.forged.log = ForgedTpm::log().event(4, 13, &[8; 32], b"");
    };
    assert_eq!(appraise(&[&kernel], &more), refused);
    // A log that does not lead to the register says nothing about it.
    let unlike = |setting: &mut Setting| {
        setting.forged.log = ForgedTpm::log().event(4, 13, &[8; 32], b"");
        setting.log = Some(ForgedTpm::log().bytes().to_vec());
    };
    assert_eq!(appraise(&[&kernel], &unlike), refused);
    let none = |setting: &mut Setting| setting.log = Some(Vec::new());
    assert_eq!(appraise(&[&kernel], &none), refused, "without a log");
}

#[test]
fn an_image_without_boot_code_says_nothing_of_executables() {
    let mut setting = Setting::new();
    let image = &mut setting.policy.images[0];
    image.dangerous_any_boot_code = true;
    image.pcr = [(pcr(7), Measurement::new(ForgedTpm::log().value(7)).unwrap())].into();
    let (_, executables) = setting.appraised();
    assert_eq!(executables, 0);
}

#[test]
fn files_are_those_that_an_image_allows() {
    let line = |path: &str, digest: &str| {
        format!(
            "10 {} ima-ng sha256:{} {path}\n",
            "09".repeat(20),
            digest.repeat(32)
        )
    };
    let appraise = |lines: &[(&str, &str)]| {
        let mut setting = Setting::new();
        let list: String = lines
            .iter()
            .map(|(path, digest)| line(path, digest))
            .collect();
        let extend = |log: TcgLogWriter, (path, digest): &(&str, &str)| {
            let digest = u8::from_str_radix(digest, 16).unwrap();
            let field = [&b"sha256:\0"[..], &[digest; 32]].concat();
            let path = [path.as_bytes(), &[0]].concat();
            let sized = |bytes: &[u8]| {
                [
                    &u32::try_from(bytes.len()).unwrap().to_le_bytes()[..],
                    bytes,
                ]
                .concat()
            };
            log.measured(10, 0, &[sized(&field), sized(&path)].concat())
        };
        let boot = log_with_command_line();
        setting.log = Some(boot.bytes().to_vec());
        setting.forged.log = lines.iter().fold(boot, extend);
        setting.forged.quoting(HashAlgorithm::Sha256, &[4, 8, 10]);
        setting.pin_command_line();
        setting.forged.ima_log = Some(list.into_bytes());
        let allowed = Measurement::new(&[0xaa; 32]).unwrap();
        setting.policy.images[0].ima = Some(ImaRule::allowing([allowed]));
        (setting.appraised().0, setting.claim(Category::FileSystem))
    };
    let affirmed = (Tier::Affirming, 2);
    let refused = (Tier::Contraindicated, 0);
    assert_eq!(
        appraise(&[("boot_aggregate", "01"), ("/init", "aa")]),
        affirmed
    );
    assert_eq!(
        appraise(&[("boot_aggregate", "01"), ("/init", "bb")]),
        refused
    );
    // A file that calls itself so.
    let named = [("boot_aggregate", "01"), ("boot_aggregate", "bb")];
    assert_eq!(appraise(&named), refused);
    assert_eq!(appraise(&[("/first", "bb"), ("/init", "aa")]), refused);
    assert_eq!(appraise(&[]), refused, "an empty list");
    // IMA without a policy of its own measures no file.
    let aggregate = [("boot_aggregate", "01")];
    assert_eq!(appraise(&aggregate), refused, "no file");
    assert_eq!(appraise(&[("/init", "aa")]), affirmed, "no aggregate");
}

/// The kernel extends ones where a file changed while it was measured. Nothing is known of it then.
#[test]
fn a_measurement_that_failed_is_no_allowed_file() {
    let mut setting = Setting::new();
    setting.log = Some(log_with_command_line().bytes().to_vec());
    setting.forged.log = log_with_command_line().event(10, 0, &[0xff; 32], b"");
    setting.forged.quoting(HashAlgorithm::Sha256, &[4, 8, 10]);
    setting.pin_command_line();
    let (sha1, digest) = ("00".repeat(20), "aa".repeat(32));
    let list = format!("10 {sha1} ima-ng sha256:{digest} boot_aggregate\n");
    setting.forged.ima_log = Some(list.into_bytes());
    assert_eq!(setting.claims().files.len(), 1, "explained");
    let allowed = Measurement::new(&[0xaa; 32]).unwrap();
    setting.policy.images[0].ima = Some(ImaRule::allowing([allowed]));
    assert_eq!(setting.appraised().0, Tier::Contraindicated);
}
