//! From a quote and a policy to the trustworthiness vector.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use atls_core::AppraisalError;
use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_formats::tpm::HashAlgorithm;

use crate::boot::Boot;
use crate::counters::Counters;
use crate::policy::ImaRule;
use crate::policy::OUTSIDE;
use crate::policy::SECTIONS;
use crate::policy::StubRule;
use crate::policy::TpmImage;
use crate::policy::TpmPolicy;
use crate::policy::is_unmeasured;
use crate::quoted::Quoted;

/// The policy's view of one quote.
pub(crate) struct PolicyOutcome<'a> {
    pub(crate) vector: TrustVector,
    /// For each image, its demands that the machine does not meet, in the order of the policy.
    pub(crate) missing: Vec<Vec<Missing>>,
    /// The first image that the machine matches in everything.
    pub(crate) image: Option<&'a TpmImage>,
    pub(crate) firmware: Firmware,
    pub(crate) secure_boot: SecureBoot,
    pub(crate) counters: Counters,
    /// The boot by the bank of the image that matches, or else of the first one.
    pub(crate) boot: Boot,
}

/// Something that an image asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Missing {
    /// A register does not hold the value, or was not quoted.
    Value(u8),
    /// Something was measured into a register, or it was not quoted.
    Measured(u8),
    /// No log explains a register.
    Log(u8),
    /// A register has another event than those that are allowed.
    OtherEvent(u8),
    /// A register does not have this event.
    Event(u8, String),
    /// Something from outside of a unified kernel image was loaded, or the register was not quoted.
    Outside(u8),
    /// A unified kernel image does not have this section, or another one in its place.
    Section(String),
    /// No list explains register 10.
    Files,
    /// A file that is not allowed was used, or one changed while it was measured.
    File,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Firmware {
    NotAsked,
    Enough,
    TooOld,
    /// The key is none whose quotes show it.
    Obfuscated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecureBoot {
    NotAsked,
    Shown,
    NotShown,
}

/// The table in the crate's README, row by row.
pub(crate) fn compare<'a>(
    policy: &'a TpmPolicy,
    quoted: &Quoted<'_>,
) -> Result<PolicyOutcome<'a>, AppraisalError> {
    let banks: BTreeSet<_> = policy.images.iter().map(|image| image.bank).collect();
    let boot = |bank| Boot::of(quoted, bank).map(|boot| (bank, boot));
    let boots = banks.into_iter().map(boot);
    let mut boots: BTreeMap<_, _> = boots.collect::<Result<_, _>>()?;
    let missing = |image: &TpmImage| match boots.get(&image.bank) {
        Some(boot) => missing(image, quoted, boot),
        None => vec![Missing::Files],
    };
    let missing: Vec<_> = policy.images.iter().map(missing).collect();
    let mut compared = policy.images.iter().zip(&missing);
    let image = compared.find(|(_, missing)| missing.is_empty());
    let image = image.map(|(image, _)| image);

    let firmware = firmware(policy, quoted);
    let bank = image.or_else(|| policy.images.first());
    let bank = bank.map_or(HashAlgorithm::Sha256, |image| image.bank);
    // Of this bank alone: one that firmware does not measure into is free for whoever runs later.
    let boot = boots.remove(&bank).unwrap_or_default();
    let secure_boot = match (policy.secure_boot, boot.shows_secure_boot) {
        (false, _) => SecureBoot::NotAsked,
        (true, true) => SecureBoot::Shown,
        (true, false) => SecureBoot::NotShown,
    };
    let counters = Counters::of(policy, quoted);
    let configuration = match secure_boot {
        _ if !counters.are_good() => 96,
        SecureBoot::NotAsked => 0,
        SecureBoot::Shown => 2,
        SecureBoot::NotShown => 96,
    };
    let executables = match image {
        Some(image) if image.pins_boot_code() => 3,
        Some(_) => 0,
        None => 33,
    };
    let file_system = match image {
        Some(image) if image.ima.is_some() => 2,
        _ => 0,
    };
    let instance_identity = match quoted.has_known_key() {
        true => 2,
        false => 0,
    };
    let certified = quoted.key.ek_certificate.is_some() && !quoted.key.software;
    let hardware = match firmware {
        Firmware::TooOld | Firmware::Obfuscated => 96,
        Firmware::Enough | Firmware::NotAsked if certified => 2,
        Firmware::Enough | Firmware::NotAsked => 0,
    };
    let vector = [
        (Category::InstanceIdentity, instance_identity),
        (Category::Configuration, configuration),
        (Category::Executables, executables),
        (Category::FileSystem, file_system),
        (Category::Hardware, hardware),
        (Category::RuntimeOpaque, 0),
        (Category::StorageOpaque, 0),
        (Category::SourcedData, 0),
    ]
    .into_iter()
    .fold(TrustVector::new(), |vector, (category, value)| {
        vector.with(category, TrustClaim::new(value))
    });
    Ok(PolicyOutcome {
        vector,
        missing,
        image,
        firmware,
        secure_boot,
        counters,
        boot,
    })
}

