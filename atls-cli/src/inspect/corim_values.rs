//! The values in a CoRIM: environments and measurements, by their names in draft-ietf-rats-corim.

use atls_reference::corim::Digest;
use atls_reference::corim::Environment;
use atls_reference::corim::HashAlgorithm;
use atls_reference::corim::Id;
use atls_reference::corim::MeasuredElement;
use atls_reference::corim::Measurement;
use atls_reference::corim::RegisterId;
use atls_reference::corim::Svn;

use super::tree::Node;

/// `environment-map`. A field that is absent means any.
pub(super) fn environment(environment: &Environment) -> Node {
    let text = |name: &str, value: &Option<String>| Some(Node::leaf(name, value.as_ref()?));
    let number = |name: &str, value: Option<u64>| Some(Node::leaf(name, value?));
    let fields = [
        environment
            .class_id
            .as_ref()
            .map(|class| id("class-id", class)),
        text("vendor", &environment.vendor),
        text("model", &environment.model),
        number("layer", environment.layer),
        number("index", environment.index),
        environment
            .instance
            .as_ref()
            .map(|instance| id("instance", instance).meaning("this one alone: it names a device")),
        environment.group.as_ref().map(|group| id("group", group)),
    ];
    Node::branch("environment-map").with_all(fields.into_iter().flatten())
}

/// `measurement-map`: all of it holds together.
pub(super) fn measured(node: Node, measurement: &Measurement) -> Node {
    let version = measurement.version.iter();
    let svn = measurement.svn.iter();
    let keys = measurement.key_ids.iter();
    let extensions = measurement.extensions.iter();
    let further = measurement.further.iter();
    node.with_all(measurement.element.iter().map(element))
        .with_all(measurement.name.iter().map(|name| Node::leaf("name", name)))
        .with_all(version.map(|version| Node::leaf("version", &version.text)))
        .with_all(svn.map(|svn| match svn {
            Svn::Exactly(svn) => Node::leaf("svn", svn).meaning("exactly"),
            Svn::AtLeast(svn) => Node::leaf("svn", svn).meaning("or higher"),
            _ => Node::leaf("svn", "of another kind"),
        }))
        .with_all(
            measurement
                .digests
                .iter()
                .map(|value| digest("digest", value)),
        )
        .with_all(raw(measurement))
        .with_all(registers(measurement))
        .with_all(keys.map(|key| Node::bytes("cryptokeys", key)))
        .with_all(extensions.map(|(key, value)| {
            Node::bytes(format!("key {key}"), value).meaning("of the profile, in CBOR")
        }))
        .with_all(further.map(|what| Node::leaf("not understood", what)))
}

fn raw(measurement: &Measurement) -> Option<Node> {
    let raw = measurement.raw.as_ref()?;
    let node = Node::bytes("raw-value", &raw.value);
    let mask = raw.mask.iter();
    Some(node.with_all(mask.map(|mask| Node::bytes("mask", mask).meaning("the bits that count"))))
}

fn registers(measurement: &Measurement) -> Option<Node> {
    if measurement.registers.is_empty() {
        return None;
    }
    let registers = measurement.registers.iter().flat_map(|(id, digests)| {
        let name = match id {
            RegisterId::Number(number) => number.to_string(),
            RegisterId::Text(name) => name.clone(),
            _ => "another".to_owned(),
        };
        digests.iter().map(move |value| digest(&name, value))
    });
    Some(Node::branch("integrity-registers").with_all(registers))
}

fn element(element: &MeasuredElement) -> Node {
    match element {
        MeasuredElement::Number(number) => Node::leaf("mkey", number),
        MeasuredElement::Oid(oid) => Node::bytes("mkey", oid).meaning("an OID"),
        MeasuredElement::Text(text) => Node::leaf("mkey", text),
        MeasuredElement::Uuid(uuid) => Node::bytes("mkey", uuid).meaning("a UUID"),
        _ => Node::branch("mkey"),
    }
}

fn id(name: &str, id: &Id) -> Node {
    match id {
        Id::Bytes(bytes) => Node::bytes(name, bytes),
        Id::Oid(oid) => Node::bytes(name, oid).meaning("an OID"),
        Id::Ueid(ueid) => Node::bytes(name, ueid).meaning("a UEID"),
        Id::Uuid(uuid) => Node::bytes(name, uuid).meaning("a UUID"),
        _ => Node::branch(name),
    }
}

fn digest(name: &str, digest: &Digest) -> Node {
    let algorithm = match &digest.algorithm {
        HashAlgorithm::Other(name) => name,
        HashAlgorithm::Sha256 => "SHA-256",
        HashAlgorithm::Sha384 => "SHA-384",
        HashAlgorithm::Sha512 => "SHA-512",
        _ => "another algorithm",
    };
    Node::bytes(name, &digest.value).meaning(algorithm)
}
