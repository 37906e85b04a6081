//! SEV-SNP reports and certificate tables. Field names are AMD's: SEV Secure Nested Paging Firmware ABI (56860), table 23.

use atls_formats::snp::CertTable;
use atls_formats::snp::CertificateKind;
use atls_formats::snp::GuestPolicy;
use atls_formats::snp::PlatformInfo;
use atls_formats::snp::Product;
use atls_formats::snp::REPORT_LENGTH;
use atls_formats::snp::Report;
use atls_formats::snp::SnpEvidence;
use atls_formats::snp::Tcb;
use atls_formats::tsm::TSM_REPORT;
use atls_formats::tsm::TsmReport;

use super::certificate;
use super::found::Found;
use super::tree::Node;

/// A report alone or with a table of certificates after it, the envelope of configfs-tsm, or a table.
pub(super) fn read(bytes: &[u8]) -> Option<Found> {
    if let Ok(envelope) = TsmReport::decode(bytes) {
        return Some(enveloped(&envelope, bytes));
    }
    if let Some((report, table)) = bytes.split_at_checked(REPORT_LENGTH)
        && let (Ok(decoded), Ok(certificates)) = (Report::decode(report), CertTable::decode(table))
    {
        let tree = with_table(report_tree(&decoded), &certificates);
        let evidence = SnpEvidence::new(report.to_vec(), certificates)
            .encode()
            .ok()?;
        return Some(Found::evidence(tree, TSM_REPORT, &evidence));
    }
    if bytes.is_empty() {
        return None;
    }
    let table = CertTable::decode(bytes).ok()?;
    let found = certificates(&table);
    (!found.is_empty()).then(|| {
        Found::of(
            Node::branch("SEV-SNP certificate table")
                .unsigned()
                .with_all(found),
        )
    })
}

fn enveloped(envelope: &TsmReport, bytes: &[u8]) -> Found {
    let outer = Node::branch("report of configfs-tsm")
        .with(Node::leaf("provider", &envelope.provider).unsigned());
    let report = Report::decode(&envelope.outblob);
    let table = CertTable::decode(&envelope.auxblob);
    match (report, table) {
        (Ok(report), Ok(table)) => {
            let tree = outer.with(with_table(report_tree(&report), &table));
            Found::evidence(tree, TSM_REPORT, bytes)
        }
        _ => {
            let outer = outer
                .with(Node::bytes("outblob", &envelope.outblob))
                .with(Node::bytes("auxblob", &envelope.auxblob));
            Found::of(outer)
        }
    }
}

fn with_table(report: Node, table: &CertTable) -> Node {
    match certificates(table) {
        found if found.is_empty() => report,
        found => {
            let table = Node::branch("certificate table of the host").unsigned();
            Node::branch("SEV-SNP report with certificates")
                .with(report)
                .with(table.with_all(found))
        }
    }
}

fn certificates(table: &CertTable) -> Vec<Node> {
    let named = [
        (CertificateKind::Vcek, "VCEK"),
        (CertificateKind::Vlek, "VLEK"),
        (CertificateKind::Ask, "ASK"),
        (CertificateKind::Ark, "ARK"),
        (CertificateKind::Crl, "CRL"),
    ];
    let present = named
        .into_iter()
        .filter_map(|(kind, name)| Some((name, table.get(kind)?)));
    present
        .map(|(name, der)| certificate::short(der).renamed(name))
        .collect()
}

