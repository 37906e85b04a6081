//! CoRIM: reference values of a maker (draft-ietf-rats-corim).

use atls_reference::corim;
use atls_reference::corim::Corim;
use atls_reference::corim::Digest;
use atls_reference::corim::Measurement;

use super::cbor;
use super::claims::Names;
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
        let environment = format!("{:?}", reference.environment);
        let measurements: Vec<_> = reference
            .placed()
            .map(|(place, measurement)| {
                let name = reference.name(measurement, corim.id());
                measured(Node::leaf(name, place), measurement)
            })
            .collect();
        node = node.with(
            Node::branch("reference triple")
                .with(Node::leaf("environment", environment))
                .with_all(measurements),
        );
    }
    let passed_over = corim.left_out().iter();
    node.with_all(passed_over.map(|what| Node::leaf("passed over", what)))
}

fn measured(node: Node, measurement: &Measurement) -> Node {
    let registers = measurement.registers.iter().map(|(id, digests)| {
        let name = format!("integrity register {id:?}");
        Node::branch(name).with_all(digests.iter().map(digest))
    });
    let extensions = measurement.extensions.iter();
    let extensions = extensions.map(|(key, value)| Node::bytes(format!("key {key}"), value));
    let svn = measurement.svn.iter();
    let raw = measurement.raw.iter();
    node.with_all(measurement.digests.iter().map(digest))
        .with_all(svn.map(|svn| Node::leaf("svn", format!("{svn:?}"))))
        .with_all(raw.map(|raw| Node::bytes("raw-value", &raw.value)))
        .with_all(registers)
        .with_all(extensions)
}

fn digest(digest: &Digest) -> Node {
    Node::bytes(format!("{:?}", digest.algorithm), &digest.value)
}

const CORIM: u64 = 500;
const UNSIGNED_CORIM: u64 = 501;
