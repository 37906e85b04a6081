//! TPM Evidence, and what a TPM signed about itself.

mod attest;
mod key;

use atls_formats::tpm::Attest;
use atls_formats::tpm::PcrValues;
use atls_formats::tpm::Signature;
use atls_formats::tpm::TPM_EVIDENCE;
use atls_formats::tpm::TpmEvidence;

use super::certificate;
use super::event_log;
use super::found::Found;
use super::tree::Node;
use crate::report::hex;

/// TPM Evidence with its logs; or a `TPMS_ATTEST`, alone or as `TPM2B_ATTEST`.
pub(super) fn read(bytes: &[u8]) -> Option<Found> {
    match TpmEvidence::decode(bytes) {
        Ok(evidence) => Some(Found::evidence(whole(&evidence), TPM_EVIDENCE, bytes)),
        Err(_) => attest::attest(bytes).map(Found::of),
    }
}

fn whole(evidence: &TpmEvidence) -> Node {
    let signed = attest::attest(&evidence.attest);
    let signed = signed.unwrap_or_else(|| Node::bytes("attest", &evidence.attest));
    let banks = banks(evidence);
    let quoted = banks.as_deref().unwrap_or_default();
    let shown = |name: &str, log: &[u8], read: Option<Node>| {
        let node = read.unwrap_or_else(|| Node::bytes(name, log).unsigned());
        node.meaning("it counts where a replay of it leads to a quoted register")
    };
    let firmware = evidence.tcg_log.as_deref();
    let firmware =
        firmware.map(|log| shown("TCG event log", log, event_log::tcg_beside(log, quoted)));
    let systemd = evidence.systemd_log.as_deref();
    let systemd = systemd.map(|log| shown("systemd log", log, event_log::systemd(log)));
    let ima = evidence.ima_log.as_deref();
    let ima = ima.map(|log| shown("IMA log", log, event_log::ima(log)));
    let certificates = evidence.ak_certificates.as_deref();
    Node::branch("TPM Evidence")
        .with(signed)
        .with(registers(evidence, banks.as_deref()))
        .with(signature(&evidence.signature))
        .with(key::public(&evidence.ak))
        .with_all(certificates.map(certificate_chain))
        .with_all([firmware, systemd, ima].into_iter().flatten())
}

fn banks(evidence: &TpmEvidence) -> Option<Vec<PcrValues>> {
    let attest = Attest::decode(&evidence.attest).ok()?;
    PcrValues::split(&attest.selections, &evidence.pcrs).ok()
}

/// By register, where the selection of the quote says which is which.
fn registers(evidence: &TpmEvidence, banks: Option<&[PcrValues]>) -> Node {
    let Some(banks) = banks else {
        let node = Node::bytes("PCR values", &evidence.pcrs);
        return node.meaning("they do not fit the selection").unsigned();
    };
    let banks = banks.iter().map(|bank| {
        let values = bank.values.iter();
        let values = values.map(|(pcr, value)| {
            let all = |expected| value.iter().all(|byte| *byte == expected);
            let node = Node::leaf(format!("PCR {pcr}"), hex(value));
            match all(0) || all(0xff) {
                true => node.meaning("nothing was measured into it"),
                false => node,
            }
        });
        Node::branch(bank.bank.to_string()).with_all(values)
    });
    Node::branch("PCR values")
        .meaning("pcrDigest is their hash")
        .signed_by("the attestation key, through pcrDigest")
        .with_all(banks)
}

fn signature(bytes: &[u8]) -> Node {
    let node = Node::bytes("signature", bytes).unsigned();
    match Signature::decode(bytes) {
        Ok(signature) => node.meaning(format!("TPMT_SIGNATURE, {}", key::scheme(signature.scheme))),
        Err(_) => node,
    }
}

/// Certificates in DER, one after the other.
fn certificate_chain(bytes: &[u8]) -> Node {
    let mut node = Node::branch("certificates of the attestation key")
        .meaning("they count where a policy has their authority");
    let mut rest = bytes;
    while let [0x30, 0x82, high, low, ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).saturating_add(4);
        let Some((certificate, after)) = rest.split_at_checked(length) else {
            break;
        };
        node = node.with(certificate::short(certificate));
        rest = after;
    }
    match rest.is_empty() {
        true => node,
        false => node.with(Node::bytes("no certificate", rest).unsigned()),
    }
}
