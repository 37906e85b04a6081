//! What the paravisor of Azure's confidential VMs leaves in the virtual TPM. Names are Microsoft's, and Intel's of the `TDREPORT`.

use atls_formats::azure::HardwareReport;
use atls_formats::azure::HclReport;
use atls_formats::azure::RuntimeData;

use super::found::Found;
use super::json;
use super::snp;
use super::tree::Node;

/// An HCL report, or the runtime data alone.
pub(super) fn read(bytes: &[u8]) -> Option<Found> {
    let Ok(report) = HclReport::decode(bytes) else {
        let data = runtime_data(bytes)?;
        return Some(Found::of(data.signed_by(
            "the processor, where its report carries the report data below",
        )));
    };
    let hardware = match report.hardware() {
        HardwareReport::Snp(report) => snp::read(report)?,
        HardwareReport::Tdx(report) => Found::of(td_report(report)?),
    };
    let data = runtime_data(report.runtime_data())?
        .signed_by("the processor: its report data is the SHA-256 of it, and 32 zero bytes");
    let tree = Node::branch("HCL report")
        .meaning("the report data fits the runtime data")
        .with(hardware.tree)
        .with(data);
    Some(Found::holding(tree, hardware.evidence))
}

fn runtime_data(bytes: &[u8]) -> Option<Node> {
    let data = RuntimeData::decode(bytes).ok()?;
    let says = format!(
        "it vouches for the attestation key of the virtual TPM; secure boot is {}",
        if data.configuration.secure_boot {
            "on"
        } else {
            "off"
        }
    );
    let digest = Node::bytes("report data", &data.report_data())
        .meaning("the report of the processor must carry this, whole");
    let read = json::tree("content", &json::decode(bytes)?);
    Some(
        Node::branch("runtime data")
            .meaning(says)
            .with(digest)
            .with(read),
    )
}

/// `TDREPORT_STRUCT`, Intel TDX Module ABI: `REPORTMACSTRUCT`, and `TDINFO_STRUCT` from byte 512.
fn td_report(bytes: &[u8]) -> Option<Node> {
    let field = |name: &str, at: usize, length: usize| {
        let end = at.checked_add(length)?;
        Some(Node::bytes(name, bytes.get(at..end)?))
    };
    let registers = [
        ("RTMR0", 720),
        ("RTMR1", 768),
        ("RTMR2", 816),
        ("RTMR3", 864),
    ];
    let registers = registers.map(|(name, at)| field(name, at, 48));
    let node = Node::branch("TDREPORT")
        .meaning("its own machine alone can verify it, and makes a quote of it")
        .with(field("REPORTDATA", 128, 64)?)
        .with(field("ATTRIBUTES", 512, 8)?)
        .with(field("XFAM", 520, 8)?)
        .with(field("MRTD", 528, 48)?.meaning("the paravisor"))
        .with_all(registers.into_iter().flatten());
    Some(node.signed_by("a MAC of the processor"))
}
