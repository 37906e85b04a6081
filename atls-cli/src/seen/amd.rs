//! Of SEV-SNP reports.

use std::fmt::Write;

use atls_formats::snp::PlatformInfo;
use atls_formats::snp::Report;
use atls_formats::snp::SigningKey;
use atls_formats::snp::SnpEvidence;
use atls_formats::snp::Tcb;

use super::lines::line;
use super::lines::list;
use super::lines::named;
use super::lines::pin;
use super::lines::quoted;
use crate::report::hex;

pub(super) fn snp(bytes: &[u8], name: &str) -> Option<String> {
    let evidence = SnpEvidence::decode(bytes).ok()?;
    let report = Report::decode(evidence.report()).ok()?;
    let product = report.product().ok()??;
    // A report that the host asked for says 0xffffffff, which no guest's policy may.
    let vmpl = (report.vmpl <= LEAST_PRIVILEGED).then_some(report.vmpl)?;
    let mut text = "\n[snp]\n".to_owned();
    line(
        &mut text,
        "The level that asked for the report, or a more privileged one; 0 is the guest's kernel or firmware.",
    );
    pin(&mut text, "max-vmpl", &vmpl.to_string());
    if report.signing_key == SigningKey::Vlek {
        line(
            &mut text,
            "The cloud provider's key signed, not that of the chip; the image below accepts no other.",
        );
        pin(&mut text, "allow-vlek", "true");
    } else if report.hides_chip() {
        line(
            &mut text,
            "The host hides which chip it is; one that says so is accepted too.",
        );
        pin(&mut text, "allow-masked-chip-id", "true");
    }
    line(
        &mut text,
        "The version of the report, or a later one: an older one says less of the firmware.",
    );
    let version = report.version.min(NEWEST_REPORT);
    pin(&mut text, "min-report-version", &version.to_string());
    if report.policy.allows_debug() {
        line(
            &mut text,
            "Seen with debugging allowed: the host can look into it. It is NOT accepted.",
        );
    }
    if report.policy.allows_migration_agent() {
        line(
            &mut text,
            "Seen with a migration agent, which can move and read it. It is NOT accepted.",
        );
    }
    line(
        &mut text,
        "What the guest's policy demanded of the firmware, or stricter: further restrictions are accepted.",
    );
    pin(
        &mut text,
        "require-guest-policy",
        &list(&restrictions(&report)),
    );
    let (major, minor) = report.policy.abi();
    line(
        &mut text,
        "The ABI of the firmware that the guest's policy demanded, or a later one.",
    );
    pin(
        &mut text,
        "minimum-abi",
        &quoted(format!("{major}.{minor}")),
    );
    line(
        &mut text,
        "How the machine was set up, or stricter: further features are accepted.",
    );
    pin(
        &mut text,
        "require-platform",
        &list(&features(report.platform_info)),
    );
    let _ = writeln!(text, "\n[snp.minimum-tcb.{}]", product.key());
    line(
        &mut text,
        "The firmware that was seen, or newer: versions that nobody saw are accepted. No other processor is.",
    );
    line(
        &mut text,
        "Not looked at: which chip it is (CHIP_ID), its stepping, builds and mitigation vectors of the firmware.",
    );
    for (key, bytes) in [
        ("reported", report.reported_tcb),
        ("committed", report.committed_tcb),
        ("launch", report.launch_tcb),
    ] {
        pin(&mut text, key, &versions(Tcb::decode(product, bytes)?));
    }
    text.push_str("\n[[snp.image]]\n");
    named(&mut text, name);
    line(
        &mut text,
        "MEASUREMENT: the guest's memory at launch. It covers the firmware and the number of virtual",
    );
    line(
        &mut text,
        "processors; kernel and initrd only where the firmware measures them (kernel-hashes).",
    );
    pin(&mut text, "measurement", &quoted(hex(&report.measurement)));
    line(&mut text, "HOST_DATA: chosen by the host at launch.");
    pin(&mut text, "host-data", &quoted(hex(&report.host_data)));
    let signed: [(&str, &[u8]); 4] = [
        ("family-id", &report.family_id),
        ("image-id", &report.image_id),
        ("id-key-digest", &report.id_key_digest),
        ("author-key-digest", &report.author_key_digest),
    ];
    line(
        &mut text,
        "The ID block of the guest and the keys that signed it; zero where there is none.",
    );
    for (key, value) in signed {
        pin(&mut text, key, &quoted(hex(value)));
    }
    line(
        &mut text,
        "GUEST_SVN of the ID block: the owner's version of the guest, or newer; and the kind of key that signed.",
    );
    let key = match report.signing_key {
        SigningKey::Vcek => "vcek",
        SigningKey::Vlek => "vlek",
    };
    let svn = report.guest_svn;
    let conditions = format!("{{ guest-svn = {{ at-least = {svn} }}, signing-key = \"{key}\" }}");
    pin(&mut text, "conditions", &conditions);
    Some(text)
}

fn restrictions(report: &Report<'_>) -> Vec<&'static str> {
    let policy = report.policy;
    let known = [
        ("aes256-xts", policy.requires_aes_256_xts()),
        ("ciphertext-hiding", policy.requires_ciphertext_hiding()),
        ("no-cxl", !policy.allows_cxl()),
        ("no-page-swap", policy.requires_no_page_swap()),
        ("no-rapl", policy.requires_no_rapl()),
        ("no-smt", !policy.allows_smt()),
        ("single-socket", policy.requires_single_socket()),
    ];
    those_that_hold(&known)
}

fn features(info: PlatformInfo) -> Vec<&'static str> {
    let known = [
        ("alias-check-complete", info.alias_check_complete()),
        ("ciphertext-hiding", info.ciphertext_hiding_enabled()),
        ("ecc", info.ecc_enabled()),
        ("no-rapl", info.rapl_disabled()),
        ("no-smt", !info.smt_enabled()),
        ("no-tio", !info.tio_enabled()),
        ("tsme", info.tsme_enabled()),
    ];
    those_that_hold(&known)
}

fn those_that_hold(known: &[(&'static str, bool)]) -> Vec<&'static str> {
    known
        .iter()
        .filter(|(_, holds)| *holds)
        .map(|(name, _)| *name)
        .collect()
}

fn versions(tcb: Tcb) -> String {
    let fmc = tcb
        .fmc
        .map(|fmc| format!("fmc = {fmc}, "))
        .unwrap_or_default();
    format!(
        "{{ {fmc}bootloader = {}, tee = {}, snp = {}, microcode = {} }}",
        tcb.bootloader, tcb.tee, tcb.snp, tcb.microcode
    )
}

/// Levels of a guest are 0 to 3.
const LEAST_PRIVILEGED: u32 = 3;

/// The highest that a policy can ask for.
const NEWEST_REPORT: u32 = 5;
