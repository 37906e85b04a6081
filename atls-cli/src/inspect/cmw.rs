//! Conceptual Message Wrappers (RFC 9999), in JSON, in CBOR, and as CBOR tags.

use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::cmw::Indicator;
use atls_core::cmw::Item;
use atls_core::cmw::Type;

use super::found::Found;
use super::found::Within;
use super::tree::Node;
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
    let whole = whole(&cmw, bytes);
    let mut evidence = Vec::new();
    for item in &items {
        let found = within.recognise(item.value());
        node = node.with(item_tree(item, found.as_ref()));
        // A verifier is chosen by the type in the wrapper, whatever the item is; one without a verifier refuses the whole.
        if whole.is_none() && !item.is_endorsements_only() {
            let media_type = item.media_type();
            let named = media_type.map_or_else(|| kind(item), |named| named.to_string());
            evidence.push(Evidence {
                media_type: named,
                bytes: item.value().to_vec(),
            });
        }
    }
    evidence.extend(whole);
    Some(Found::holding(node, evidence))
}

/// A collection of a type that one verifier takes whole: its items lead to each other.
fn whole(cmw: &Cmw, bytes: &[u8]) -> Option<Evidence> {
    let media_type = MediaType::of_collection(cmw.collection_type()?).ok()?;
    let evidence = Evidence {
        media_type: media_type.to_string(),
        bytes: bytes.to_vec(),
    };
    (evidence.table() == Some("azure")).then_some(evidence)
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
