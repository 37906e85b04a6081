//! Forged quotes through the real verifier: good, altered, truncated, replayed, under other keys and policies.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Origin;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_core::policy::Candidate;
use atls_formats::tpm::Attributes;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::PcrSelection;
use atls_formats::tpm::PcrSet;
use atls_formats::tpm::Scheme;
use atls_formats::tpm::TcgLogWriter;
use atls_formats::tpm::TpmEvidence;
use atls_formats::tpm::qualifying_data;
use atls_reference::Live;
use atls_tpm::AttestationKey;
use atls_tpm::AttestationKeyError;
use atls_tpm::ImaRule;
use atls_tpm::Measurement;
use atls_tpm::TpmClaims;
use atls_tpm::TpmEvent;
use atls_tpm::TpmImage;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::TrustedKey;
use atls_tpm::testing::ForgedTpm;
use atls_tpm::testing::KERNEL;
use atls_tpm::testing::secure_boot;
use proptest::prelude::*;
use rustls::CipherSuite;

use support::Connection;
use support::at;
use support::pcr;
use support::ready;

#[test]
fn a_quote_is_affirmed_from_device_to_handler() {
    for suite in SUITES {
        let mut setting = Setting::of(suite);
        let credential = setting.connection.credential(&mut setting.forged);
        let party = RelyingParty::builder()
            .verifier(Arc::new(setting.verifier()))
            .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
        let peer = ready(party.build().unwrap().appraise(credential, at())).unwrap();
        assert_eq!(peer.status(), Tier::Affirming);
        let claims = peer.claims::<TpmClaims>().unwrap();
        assert_eq!(claims.key, "forged");
        assert_eq!(claims.image.as_deref(), Some("forged"));
        assert_eq!(claims.clock.reset_count, 1);
        assert!(claims.has_plain_counters && claims.shows_secure_boot);
        let register = claims.pcr(HashAlgorithm::Sha256, 4);
        assert_eq!(register, Some(ForgedTpm::log().value(4)));
        assert_eq!(claims.pcr(HashAlgorithm::Sha256, 5), None, "not quoted");
        assert_eq!(claims.pcr(HashAlgorithm::Sha384, 4), None, "not quoted");
    }
}

/// As docs/platforms/tpm.md has it: who demands encrypted memory gets no TPM, however good its boot is.
#[test]
fn a_policy_that_demands_encrypted_memory_refuses_every_tpm() {
    let mut setting = Setting::new();
    let credential = setting.connection.credential(&mut setting.forged);
    let is_encrypted = |peer: &Candidate| {
        let mut items = peer.items().iter().flat_map(|item| item.ear().submods());
        let opaque =
            |appraisal: &Appraisal| appraisal.vector().get(Category::RuntimeOpaque).value();
        match items.all(|(_, appraisal)| opaque(appraisal) == 2) {
            true => Ok(()),
            false => Err(PolicyViolation::custom("memory is not encrypted")),
        }
    };
    let policy = Live::fixed(setting.policy.clone()).unwrap();
    let verifier = TpmVerifier::new(Arc::new(policy), setting.keys(), &provider());
    let party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .policy(is_encrypted);
    let refusal = ready(party.build().unwrap().appraise(credential, at())).unwrap_err();
    let expected = PolicyViolation::custom("memory is not encrypted");
    assert_eq!(refusal, Refusal::Policy(expected));
}

#[test]
fn keys_of_software_are_simulated_and_refused_by_default() {
    let mut setting = Setting::new();
    let appraised = setting.appraise(&setting.evidence()).unwrap();
    assert_eq!(appraised.origin(), Origin::Simulated);
    let credential = setting.connection.credential(&mut setting.forged);
    let party = RelyingParty::builder().verifier(Arc::new(setting.verifier()));
    let refusal = ready(party.build().unwrap().appraise(credential, at())).unwrap_err();
    assert_eq!(refusal, Refusal::Policy(PolicyViolation::Simulated));
}

