//! Logs, and Secure Boot, which a log proves.

use atls_core::AppraisalError;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::PcrSelection;
use atls_formats::tpm::PcrSet;
use atls_formats::tpm::TcgLogWriter;
use atls_formats::tpm::TpmEvidence;
use atls_tpm::Measurement;
use atls_tpm::testing::ForgedTpm;
use atls_tpm::testing::KERNEL;
use atls_tpm::testing::secure_boot;

use crate::setting::Setting;
use crate::support::pcr;

#[test]
fn a_log_that_nothing_asks_for_may_be_absent_and_may_not_be_malformed() {
    let setting = Setting::new();
    let mut evidence = setting.evidence();
    evidence.tcg_log = None;
    assert!(setting.appraise(&evidence).is_ok());
    evidence.tcg_log = Some(b"log".to_vec());
    assert_eq!(setting.refusal(&evidence), AppraisalError::Malformed);
    evidence.tcg_log = None;
    evidence.ima_log = Some(b"list".to_vec());
    // Register 10 is not quoted, so nobody looks at the list.
    assert!(setting.appraise(&evidence).is_ok());
}

#[test]
fn what_nothing_hashes_is_no_claim() {
    let mut setting = Setting::new();
    setting.forged.log = ForgedTpm::log();
    let genuine = setting.claims().events;
    let log = ForgedTpm::log().bytes().to_vec();
    let place = log.windows(6).position(|bytes| bytes == b"kernel").unwrap();
    let mut renamed = log;
    renamed[place] = b'K';
    setting.log = Some(renamed);
    assert_eq!(setting.claims().events, genuine);
    let kernel = genuine.iter().find(|event| event.digest == KERNEL).unwrap();
    assert_eq!(kernel.measured, None);
    let firmware = genuine.iter().find(|event| event.pcr == 0).unwrap();
    assert_eq!(firmware.measured.as_deref(), Some(&b"firmware"[..]));
}

#[test]
fn secure_boot_is_proved_by_the_first_event_of_its_register() {
    let appraise = |change: &dyn Fn(&mut Setting)| {
        let mut setting = Setting::new();
        setting.policy.secure_boot = true;
        change(&mut setting);
        let (status, _) = setting.appraised();
        (status, setting.claim(Category::Configuration))
    };
    assert_eq!(appraise(&|_| {}), (Tier::Affirming, 2));
    let refused = (Tier::Contraindicated, 96);
    let boot = |log: TcgLogWriter| log.event(4, 0x8000_0003, &KERNEL, b"kernel");
    let log = || TcgLogWriter::new(HashAlgorithm::Sha256);
    let off = boot(log().measured(7, 0x8000_0001, &secure_boot(0)));
    // An operating system says so later: whoever runs may extend anything.
    let later = boot(log().measured(7, 0x8000_0001, &secure_boot(0)).measured(
        7,
        0x8000_0001,
        &secure_boot(1),
    ));
    for log in [boot(log()), off, later] {
        let change = |setting: &mut Setting| setting.forged.log = log.clone();
        assert_eq!(appraise(&change), refused);
    }
    let none = |setting: &mut Setting| setting.log = Some(Vec::new());
    assert_eq!(appraise(&none), refused);
    let not_quoted = |setting: &mut Setting| setting.forged.quoting(HashAlgorithm::Sha256, &[0, 4]);
    assert_eq!(appraise(&not_quoted), refused);
    assert_eq!(
        Setting::new().claim(Category::Configuration),
        0,
        "not asked"
    );
}

/// Firmware that leaves a bank unmeasured lets whoever runs later measure any boot into it (CVE-2021-42299).
#[test]
fn secure_boot_in_another_bank_than_that_of_the_image_proves_nothing() {
    let mut setting = Setting::new();
    setting.policy.secure_boot = true;
    let mut other = ForgedTpm::image();
    other.bank = HashAlgorithm::Sha384;
    other.pcr = [(pcr(4), Measurement::new(&[1; 48]).unwrap())].into();
    setting.policy.images.push(other);
    let measured = TcgLogWriter::new(HashAlgorithm::Sha256)
        .measured(7, 0x8000_0001, &secure_boot(0))
        .event(4, 0x8000_0003, &KERNEL, b"kernel");
    let forged = TcgLogWriter::new(HashAlgorithm::Sha384).measured(7, 0x8000_0001, &secure_boot(1));
    let selection = |bank, pcrs: &[u8]| PcrSelection {
        bank,
        pcrs: PcrSet::of(pcrs.iter().copied()).unwrap(),
    };
    let pcrs = [measured.value(4), measured.value(7), forged.value(7)].concat();
    let mut attest = setting.forged.attest(&setting.expected());
    attest.selections = vec![
        selection(HashAlgorithm::Sha256, &[4, 7]),
        selection(HashAlgorithm::Sha384, &[7]),
    ];
    attest.pcr_digest = HashAlgorithm::Sha256.digest(&[&pcrs]);
    let evidence = TpmEvidence {
        pcrs,
        tcg_log: Some(forged.bytes().to_vec()),
        ..setting.forged.seal(&attest.encode().unwrap())
    };
    let appraised = setting.appraise(&evidence).unwrap();
    assert_eq!(appraised.image(), Some("forged"));
    assert_eq!(appraised.ear().status(), Tier::Contraindicated);
}
