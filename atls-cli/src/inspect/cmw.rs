//! Conceptual Message Wrappers (RFC 9999), in JSON, in CBOR, and as CBOR tags.

use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::cmw::Indicator;
use atls_core::cmw::Item;
use atls_core::cmw::Type;

use super::found::Found;
use super::found::Within;
use super::tree::Node;
use crate::appraise;
use crate::appraise::Evidence;

/// A record, a collection or a tag.
pub(super) fn read(bytes: &[u8], within: Within) -> Option<Found> {
    let cmw = Cmw::decode(bytes).ok()?;
    let encoding = match bytes.first() {
        Some(b'[' | b'{') => "JSON",
        _ => "CBOR",
    };
    let items = cmw.items();
    let mut node = Node::branch(format!("CMW ({encoding})")).unsigned();
    if let Some(kind) = cmw.collection_type() {
        node = node.with(Node::leaf("collection type", kind));
    }
    for item in &items {
        let found = within.recognise(item.value());
        node = node.with(item_tree(item, found.as_ref()));
    }
    Some(Found::holding(node, evidence(&cmw)))
}

/// The items that a relying party has appraised, as it divides the message. A verifier is chosen by the type in the wrapper, whatever the item
/// is; one without a verifier refuses the whole.
fn evidence(cmw: &Cmw) -> Vec<Evidence> {
    let of_batch = is_of_batch(cmw);
    let items = cmw.items_with(appraise::is_whole);
    let decisive = items.iter().filter(|item| {
        let is_proof = of_batch && item.label() == PROOF;
        !item.is_endorsements_only() && !is_proof
    });
    decisive
        .map(|item| {
            let media_type = item.media_type();
            let named = media_type.map_or_else(|| kind(item), |named| named.to_string());
            Evidence::of_message(item, named, cmw)
        })
        .collect()
}

/// The message of one connection of a batch: the Evidence at 0, and at 1 the proof that the connection is of it, which the core takes off.
fn is_of_batch(cmw: &Cmw) -> bool {
    let items = cmw.items();
    let Some((proof, evidence)) = items.split_last() else {
        return false;
    };
    let is_proof = proof.label() == PROOF
        && proof.indicator().is_none()
        && MediaType::parse(PROOF_MEDIA_TYPE).ok() == proof.media_type();
    let is_at_0 = |item: &Item<'_>| item.label() == "0" || item.label().starts_with("0/");
    is_proof && cmw.collection_type().is_none() && evidence.iter().all(is_at_0)
}

fn item_tree(item: &Item<'_>, found: Option<&Found>) -> Node {
    let name = match item.label() {
        "" => "record".to_owned(),
        label => format!("record {label}"),
    };
    let mut node = Node::branch(name).with(Node::leaf("type", kind(item)));
    if let Some(indicator) = item.indicator() {
        let bits = Node::leaf("indicator", indicator.bits()).meaning(words(indicator));
        node = node.with(bits);
    }
    match found {
        Some(found) => node.with(found.tree.clone()),
        None => node.with(Node::bytes("value", item.value())),
    }
}

fn kind(item: &Item<'_>) -> String {
    match item.kind() {
        Type::Media(media_type) => media_type.to_string(),
        Type::ContentFormat(number) => format!("content format {number}"),
    }
}

fn words(indicator: Indicator) -> String {
    let known = [
        (Indicator::REFERENCE_VALUES, "Reference Values"),
        (Indicator::ENDORSEMENTS, "Endorsements"),
        (Indicator::EVIDENCE, "Evidence"),
        (Indicator::ATTESTATION_RESULTS, "Attestation Results"),
        (Indicator::APPRAISAL_POLICY, "Appraisal Policy"),
    ];
    let set = known
        .iter()
        .filter(|(kind, _)| indicator.bits() & kind.bits() != 0);
    let set: Vec<_> = set.map(|(_, name)| *name).collect();
    set.join(", ")
}

/// The label of the proof in the message of one connection of a batch.
const PROOF: &str = "1";

const PROOF_MEDIA_TYPE: &str = "application/vnd.atls.inclusion-proof+cbor";