#[test]
fn keys_of_devices_are_of_devices() {
    let setting = Setting::new();
    let (keys, policy) = (
        setting.keys(),
        Arc::new(Live::fixed(setting.policy.clone()).unwrap()),
    );
    let verifier = TpmVerifier::new(policy, keys, &provider());
    let evidence = setting.evidence().encode().unwrap();
    let appraised = setting.connection.appraise(&verifier, &evidence).unwrap();
    assert_eq!(appraised.origin(), Origin::Device);
}

#[test]
fn keys_that_the_file_calls_software_are_simulated_whoever_verifies() {
    let mut setting = Setting::new();
    setting.trusted = setting.trusted.enrolled_by([1; 32].into());
    setting.trusted.software = true;
    let policy = Arc::new(Live::fixed(setting.policy.clone()).unwrap());
    let verifier = TpmVerifier::new(policy, setting.keys(), &provider());
    let evidence = setting.evidence().encode().unwrap();
    let appraised = setting.connection.appraise(&verifier, &evidence).unwrap();
    assert_eq!(appraised.origin(), Origin::Simulated);
    let recorded = ready(verifier.appraise_recorded(&evidence, at())).unwrap();
    assert_eq!(recorded.origin(), Origin::Simulated);
    assert_eq!(setting.claim(Category::Hardware), 0);
}

#[test]
fn a_key_that_nobody_says_is_of_a_tpm_is_refused() {
    let mut key = ForgedTpm::new().trusted("a");
    assert!(key.vouched_for);
    key.vouched_for = false;
    assert!(Live::fixed(TpmKeys::new(vec![key.clone()])).is_err());
    let software = TrustedKey::software("a", key.public.clone());
    for said in [
        software,
        key.clone().enrolled_by([1; 32].into()),
        key.certified_by([1; 32].into()),
    ] {
        assert!(Live::fixed(TpmKeys::new(vec![said])).is_ok());
    }
}

#[test]
fn the_quote_of_another_tpm_is_refused() {
    let (ours, theirs) = (Setting::new(), ForgedTpm::new());
    let evidence = theirs.evidence(&ours.expected());
    assert_eq!(ours.refusal(&evidence), AppraisalError::UnknownKey);
    let claims_ours = TpmEvidence {
        ak: ours.evidence().ak,
        ..evidence
    };
    assert_eq!(ours.refusal(&claims_ours), AppraisalError::BadSignature);
}

#[test]
fn the_quote_of_another_connection_is_refused() {
    let (one, other) = (Setting::new(), Setting::new());
    let replayed = one.forged.evidence(&other.expected());
    assert_eq!(one.refusal(&replayed), AppraisalError::NotBound);
}

/// The binding, under a signature that verifies: a genuine TPM that was asked for another quote.
#[test]
fn qualifying_data_that_is_cut_padded_empty_or_another_is_refused() {
    for suite in SUITES {
        let setting = Setting::of(suite);
        let whole = setting.expected();
        assert_eq!(whole.len(), 32);
        for extra_data in [
            Vec::new(),
            whole[..8].to_vec(),
            whole[..31].to_vec(),
            [&whole[..], &[0]].concat(),
            [&whole[..], &[0; 32]].concat(),
            vec![0; 32],
            whole.iter().rev().copied().collect(),
        ] {
            let refusal = setting.refusal(&setting.forged.evidence(&extra_data));
            assert_eq!(refusal, AppraisalError::NotBound, "{extra_data:?}");
        }
    }
}

