//! Quotes of TDX and SGX. Field names are Intel's: TDX DCAP Quoting Library API, SGX ECDSA QuoteGenReference.

use atls_formats::dcap::EventLog;
use atls_formats::dcap::Quote;
use atls_formats::dcap::SGX_QUOTE;
use atls_formats::dcap::SgxReport;
use atls_formats::dcap::TDX_EVIDENCE;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::dcap::TdReport;
use atls_formats::dcap::TdxEvidence;
use atls_formats::dcap::Tee;

use super::certificate;
use super::found::Found;
use super::tree::Node;

/// A quote, or a quote with its event log.
pub(super) fn read(bytes: &[u8]) -> Option<Found> {
    if let Ok(quote) = Quote::decode(bytes, Tee::Tdx) {
        return Some(Found::evidence(tree(&quote), TDX_QUOTE, bytes));
    }
    if let Ok(quote) = Quote::decode(bytes, Tee::Sgx) {
        return Some(Found::evidence(tree(&quote), SGX_QUOTE, bytes));
    }
    let evidence = TdxEvidence::decode(bytes).ok()?;
    let quote = Quote::decode(&evidence.quote, Tee::Tdx).ok()?;
    let log = event_log(&evidence.event_log, &quote);
    let tree = Node::branch("TDX Evidence with its event log")
        .with(tree(&quote))
        .with(log);
    Some(Found::evidence(tree, TDX_EVIDENCE, bytes))
}

fn tree(quote: &Quote<'_>) -> Node {
    let version = quote
        .bytes
        .first_chunk::<2>()
        .map(|le| u16::from_le_bytes(*le));
    let (name, body) = match quote.tee() {
        Tee::Sgx => ("SGX quote", quote.report.as_sgx().map(enclave)),
        Tee::Tdx => ("TDX quote", quote.report.as_td().map(td)),
    };
    let header = Node::branch("Quote Header")
        .with(Node::leaf("Version", version.unwrap_or_default()))
        .with(Node::leaf("Attestation Key Type", 2).meaning("ECDSA-256-with-P-256"));
    let signed = Node::branch("header and body")
        .signed_by("the attestation key")
        .with(header)
        .with_all(body);
    Node::branch(name).with(signed).with(certification(quote))
}

/// The events, where they lead to the RTMRs of the quote; the bytes where they do not.
fn event_log(log: &[u8], quote: &Quote<'_>) -> Node {
    let rtmr = quote.report.as_td().map(|report| &report.rtmr);
    let replayed = rtmr.and_then(|rtmr| EventLog::open(log).ok()?.replay(rtmr).ok());
    let Some(events) = replayed else {
        let says = "it does not lead to the RTMRs of the quote, so it says nothing";
        return Node::bytes("event log", log).meaning(says).unsigned();
    };
    let shown = events.iter().take(MAX_EVENTS).map(|event| {
        let measured = match &event.payload {
            Some(payload) => format!(
                "of {} bytes; claimed type {:#x}",
                payload.len(),
                event.claimed_type
            ),
            None => format!(
                "of bytes that the log does not have; claimed type {:#x}",
                event.claimed_type
            ),
        };
        Node::leaf(format!("RTMR{}", event.rtmr), event.digest).meaning(measured)
    });
    let says = format!(
        "{} events, which lead to the RTMRs of the quote",
        events.len()
    );
    Node::branch("event log").meaning(says).with_all(shown)
}

fn certification(quote: &Quote<'_>) -> Node {
    let chain = quote.chain.iter().map(|der| certificate::short(der));
    Node::branch("Quote Signature Data")
        .with(Node::bytes("Quote Signature", quote.signature).unsigned())
        .with(
            Node::bytes("ECDSA Attestation Key", quote.attestation_key)
                .meaning("its hash is in the report data of the Quoting Enclave")
                .signed_by("the PCK, through the QE report"),
        )
        .with(
            enclave(&quote.qe)
                .renamed("QE Report")
                .signed_by("the PCK of the processor"),
        )
        .with(Node::bytes("QE Report Signature", quote.qe_signature).unsigned())
        .with(
            Node::bytes("QE Authentication Data", quote.qe_authentication)
                .signed_by("the PCK, through the QE report"),
        )
        .with(
            Node::branch("PCK Certificate Chain")
                .signed_by("each certificate's issuer")
                .with_all(chain),
        )
}