/// The demands of an image that the machine does not meet.
fn missing(image: &TpmImage, quoted: &Quoted<'_>, boot: &Boot) -> Vec<Missing> {
    let registers = quoted.bank(image.bank);
    let holds = |pcr: u8, value: &[u8]| {
        let held = registers.and_then(|registers| registers.get(&pcr));
        held.is_some_and(|held| held == value)
    };
    let values = image.pcr.iter().map(|(pcr, value)| (pcr.get(), value));
    let mut missing: Vec<_> = values
        .filter(|(pcr, value)| !holds(*pcr, value.as_bytes()))
        .map(|(pcr, _)| Missing::Value(pcr))
        .collect();
    let is_reset = |pcr: u8| {
        let held = registers.and_then(|registers| registers.get(&pcr));
        held.is_some_and(|held| is_unmeasured(held))
    };
    let unmeasured = image.unmeasured.iter().map(|pcr| pcr.get());
    missing.extend(
        unmeasured
            .filter(|pcr| !is_reset(*pcr))
            .map(Missing::Measured),
    );
    for pcr in image.registers_of_events() {
        missing_events(image, pcr, boot, &mut missing);
    }
    if let Some(stub) = &image.systemd_stub {
        missing_sections((image, stub), &holds, boot, &mut missing);
    }
    match (&image.ima, &boot.files) {
        (None, _) => {}
        (Some(_), None) => missing.push(Missing::Files),
        (Some(rule), Some(files)) => {
            let is_aggregate = |index, path: &[u8]| index == 0 && path == BOOT_AGGREGATE;
            let is_allowed = |digest: &Option<Vec<u8>>| {
                let digest = digest.as_deref();
                digest.is_some_and(|digest| allows(rule, digest))
            };
            let files = files.iter().enumerate();
            let mut files = files
                .filter(|(index, file)| file.digest.is_none() || !is_aggregate(*index, &file.path))
                .peekable();
            // Every kernel with IMA measures the aggregate; a policy of IMA measures a file before anybody logs in.
            if files.peek().is_none() {
                missing.push(Missing::Files);
            }
            if !files.all(|(_, file)| is_allowed(&file.digest)) {
                missing.push(Missing::File);
            }
        }
    }
    missing
}

fn missing_events(image: &TpmImage, pcr: u8, boot: &Boot, missing: &mut Vec<Missing>) {
    let Some(events) = boot.events.get(&pcr) else {
        missing.push(Missing::Log(pcr));
        return;
    };
    let rules = || image.events.iter().filter(|rule| rule.pcr.get() == pcr);
    let is_listed = |digest: &[u8]| rules().any(|rule| rule.digest.as_bytes() == digest);
    if !events.iter().all(|event| is_listed(&event.digest)) {
        missing.push(Missing::OtherEvent(pcr));
    }
    let happened = |digest: &[u8]| events.iter().any(|event| event.digest == digest);
    let required = rules().filter(|rule| !rule.optional);
    let absent = required.filter(|rule| !happened(rule.digest.as_bytes()));
    missing.extend(absent.map(|rule| Missing::Event(pcr, rule.name.clone())));
}

fn missing_sections(
    (image, stub): (&TpmImage, &StubRule),
    holds: &impl Fn(u8, &[u8]) -> bool,
    boot: &Boot,
    missing: &mut Vec<Missing>,
) {
    let empty = vec![0; image.bank.size()];
    let outside = OUTSIDE.into_iter().filter(|pcr| !image.names(*pcr));
    let loaded = outside.filter(|pcr| !holds(*pcr, &empty));
    missing.extend(loaded.map(Missing::Outside));

    let Some(events) = boot.events.get(&SECTIONS) else {
        missing.push(Missing::Log(SECTIONS));
        return;
    };
    let digests = || events.iter().map(|event| &event.digest[..]);
    if let Some(section) = stub.differing_section(image.bank, digests()) {
        missing.push(Missing::Section(section.name.clone()));
    } else if !stub.phases_follow(image.bank, digests()) {
        missing.push(Missing::OtherEvent(SECTIONS));
    }
}

fn allows(rule: &ImaRule, digest: &[u8]) -> bool {
    rule.allow
        .iter()
        .any(|allowed| allowed.as_bytes() == digest)
}

fn firmware(policy: &TpmPolicy, quoted: &Quoted<'_>) -> Firmware {
    let version = quoted.attest.firmware_version;
    match &policy.min_firmware {
        None => Firmware::NotAsked,
        Some(_) if !quoted.has_plain_counters() => Firmware::Obfuscated,
        Some(least) if version < u64::from_be_bytes(*least.as_bytes()) => Firmware::TooOld,
        Some(_) => Firmware::Enough,
    }
}

/// The path of IMA's first measurement, which is over registers and no file. A file may have this name too, and is measured later.
const BOOT_AGGREGATE: &[u8] = b"boot_aggregate";