fn report_tree(report: &Report<'_>) -> Node {
    let product = report.product().ok().flatten();
    let key = match report.signing_key {
        atls_formats::snp::SigningKey::Vcek => "the VCEK of the chip",
        atls_formats::snp::SigningKey::Vlek => "the VLEK of the provider",
    };
    let mut body = Node::branch("report body")
        .signed_by(key)
        .with(Node::leaf("VERSION", report.version))
        .with(Node::leaf("GUEST_SVN", report.guest_svn).meaning("the owner's version of the guest"))
        .with(policy(report.policy))
        .with(Node::bytes("FAMILY_ID", &report.family_id).meaning("chosen by the owner"))
        .with(Node::bytes("IMAGE_ID", &report.image_id).meaning("chosen by the owner"))
        .with(
            Node::leaf("VMPL", report.vmpl).meaning("privilege level that asked; 0 is the highest"),
        )
        .with(tcb(
            "CURRENT_TCB",
            report.current_tcb,
            product,
            "the firmware that runs",
        ))
        .with(platform_info(report.platform_info))
        .with(Node::leaf("SIGNING_KEY", report.signing_key))
        .with(
            Node::bytes("REPORT_DATA", &report.report_data)
                .meaning("chosen by the guest: SHA-512 of the value of the connection"),
        )
        .with(Node::bytes("MEASUREMENT", &report.measurement).meaning("launch digest of the guest"))
        .with(Node::bytes("HOST_DATA", &report.host_data).meaning("chosen by the host at launch"))
        .with(Node::bytes("ID_KEY_DIGEST", &report.id_key_digest))
        .with(Node::bytes("AUTHOR_KEY_DIGEST", &report.author_key_digest))
        .with(Node::bytes("REPORT_ID", &report.report_id).meaning("names the guest for its life"))
        .with(tcb(
            "REPORTED_TCB",
            report.reported_tcb,
            product,
            "what the signing key vouches for",
        ));
    if let Some([family, model, stepping]) = report.cpuid {
        let cpu = product.map_or("an unknown processor", Product::name);
        let shown = format!("{family:#04x} {model:#04x} {stepping:#04x}");
        body = body.with(Node::leaf("CPUID_FAM_ID, MOD_ID, STEP", shown).meaning(cpu));
    }
    let chip = match report.hides_chip() {
        true => "hidden by the host",
        false => "names the chip: personal data",
    };
    let body = body
        .with(Node::bytes("CHIP_ID", &report.chip_id).meaning(chip))
        .with(tcb(
            "COMMITTED_TCB",
            report.committed_tcb,
            product,
            "no rollback below it",
        ))
        .with(tcb(
            "LAUNCH_TCB",
            report.launch_tcb,
            product,
            "the firmware at launch",
        ));
    let signature = report.signature().map(|signature| {
        Node::bytes("SIGNATURE", &signature)
            .meaning("ECDSA P-384, r and s")
            .unsigned()
    });
    Node::branch("SEV-SNP attestation report")
        .with(body)
        .with_all(signature)
}

fn policy(policy: GuestPolicy) -> Node {
    let (major, minor) = policy.abi();
    let says = [
        (policy.allows_debug(), "DEBUG: the host can look into it"),
        (policy.allows_migration_agent(), "MIGRATE_MA"),
        (policy.allows_smt(), "SMT allowed"),
        (policy.requires_single_socket(), "SINGLE_SOCKET"),
        (policy.allows_cxl(), "CXL_ALLOW"),
        (policy.requires_aes_256_xts(), "MEM_AES_256_XTS"),
        (policy.requires_no_rapl(), "RAPL_DIS"),
        (
            policy.requires_ciphertext_hiding(),
            "CIPHERTEXT_HIDING_DRAM",
        ),
        (policy.requires_no_page_swap(), "PAGE_SWAP_DISABLE"),
    ];
    let meaning = format!("ABI {major}.{minor} or later; {}", listed(&says));
    Node::leaf("POLICY", format!("{:#018x}", policy.bits())).meaning(meaning)
}

fn platform_info(info: PlatformInfo) -> Node {
    let says = [
        (info.smt_enabled(), "SMT_EN"),
        (info.tsme_enabled(), "TSME_EN"),
        (info.ecc_enabled(), "ECC_EN"),
        (info.rapl_disabled(), "RAPL_DIS"),
        (
            info.ciphertext_hiding_enabled(),
            "CIPHERTEXT_HIDING_DRAM_EN",
        ),
        (info.alias_check_complete(), "ALIAS_CHECK_COMPLETE"),
        (info.tio_enabled(), "TIO_EN"),
    ];
    Node::leaf("PLATFORM_INFO", format!("{:#018x}", info.bits())).meaning(listed(&says))
}

fn listed(says: &[(bool, &str)]) -> String {
    let set: Vec<_> = says
        .iter()
        .filter(|(set, _)| *set)
        .map(|(_, name)| *name)
        .collect();
    match set.is_empty() {
        true => "no bit is set".to_owned(),
        false => set.join(", "),
    }
}

/// Which bytes are which version depends on the product, which versions 3 and later name.
fn tcb(name: &str, bytes: [u8; 8], product: Option<Product>, meaning: &str) -> Node {
    let decoded = product.and_then(|product| Tcb::decode(product, bytes));
    let node = Node::bytes(name, &bytes);
    match decoded {
        Some(tcb) => node.meaning(format!("{meaning}: {tcb}")),
        None => node.meaning(meaning),
    }
}
