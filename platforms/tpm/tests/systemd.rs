//! A unified kernel image, as systemd-stub and systemd measure it: forged quotes through the real verifier.
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
use atls_core::ear::Tier;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::TcgLogWriter;
use atls_reference::Live;
use atls_tpm::EventKind;
use atls_tpm::Measurement;
use atls_tpm::StubRule;
use atls_tpm::StubSection;
use atls_tpm::TpmClaims;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::testing::ForgedTpm;
use test_support::ready;

use support::at;

#[test]
fn a_machine_runs_the_image_in_every_phase_of_its_boot() {
    for phases in 0..=PHASES.len() {
        let machine = Machine::in_phases(&PHASES[..phases]);
        assert_eq!(machine.status(), Tier::Affirming, "{phases}");
    }
}

#[test]
fn what_systemd_measured_is_a_claim_and_its_kind_is_not_confirmed() {
    let claims = Machine::in_phases(&PHASES[..2]).claims();
    let mut events = claims.events.iter().filter(|event| event.pcr == 11);
    let last = events.next_back().unwrap();
    assert_eq!(last.measured.as_deref(), Some(&b"leave-initrd"[..]));
    let phase = EventKind::Systemd("phase".to_owned());
    assert_eq!(last.unconfirmed_kind, phase);
}

#[test]
fn another_section_or_another_order_is_another_image() {
    for firmware in [
        boot(&[(".linux", b"kernel of somebody else"), SECTIONS[1]]),
        boot(&[SECTIONS[1], SECTIONS[0]]),
        boot(&[SECTIONS[0]]),
        boot(&[SECTIONS[0], SECTIONS[1], (".ucode", b"microcode")]),
        boot(&[(".linux", b"kernel"), (".cmdlinf", b"quiet")]),
        // Content before the name.
        TcgLogWriter::new(BANK)
            .measured(4, 4, b"stub")
            .measured(11, 13, b"kernel")
            .measured(11, 13, b".linux\0")
            .measured(11, 13, b".cmdline\0")
            .measured(11, 13, b"quiet"),
        boot(&[]),
    ] {
        let machine = Machine::of(firmware, &[]);
        assert_eq!(machine.status(), Tier::Contraindicated);
    }
}

#[test]
fn only_phases_follow_and_in_their_order() {
    for events in [
        &["leave-initrd"][..],
        &["enter-initrd", "enter-initrd"],
        &["enter-initrd", "sysinit"],
        &["enter-initrd", "leave-initrd", "malware"],
        &[
            "enter-initrd",
            "leave-initrd",
            "sysinit",
            "ready",
            "shutdown",
            "final",
            "final",
        ],
    ] {
        let machine = Machine::in_phases(events);
        assert_eq!(machine.status(), Tier::Contraindicated, "{events:?}");
    }
}

#[test]
fn a_policy_may_have_phases_of_its_own() {
    let mut machine = Machine::in_phases(&["enter-initrd", "installed"]);
    assert_eq!(machine.status(), Tier::Contraindicated);
    let stub = machine.policy.images[0].systemd_stub.as_mut().unwrap();
    stub.phases = ["enter-initrd", "installed"].map(str::to_owned).to_vec();
    assert_eq!(machine.status(), Tier::Affirming);
}

/// Registers 12 and 13: a command line, and a system extension.
#[test]
fn what_comes_from_outside_of_the_image_is_refused_unless_it_is_named() {
    for pcr in [12, 13] {
        let firmware = boot(&SECTIONS).measured(pcr, 13, b"from outside");
        let value = Measurement::new(firmware.value(pcr)).unwrap();
        let mut machine = Machine::of(firmware, &[]);
        assert_eq!(machine.status(), Tier::Contraindicated, "{pcr}");
        let image = &mut machine.policy.images[0];
        image.pcr.insert(support::pcr(pcr), value);
        assert_eq!(machine.status(), Tier::Affirming, "{pcr}");
    }
    for quoted in [[4, 11, 12], [4, 11, 13]] {
        let mut machine = Machine::in_phases(&[]);
        machine.forged.quoting(BANK, &quoted);
        assert_eq!(machine.status(), Tier::Contraindicated, "not quoted");
    }
}

#[test]
fn a_log_that_lacks_a_measurement_explains_nothing() {
    let mut machine = Machine::in_phases(&PHASES);
    machine.forged.systemd_log = Some(systemd_log(&PHASES[..5]));
    assert_eq!(machine.status(), Tier::Contraindicated);
    machine.forged.systemd_log = None;
    assert_eq!(machine.status(), Tier::Contraindicated);
}

#[test]
fn a_log_with_more_than_the_quote_is_of_a_later_moment() {
    let mut machine = Machine::in_phases(&PHASES[..1]);
    machine.forged.systemd_log = Some(systemd_log(&PHASES));
    assert_eq!(machine.status(), Tier::Affirming);
}