#[test]
fn a_flipped_bit_in_anything_signed_is_refused() {
    let setting = Setting::new();
    let evidence = setting.evidence();
    let fields: [fn(&mut TpmEvidence) -> &mut Vec<u8>; 4] = [
        |evidence| &mut evidence.ak,
        |evidence| &mut evidence.attest,
        |evidence| &mut evidence.signature,
        |evidence| &mut evidence.pcrs,
    ];
    for field in fields {
        let length = field(&mut evidence.clone()).len();
        for bit in 0..length * 8 {
            let mut other = evidence.clone();
            field(&mut other)[bit / 8] ^= 1 << (bit % 8);
            assert!(setting.appraise(&other).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn evidence_that_is_cut_or_continued_is_refused() {
    let setting = Setting::new();
    let verifier = setting.verifier();
    let evidence = setting.evidence();
    let whole = evidence.clone().encode().unwrap();
    for length in 0..whole.len() {
        let cut = setting.connection.appraise(&verifier, &whole[..length]);
        assert_eq!(cut.map(drop), Err(AppraisalError::Malformed), "{length}");
    }
    let more = [&whole[..], &[0]].concat();
    let refused = setting.connection.appraise(&verifier, &more).map(drop);
    assert_eq!(refused, Err(AppraisalError::Malformed));
    // And every field within it.
    let fields: [fn(&mut TpmEvidence) -> &mut Vec<u8>; 4] = [
        |evidence| &mut evidence.ak,
        |evidence| &mut evidence.attest,
        |evidence| &mut evidence.signature,
        |evidence| &mut evidence.pcrs,
    ];
    for field in fields {
        for length in 0..field(&mut evidence.clone()).len() {
            let mut other = evidence.clone();
            field(&mut other).truncate(length);
            assert!(setting.appraise(&other).is_err(), "{length}");
        }
    }
}

/// A key that signs anything but quotes is none that is trusted; were it one, this is the second line.
#[test]
fn what_is_signed_is_a_quote() {
    let setting = Setting::new();
    let attest = setting.forged.attest(&setting.expected());
    let bytes = attest.encode().unwrap();
    // Magic, and the type of a structure: certified creation, time, and NV.
    for (index, value) in [(0, 0xfe), (1, b't'), (5, 0x1a), (5, 0x19), (5, 0x14)] {
        let mut other = bytes.clone();
        other[index] = value;
        let refusal = setting.refusal(&setting.forged.seal(&other));
        assert_eq!(refusal, AppraisalError::Malformed, "{index}");
    }
    let more = [&bytes[..], &[0]].concat();
    let refusal = setting.refusal(&setting.forged.seal(&more));
    assert_eq!(refusal, AppraisalError::Malformed);
}

#[test]
fn registers_are_those_whose_digest_is_signed() {
    let setting = Setting::new();
    let mut attest = setting.forged.attest(&setting.expected());
    attest.pcr_digest = vec![0; 32];
    let evidence = setting.forged.seal(&attest.encode().unwrap());
    assert_eq!(setting.refusal(&evidence), AppraisalError::BadSignature);
    attest.pcr_digest = Vec::new();
    let evidence = setting.forged.seal(&attest.encode().unwrap());
    assert_eq!(setting.refusal(&evidence), AppraisalError::BadSignature);
    // The right digest of too few values.
    let mut attest = setting.forged.attest(&setting.expected());
    attest.pcr_digest = HashAlgorithm::Sha256.digest(&[&[0; 32]]);
    let evidence = TpmEvidence {
        pcrs: vec![0; 32],
        ..setting.forged.seal(&attest.encode().unwrap())
    };
    assert_eq!(setting.refusal(&evidence), AppraisalError::Malformed);
}

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
fn a_key_or_a_name_is_in_the_file_once() {
    let (one, other) = (ForgedTpm::new(), ForgedTpm::new());
    let refused = |keys| Live::fixed(TpmKeys::new(keys)).is_err();
    assert!(!refused(vec![one.trusted("a"), other.trusted("b")]));
    assert!(refused(vec![one.trusted("a"), other.trusted("a")]));
    // The same point under other attributes.
    let mut again = one.trusted("b");
    let mut public = one.public.clone();
    public.attributes.0 &= !Attributes::NO_DA;
    again.public = AttestationKey::decode(&public.encode().unwrap()).unwrap();
    assert!(refused(vec![one.trusted("a"), again]));
}

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

#[test]
fn a_key_that_was_enrolled_stands_for_genuine_hardware() {
    let mut setting = Setting::new();
    assert_eq!(setting.claim(Category::Hardware), 0, "provided");
    setting.trusted = setting.trusted.enrolled_by([1; 32].into());
    assert_eq!(setting.claim(Category::Hardware), 2);
    assert_eq!(setting.claim(Category::InstanceIdentity), 2);
    for unclaimed in [
        Category::RuntimeOpaque,
        Category::StorageOpaque,
        Category::SourcedData,
    ] {
        assert_eq!(setting.claim(unclaimed), 0);
    }
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

#[test]
fn a_recorded_quote_is_judged_without_its_connection() {
    let setting = Setting::new();
    let evidence = setting
        .forged
        .evidence(b"somebody's nonce")
        .encode()
        .unwrap();
    let recorded = ready(setting.verifier().appraise_recorded(&evidence, at())).unwrap();
    assert_eq!(recorded.challenge(), b"somebody's nonce");
    assert_eq!(recorded.ear().status(), Tier::Affirming);
    assert_eq!(recorded.image(), Some("forged"));
}

#[test]
fn registers_are_shown_to_who_writes_a_policy() {
    let setting = Setting::new();
    let evidence = setting.evidence().encode().unwrap();
    let shown = atls_tpm::dangerous_unverified_measurements(&evidence).unwrap();
    let names: Vec<_> = shown.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["sha256.pcr0", "sha256.pcr4", "sha256.pcr7"]);
    let value = setting.forged.log.value(4);
    let value: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(shown[1].1, value);
    let cut = &evidence[..evidence.len() - 1];
    let refused = atls_tpm::dangerous_unverified_measurements(cut);
    assert_eq!(refused, Err(AppraisalError::Malformed));
}

#[test]
fn a_refusal_says_what_differs() {
    let mut setting = Setting::new();
    setting.forged.log = ForgedTpm::log().measured(4, 4, b"one more");
    let appraised = setting.appraise(&setting.evidence()).unwrap();
    let findings = appraised.findings();
    let image = findings
        .iter()
        .find(|it| it.check() == "tpm.image")
        .unwrap();
    let note = "most like forged, but pcr4 has another value or is not quoted";
    assert_eq!(image.note(), Some(note));
    let register = findings.iter().find(|it| it.check() == "tpm.sha256.pcr4");
    assert_eq!(register.unwrap().allowed()[0].name(), "forged");
}

#[test]
fn a_result_is_of_another_generation_once_keys_or_policy_are_replaced() {
    let setting = Setting::new();
    let policy = Arc::new(Live::fixed(setting.policy.clone()).unwrap());
    let keys = setting.keys();
    let verifier = TpmVerifier::new(policy.clone(), keys.clone(), &provider());
    let before = verifier.generation();
    keys.replace(TpmKeys::new(vec![ForgedTpm::new().trusted("another")]))
        .unwrap();
    let between = verifier.generation();
    policy
        .replace(TpmPolicy::new(vec![ForgedTpm::image()]))
        .unwrap();
    assert!(before < between && between < verifier.generation());
    let evidence = setting.evidence().encode().unwrap();
    let refused = setting.connection.appraise(&verifier, &evidence).map(drop);
    assert_eq!(refused, Err(AppraisalError::UnknownKey));
}

#[test]
fn a_key_that_leaves_its_tpm_or_signs_anything_is_never_trusted() {
    let forged = ForgedTpm::new();
    let with = |change: &dyn Fn(&mut atls_formats::tpm::Public)| {
        let mut public = forged.public.clone();
        change(&mut public);
        AttestationKey::decode(&public.encode().unwrap()).map(drop)
    };
    assert_eq!(with(&|_| {}), Ok(()));
    for bit in [
        Attributes::FIXED_TPM,
        Attributes::FIXED_PARENT,
        Attributes::SENSITIVE_DATA_ORIGIN,
    ] {
        let movable = with(&|public| public.attributes.0 &= !bit);
        assert_eq!(movable, Err(AttestationKeyError::Movable));
    }
    for bit in [Attributes::RESTRICTED, Attributes::SIGN] {
        let unrestricted = with(&|public| public.attributes.0 &= !bit);
        assert_eq!(unrestricted, Err(AttestationKeyError::Unrestricted));
    }
    let decrypts = with(&|public| public.attributes.0 |= Attributes::DECRYPT);
    assert_eq!(decrypts, Err(AttestationKeyError::Unrestricted));
    let open = with(&|public| public.scheme = None);
    assert_eq!(open, Err(AttestationKeyError::Scheme));
    let unsupported = with(&|public| public.scheme = Some(Scheme::Ecdsa(HashAlgorithm::Sha512)));
    assert_eq!(unsupported, Err(AttestationKeyError::Scheme));
}

proptest! {
    #[test]
    fn arbitrary_evidence_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let setting = Setting::new();
        prop_assert!(setting.connection.appraise(&setting.verifier(), &bytes).is_err());
    }
}

struct Setting {
    connection: Connection,
    forged: ForgedTpm,
    trusted: TrustedKey,
    policy: TpmPolicy,
    /// Sent instead of the log that the registers follow from; none at all where it is empty.
    log: Option<Vec<u8>>,
}

impl Setting {
    fn new() -> Self {
        Self::of(CipherSuite::TLS13_AES_128_GCM_SHA256)
    }

    fn of(suite: CipherSuite) -> Self {
        let forged = ForgedTpm::new();
        Self {
            connection: Connection::new(suite),
            trusted: forged.trusted("forged"),
            policy: TpmPolicy::new(vec![ForgedTpm::image()]),
            forged,
            log: None,
        }
    }

    fn pin_command_line(&mut self) {
        let value = Measurement::new(log_with_command_line().value(8)).unwrap();
        self.policy.images[0].pcr.insert(pcr(8), value);
    }

    fn keys(&self) -> Arc<Live<TpmKeys>> {
        Arc::new(Live::fixed(TpmKeys::new(vec![self.trusted.clone()])).unwrap())
    }

    fn verifier(&self) -> TpmVerifier {
        let policy = Arc::new(Live::fixed(self.policy.clone()).unwrap());
        TpmVerifier::dangerous_with_software_keys(self.keys(), policy, &provider())
    }

    fn expected(&self) -> Vec<u8> {
        qualifying_data(self.connection.request().bound())
            .bytes()
            .clone()
    }

    fn evidence(&self) -> TpmEvidence {
        let mut evidence = self.forged.evidence(&self.expected());
        if let Some(log) = &self.log {
            evidence.tcg_log = (!log.is_empty()).then(|| log.clone());
        }
        evidence
    }

    fn appraise(&self, evidence: &TpmEvidence) -> Result<Appraised, AppraisalError> {
        let evidence = evidence.clone().encode().unwrap();
        self.connection.appraise(&self.verifier(), &evidence)
    }

    fn refusal(&self, evidence: &TpmEvidence) -> AppraisalError {
        self.appraise(evidence).map(drop).unwrap_err()
    }

    /// The status, and the claim about executables.
    fn appraised(&self) -> (Tier, i8) {
        let appraised = self.appraise(&self.evidence()).unwrap();
        (appraised.ear().status(), self.claim(Category::Executables))
    }

    fn claim(&self, category: Category) -> i8 {
        let appraised = self.appraise(&self.evidence()).unwrap();
        let (_, appraisal) = appraised.ear().submods().next().unwrap();
        appraisal.vector().get(category).value()
    }

    fn claims(&self) -> TpmClaims {
        let evidence = self.evidence().encode().unwrap();
        let recorded = ready(self.verifier().appraise_recorded(&evidence, at())).unwrap();
        recorded.claims::<TpmClaims>().unwrap().clone()
    }
}

fn log_with_command_line() -> TcgLogWriter {
    ForgedTpm::log().measured(8, 0x0d, b"kernel_cmdline: ima_policy=tcb")
}

fn provider() -> rustls::crypto::CryptoProvider {
    rustls::crypto::ring::default_provider()
}

const SUITES: [CipherSuite; 2] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS13_AES_256_GCM_SHA384,
];
