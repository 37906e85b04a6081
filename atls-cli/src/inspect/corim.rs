//! CoRIM: reference values of a maker (draft-ietf-rats-corim).

use atls_reference::corim;
use atls_reference::corim::Corim;

use super::cbor;
use super::claims::Names;
use super::corim_values;
use super::found::Found;
use super::tree::Node;
use crate::clock;

/// A CoRIM without signature.
pub(super) fn read(bytes: &[u8]) -> Option<Found> {
    let tree = payload(bytes)?;
    Some(Found::of(tree.unsigned()))
}

/// The payload of a signed one, or an unsigned one.
pub(super) fn payload(bytes: &[u8]) -> Option<Node> {
    let value = cbor::decode(bytes)?;
    let ciborium::Value::Tag(UNSIGNED_CORIM | CORIM, _) = &value else {
        return None;
    };
    let now = clock::now().ok()?;
    match corim::unsigned(bytes, now) {
        Ok(corim) => Some(tree(&corim)),
        Err(error) => {
            let why = atls_core::report(&error).to_string();
            Some(cbor::tree("CoRIM", &value, Names::None).meaning(why))
        }
    }
}

/// The statements of a CoRIM.
pub(super) fn tree(corim: &Corim) -> Node {
    let mut node = Node::branch("CoRIM").with(Node::leaf("id", corim.id()));
    if let Some(profile) = corim.profile() {
        node = node.with(Node::leaf("profile", profile));
    }
    if let Some(end) = corim.expires_at() {
        node = node.with(Node::leaf("not-after", clock::rfc3339(end)));
    }
    for reference in corim.references() {
        let measurements = reference.placed().map(|(place, measurement)| {
            let node = Node::branch("measurement-map").meaning(place.to_string());
            corim_values::measured(node, measurement)
        });
        node = node.with(
            Node::branch("reference-triple")
                .with(corim_values::environment(&reference.environment))
                .with_all(measurements),
        );
    }
    for triple in corim.attest_keys() {
        let keys = triple.keys.iter().map(|key| Node::leaf("key", key));
        let further = triple.further.iter();
        node = node.with(
            Node::branch("attest-key-triple")
                .with(corim_values::environment(&triple.environment))
                .with_all(keys)
                .with_all(further.map(|what| Node::leaf("not understood", what))),
        );
    }
    let are_shown = !corim.attest_keys().is_empty();
    let passed_over = corim.left_out().iter();
    let passed_over =
        passed_over.filter(|what| !(are_shown && what.ends_with("attest-key-triples")));
    node.with_all(passed_over.map(|what| Node::leaf("passed over", what)))
}

const CORIM: u64 = 500;
const UNSIGNED_CORIM: u64 = 501;