fn td(report: &TdReport) -> Node {
    let mut node = Node::branch("TD Quote Body")
        .with(svn("TEE_TCB_SVN", &report.tee_tcb_svn))
        .with(Node::leaf("MRSEAM", report.mrseam).meaning("the TDX module"))
        .with(Node::leaf("MRSIGNERSEAM", report.mrsignerseam).meaning("its signer; zero is Intel"))
        .with(Node::leaf(
            "SEAMATTRIBUTES",
            format!("{:#018x}", report.seam_attributes),
        ))
        .with(
            Node::leaf("TDATTRIBUTES", format!("{:#018x}", report.td_attributes))
                .meaning(bits(report.td_attributes, TD_ATTRIBUTES)),
        )
        .with(
            Node::leaf("XFAM", format!("{:#018x}", report.xfam))
                .meaning("extended features of the processor that the TD may use"),
        )
        .with(
            Node::leaf("MRTD", report.mrtd).meaning("the TD's contents at its start: its firmware"),
        )
        .with(
            Node::leaf("MRCONFIGID", report.mrconfigid)
                .meaning("chosen by the host, for configuration"),
        )
        .with(Node::leaf("MROWNER", report.mrowner).meaning("chosen by the host, for the owner"))
        .with(Node::leaf("MROWNERCONFIG", report.mrownerconfig).meaning("chosen by the host"));
    for (index, (value, meaning)) in report.rtmr.iter().zip(RTMRS).enumerate() {
        node = node.with(Node::leaf(format!("RTMR{index}"), value).meaning(meaning));
    }
    node = node.with(
        Node::bytes("REPORTDATA", &report.report_data)
            .meaning("chosen by the TD: SHA-512 of the value of the connection"),
    );
    if let Some(td15) = &report.td15 {
        node = node
            .with(svn("TEE_TCB_SVN_2", &td15.tee_tcb_svn_2))
            .with(Node::leaf("MRSERVICETD", td15.mrservicetd).meaning("service TDs bound to it"));
    }
    if let Some(extended) = &report.td15_extended {
        node =
            node.with(Node::leaf("TD_ID", extended.td_id).meaning("names the TD while it lives"));
    }
    node
}

fn enclave(report: &SgxReport) -> Node {
    Node::branch("Enclave Report Body")
        .with(svn("CPUSVN", &report.cpu_svn))
        .with(Node::leaf(
            "MISCSELECT",
            format!("{:#010x}", report.misc_select),
        ))
        .with(
            Node::leaf("ATTRIBUTES.FLAGS", format!("{:#018x}", report.flags))
                .meaning(bits(report.flags, SGX_FLAGS)),
        )
        .with(Node::leaf(
            "ATTRIBUTES.XFRM",
            format!("{:#018x}", report.xfrm),
        ))
        .with(Node::leaf("MRENCLAVE", report.mrenclave).meaning("the enclave"))
        .with(Node::leaf("MRSIGNER", report.mrsigner).meaning("its signer"))
        .with(Node::leaf("ISVPRODID", report.isv_prod_id).meaning("which product of the signer"))
        .with(Node::leaf("ISVSVN", report.isv_svn).meaning("its security version"))
        .with(Node::bytes("REPORTDATA", &report.report_data).meaning("chosen by the enclave"))
}

fn svn(name: &str, bytes: &[u8; 16]) -> Node {
    let parts: Vec<_> = bytes.iter().map(ToString::to_string).collect();
    Node::leaf(name, parts.join(" ")).meaning("a security version for each component")
}

/// The names of the bits that are set.
fn bits(value: u64, names: &[(u32, &str)]) -> String {
    let set = names
        .iter()
        .filter(|(bit, _)| value.checked_shr(*bit).is_some_and(|rest| rest & 1 == 1));
    let set: Vec<_> = set.map(|(_, name)| *name).collect();
    match set.is_empty() {
        true => "none of the known bits is set".to_owned(),
        false => set.join(", "),
    }
}

/// Intel TDX Module ABI, `ATTRIBUTES`.
const TD_ATTRIBUTES: &[(u32, &str)] = &[
    (0, "DEBUG: the host can look into it"),
    (16, "ICSSD"),
    (27, "LASS"),
    (28, "SEPT_VE_DISABLE"),
    (29, "MIGRATABLE"),
    (30, "PKS"),
    (31, "KL"),
    (63, "PERFMON"),
];

/// Intel SDM volume 3D, `ATTRIBUTES`.
const SGX_FLAGS: &[(u32, &str)] = &[
    (0, "INIT"),
    (1, "DEBUG: the host can look into it"),
    (2, "MODE64BIT"),
    (4, "PROVISIONKEY"),
    (5, "EINITTOKEN_KEY"),
    (6, "CET"),
    (7, "KSS"),
    (10, "AEXNOTIFY"),
];

/// Events that are shown. A boot has some hundred.
const MAX_EVENTS: usize = 1000;

const RTMRS: [&str; 4] = [
    "firmware configuration, by convention",
    "boot loader and kernel, by convention",
    "command line and initial file system, by convention",
    "the application's, by convention",
];
