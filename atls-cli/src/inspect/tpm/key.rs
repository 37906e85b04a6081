//! The public area of a key: `TPMT_PUBLIC` (TPM 2.0 Library, Part 2: Structures, §12.2.4).

use atls_formats::tpm::Attributes;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;
use atls_formats::tpm::Scheme;

use crate::inspect::tree::Node;

pub(super) fn public(bytes: &[u8]) -> Node {
    let node = Node::bytes("attestation key", bytes)
        .meaning("TPMT_PUBLIC; a policy must know it, or an authority that certified it")
        .unsigned();
    let Ok(public) = Public::decode(bytes) else {
        return node;
    };
    let node = node
        .with(Node::leaf("nameAlg", public.name_algorithm))
        .with(attributes(public.attributes));
    let node = match public.scheme {
        Some(known) => node.with(Node::leaf("scheme", scheme(known))),
        None => node.with(Node::leaf("scheme", "TPM_ALG_NULL").meaning("whatever is asked for")),
    };
    match &public.key {
        PublicKey::Ecc { curve, x, y } => node
            .with(Node::leaf("curve", format!("{curve:?}")))
            .with(Node::bytes("x", x))
            .with(Node::bytes("y", y)),
        PublicKey::Rsa { bits, modulus, .. } => node
            .with(Node::leaf("keyBits", bits))
            .with(Node::bytes("modulus", modulus)),
    }
}

pub(super) fn scheme(scheme: Scheme) -> String {
    let hash = scheme.hash();
    match scheme {
        Scheme::Ecdsa(_) => format!("ECDSA with {hash}"),
        Scheme::RsaPss(_) => format!("RSAPSS with {hash}"),
        Scheme::RsaSsa(_) => format!("RSASSA with {hash}"),
    }
}

fn attributes(attributes: Attributes) -> Node {
    let known = [
        (Attributes::FIXED_TPM, "fixedTPM"),
        (Attributes::FIXED_PARENT, "fixedParent"),
        (Attributes::SENSITIVE_DATA_ORIGIN, "sensitiveDataOrigin"),
        (Attributes::USER_WITH_AUTH, "userWithAuth"),
        (Attributes::ADMIN_WITH_POLICY, "adminWithPolicy"),
        (Attributes::NO_DA, "noDA"),
        (Attributes::RESTRICTED, "restricted"),
        (Attributes::DECRYPT, "decrypt"),
        (Attributes::SIGN, "sign"),
    ];
    let set = known.iter().filter(|(bit, _)| attributes.has(*bit));
    let set: Vec<_> = set.map(|(_, name)| *name).collect();
    Node::leaf("objectAttributes", format!("{:#010x}", attributes.0)).meaning(set.join(", "))
}