#[test]
fn a_malformed_log_is_refused() {
    let mut machine = Machine::in_phases(&[]);
    machine.forged.systemd_log = Some(b"{}".to_vec());
    let refused = machine.recorded().map(drop);
    assert_eq!(refused, Err(AppraisalError::Malformed));
}

/// A register that nothing but systemd extends needs no log of the firmware.
#[test]
fn a_log_of_systemd_alone_explains_what_it_can() {
    let mut machine = Machine::of(boot(&[]).measured(15, 0, b"machine-id:00"), &[]);
    let digest = hex(&BANK.digest(&[b"machine-id:00"]));
    machine.forged.systemd_log = Some(record(15, &digest, "machine-id:00").into_bytes());
    machine.forged.quoting(BANK, &[4, 15]);
    let mut evidence = machine.forged.evidence(b"nonce");
    evidence.tcg_log = None;
    let evidence = evidence.encode().unwrap();
    let recorded = ready(machine.verifier().appraise_recorded(&evidence, at())).unwrap();
    let events = &recorded.claims::<TpmClaims>().unwrap().events;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].measured.as_deref(), Some(&b"machine-id:00"[..]));
}

struct Machine {
    forged: ForgedTpm,
    policy: TpmPolicy,
}

impl Machine {
    fn in_phases(phases: &[&str]) -> Self {
        Self::of(boot(&SECTIONS), phases)
    }

    /// The firmware's log is as it was when the kernel took over.
    fn of(firmware: TcgLogWriter, phases: &[&str]) -> Self {
        let mut forged = ForgedTpm::new();
        let extend = |log: TcgLogWriter, phase: &&str| log.measured(11, 13, phase.as_bytes());
        forged.quoting(BANK, &[4, 11, 12, 13]);
        forged.sent_log = Some(firmware.bytes().to_vec());
        forged.log = phases.iter().fold(firmware, extend);
        forged.systemd_log = Some(systemd_log(phases));
        let sections = SECTIONS.map(|(name, content)| {
            let digest = Measurement::new(&BANK.digest(&[content])).unwrap();
            StubSection::new(name, digest)
        });
        let value = Measurement::new(boot(&[]).value(4)).unwrap();
        let mut image = atls_tpm::TpmImage::measured("uki", [(support::pcr(4), value)]);
        image.systemd_stub = Some(StubRule::new(sections.to_vec()));
        Self {
            forged,
            policy: TpmPolicy::new(vec![image]),
        }
    }

    fn verifier(&self) -> TpmVerifier {
        let keys = Live::fixed(TpmKeys::new(vec![self.forged.trusted("uki")])).unwrap();
        let policy = Live::fixed(self.policy.clone()).unwrap();
        let provider = rustls::crypto::ring::default_provider();
        TpmVerifier::new(Arc::new(policy), Arc::new(keys), &provider)
    }

    fn recorded(&self) -> Result<atls_core::RecordedAppraisal, AppraisalError> {
        let evidence = self.forged.evidence(b"nonce").encode().unwrap();
        ready(self.verifier().appraise_recorded(&evidence, at()))
    }

    fn status(&self) -> Tier {
        self.recorded().unwrap().ear().status()
    }

    fn claims(&self) -> TpmClaims {
        let recorded = self.recorded().unwrap();
        recorded.claims::<TpmClaims>().unwrap().clone()
    }
}

/// The stub in register 4, and these sections in register 11.
fn boot(sections: &[(&str, &[u8])]) -> TcgLogWriter {
    let log = TcgLogWriter::new(BANK).measured(4, 4, b"stub");
    let measure = |log: TcgLogWriter, (name, content): &(&str, &[u8])| {
        let name = [name.as_bytes(), &[0]].concat();
        log.measured(11, 13, &name).measured(11, 13, content)
    };
    sections.iter().fold(log, measure)
}

fn systemd_log(phases: &[&str]) -> Vec<u8> {
    let records = phases.iter().map(|phase| {
        let digest = hex(&BANK.digest(&[phase.as_bytes()]));
        record(11, &digest, phase)
    });
    records.collect::<String>().into_bytes()
}

fn record(pcr: u8, digest: &str, text: &str) -> String {
    format!(
        "\u{1e}{{\"pcr\":{pcr},\"digests\":[{{\"hashAlg\":\"sha256\",\"digest\":\"{digest}\"}}],\
         \"content_type\":\"systemd\",\"content\":{{\"string\":\"{text}\",\"eventType\":\"phase\"}}}}\n"
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const BANK: HashAlgorithm = HashAlgorithm::Sha256;

const SECTIONS: [(&str, &[u8]); 2] = [(".linux", b"kernel"), (".cmdline", b"quiet")];

const PHASES: [&str; 6] = [
    "enter-initrd",
    "leave-initrd",
    "sysinit",
    "ready",
    "shutdown",
    "final",
];
