//! Reports over the fake kernel: the rules of configfs-tsm, each error number, races, and entries that go away.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use atls_core::AttestError;
use atls_tsm::Attribute;
use atls_tsm::ConfigFs;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::TsmError;
use atls_tsm::TsmFs;
use atls_tsm::TsmRequest;
use atls_tsm::testing::FakeConfigFs;
use atls_tsm::testing::Forged;

#[test]
fn a_report_is_about_what_was_asked_and_leaves_nothing_behind() {
    let fs = echo(Provider::SevGuest);
    let report = tsm(&fs).report(&snp(&[7; 64])).unwrap();
    assert_eq!(report.outblob, [7; 64]);
    assert_eq!(report.auxblob, b"certificates");
    assert_eq!((fs.entries(), fs.made()), (0, 1));
}

#[test]
fn every_report_has_an_entry_of_its_own() {
    let fs = echo(Provider::SevGuest);
    let tsm = tsm(&fs);
    for byte in 0..5 {
        assert_eq!(tsm.report(&snp(&[byte; 64])).unwrap().outblob, [byte; 64]);
    }
    assert_eq!((fs.entries(), fs.made()), (0, 5));
}

#[test]
fn only_snp_has_an_auxblob() {
    for provider in [Provider::TdxGuest, Provider::ArmCcaGuest] {
        let fs = echo(provider);
        let report = tsm(&fs).report(&TsmRequest::new(provider, &[1; 64]));
        assert_eq!(report.unwrap().auxblob, b"");
    }
}

#[test]
fn a_length_that_the_device_does_not_take_is_refused() {
    for (provider, length, taken) in [
        (Provider::SevGuest, 0, false),
        (Provider::SevGuest, 63, false),
        (Provider::SevGuest, 64, true),
        (Provider::TdxGuest, 48, false),
        (Provider::TdxGuest, 64, true),
        (Provider::ArmCcaGuest, 31, false),
        (Provider::ArmCcaGuest, 32, true),
        (Provider::ArmCcaGuest, 64, true),
    ] {
        let fs = echo(provider);
        let inblob = vec![9; length];
        let outcome = tsm(&fs).report(&TsmRequest::new(provider, &inblob));
        match outcome {
            Ok(report) => assert!(taken && report.outblob == inblob, "{provider} {length}"),
            Err(error) => {
                assert!(!taken, "{provider} {length}");
                assert_eq!(error, TsmError::Invalid(Attribute::OutBlob));
            }
        }
        assert_eq!(fs.entries(), 0);
    }
    let fs = echo(Provider::SevGuest);
    let refused = tsm(&fs).report(&snp(&[0; 65])).unwrap_err();
    assert_eq!(refused, TsmError::TooLarge(Attribute::InBlob));
}

#[test]
fn another_device_than_was_asked_for_is_refused() {
    let fs = echo(Provider::TdxGuest);
    let refused = tsm(&fs).report(&snp(&[7; 64])).unwrap_err();
    assert_eq!(refused, TsmError::OtherProvider("tdx_guest".to_owned()));
    assert_eq!(tsm(&fs).provider(), Ok(Provider::TdxGuest));
    assert_eq!(fs.entries(), 0);

    let long = "x".repeat(100);
    let fs = Arc::new(FakeConfigFs::new(Provider::SevGuest, forged).with_provider_name(&long));
    let refused = tsm(&fs).provider().unwrap_err();
    assert_eq!(refused, TsmError::OtherProvider("x".repeat(32)));
}

#[test]
fn a_race_is_tried_again_and_then_an_error() {
    let fs = echo(Provider::SevGuest);
    fs.inject_races(2);
    let report = tsm(&fs).report(&snp(&[7; 64])).unwrap();
    assert_eq!(report.outblob, [7; 64], "never the other's report");
    assert_eq!((fs.entries(), fs.made()), (0, 3));

    fs.inject_races(3);
    let raced = tsm(&fs).report(&snp(&[7; 64])).unwrap_err();
    assert_eq!(raced, TsmError::Raced);
    assert_eq!((fs.entries(), fs.made()), (0, 6));
}

#[test]
fn a_race_is_seen_with_a_privilege_level_too() {
    let fs = echo(Provider::SevGuest);
    fs.inject_races(3);
    let request = snp(&[7; 64]).with_privilege_level(1);
    assert_eq!(tsm(&fs).report(&request), Err(TsmError::Raced));
}

#[test]
fn a_privilege_level_reaches_the_device() {
    let device = |inblob: &[u8], level| {
        Ok(Forged {
            outblob: [inblob, &[level]].concat(),
            auxblob: Vec::new(),
        })
    };
    let fs = Arc::new(FakeConfigFs::failing(Provider::SevGuest, device));
    for level in 0..=3 {
        let request = snp(&[7; 64]).with_privilege_level(level);
        assert_eq!(tsm(&fs).report(&request).unwrap().outblob[64], level);
    }
    let refused = tsm(&fs).report(&snp(&[7; 64]).with_privilege_level(4));
    assert_eq!(refused, Err(TsmError::Invalid(Attribute::PrivLevel)));
    assert_eq!(fs.entries(), 0);
}

#[test]
fn each_error_number_has_its_meaning_and_no_entry_stays_behind() {
    for (errno, meaning) in [
        (1, TsmError::Denied),
        (4, TsmError::Interrupted),
        (5, TsmError::Hypercall),
        (6, TsmError::NoProvider),
        (13, TsmError::Denied),
        (16, TsmError::Busy),
        (22, TsmError::Invalid(Attribute::OutBlob)),
        (27, TsmError::TooLarge(Attribute::OutBlob)),
        (110, TsmError::TimedOut),
        (
            12,
            TsmError::Io {
                attribute: Attribute::OutBlob,
                errno: Some(12),
            },
        ),
    ] {
        let fs = Arc::new(FakeConfigFs::failing(Provider::SevGuest, move |_, _| {
            Err(errno)
        }));
        assert_eq!(tsm(&fs).report(&snp(&[7; 64])), Err(meaning), "{errno}");
        assert_eq!(fs.entries(), 0, "{errno}");
    }
}

#[test]
fn an_error_at_any_step_leaves_no_entry_behind() {
    for attribute in [
        Attribute::AuxBlob,
        Attribute::Entry,
        Attribute::Generation,
        Attribute::InBlob,
        Attribute::OutBlob,
        Attribute::PrivLevel,
        Attribute::Provider,
    ] {
        let fs = echo(Provider::SevGuest);
        fs.fail_at(attribute, 5);
        let request = snp(&[7; 64]).with_privilege_level(0);
        assert_eq!(tsm(&fs).report(&request), Err(TsmError::Hypercall));
        assert_eq!(fs.entries(), 0, "{attribute}");
    }
}

#[test]
fn a_few_interruptions_are_nothing() {
    let fs = echo(Provider::SevGuest);
    fs.inject_errors(4, 5);
    assert_eq!(tsm(&fs).report(&snp(&[7; 64])).unwrap().outblob, [7; 64]);
    assert_eq!(fs.entries(), 0);
}

#[test]
fn a_blob_beyond_the_limit_is_refused() {
    let fs = Arc::new(FakeConfigFs::new(Provider::SevGuest, |_| Forged {
        outblob: vec![0; 256 * 1024 + 1],
        auxblob: Vec::new(),
    }));
    let refused = tsm(&fs).report(&snp(&[7; 64])).unwrap_err();
    assert_eq!(refused, TsmError::TooLarge(Attribute::OutBlob));
    let fs = Arc::new(FakeConfigFs::new(Provider::SevGuest, |_| Forged {
        outblob: vec![1],
        auxblob: vec![0; 17 * 1024 * 1024],
    }));
    let refused = tsm(&fs).report(&snp(&[7; 64])).unwrap_err();
    assert_eq!(refused, TsmError::TooLarge(Attribute::OutBlob), "EFBIG");
}

#[test]
fn an_empty_report_is_none() {
    let fs = Arc::new(FakeConfigFs::new(Provider::SevGuest, |_| Forged::default()));
    let refused = tsm(&fs).report(&snp(&[7; 64])).unwrap_err();
    assert_eq!(refused, TsmError::Malformed(Attribute::OutBlob));
}

#[test]
fn a_report_needs_configfs_and_a_provider() {
    let fs = Arc::new(FakeConfigFs::new(Provider::SevGuest, forged).without_provider());
    assert_eq!(tsm(&fs).provider(), Err(TsmError::NoProvider));
    let nowhere = Tsm::over(ConfigFs::at("/nonexistent/tsm/report"));
    assert_eq!(nowhere.provider(), Err(TsmError::NoConfigFs));
    assert_eq!(nowhere.report(&snp(&[7; 64])), Err(TsmError::NoConfigFs));
}

#[test]
fn the_fake_refuses_what_the_kernel_refuses() {
    let fs = echo(Provider::SevGuest);
    let errno = |outcome: std::io::Result<Vec<u8>>| outcome.unwrap_err().raw_os_error();
    fs.make("one").unwrap();
    assert_eq!(fs.make("one").unwrap_err().raw_os_error(), Some(17));
    assert_eq!(errno(fs.read("one", Attribute::OutBlob, 9)), Some(22));
    assert_eq!(errno(fs.read("two", Attribute::OutBlob, 9)), Some(2));
    assert_eq!(fs.read("one", Attribute::Generation, 9).unwrap(), b"0\n");
    fs.write("one", Attribute::InBlob, &[1; 64]).unwrap();
    assert_eq!(fs.read("one", Attribute::Generation, 9).unwrap(), b"1\n");
    assert_eq!(fs.read("one", Attribute::OutBlob, 64).unwrap(), [1; 64]);
    fs.remove("one").unwrap();
    assert_eq!(fs.remove("one").unwrap_err().raw_os_error(), Some(2));
}

/// The kernel's files on a disk: what can be tried of them without a kernel that makes attributes.
#[test]
fn the_real_file_system_writes_at_once_and_reads_within_limits() {
    let base = std::env::temp_dir().join(format!("atls-tsm-{}", std::process::id()));
    std::fs::create_dir_all(&base).unwrap();
    let fs = ConfigFs::at(&base);
    fs.make("entry").unwrap();
    assert_eq!(fs.make("entry").unwrap_err().raw_os_error(), Some(17));
    let inblob = base.join("entry").join("inblob");
    let outblob = base.join("entry").join("outblob");
    std::fs::write(&inblob, b"").unwrap();
    std::fs::write(&outblob, [3; 100]).unwrap();
    fs.write("entry", Attribute::InBlob, &[5; 64]).unwrap();
    assert_eq!(std::fs::read(&inblob).unwrap(), [5; 64]);
    assert_eq!(
        fs.read("entry", Attribute::OutBlob, 100).unwrap().len(),
        100
    );
    let beyond = fs.read("entry", Attribute::OutBlob, 10).unwrap();
    assert_eq!(beyond.len(), 11, "one more than the limit, and no further");
    std::fs::remove_file(inblob).unwrap();
    std::fs::remove_file(outblob).unwrap();
    fs.remove("entry").unwrap();
    std::fs::remove_dir(base).unwrap();
}

#[test]
fn errors_keep_their_meaning_for_the_attester() {
    assert_eq!(AttestError::from(TsmError::Busy), AttestError::Busy);
    assert_eq!(AttestError::from(TsmError::TimedOut), AttestError::TimedOut);
    assert_eq!(
        AttestError::from(TsmError::NoProvider),
        AttestError::Device(TsmError::NoProvider.to_string())
    );
}

/// Wants a TDX, SEV-SNP or CCA guest with Linux 6.7 or newer, and root.
#[test]
#[ignore = "wants a confidential guest"]
fn a_real_device_reports() {
    let tsm = Tsm::new();
    let provider = tsm.provider().unwrap();
    let report = tsm.report(&TsmRequest::new(provider, &[7; 64])).unwrap();
    assert!(!report.outblob.is_empty());
}

fn forged(inblob: &[u8]) -> Forged {
    Forged {
        outblob: inblob.to_vec(),
        auxblob: b"certificates".to_vec(),
    }
}

fn echo(provider: Provider) -> Arc<FakeConfigFs> {
    Arc::new(FakeConfigFs::new(provider, forged))
}

fn tsm(fs: &Arc<FakeConfigFs>) -> Tsm {
    Tsm::over(Arc::clone(fs))
}

fn snp(inblob: &[u8]) -> TsmRequest<'_> {
    TsmRequest::new(Provider::SevGuest, inblob)
}
