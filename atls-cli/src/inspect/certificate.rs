//! X.509 certificates and revocation lists, and the Evidence in them.

use std::time::Duration;

use atls_core::bounded;
use atls_core::limits::MAX_CERTIFICATE;
use atls_core::limits::MAX_CERTIFICATE_VALUES;
use atls_core::pki_types::UnixTime;
use ciborium::Value;
use sha2::Digest;
use sha2::Sha256;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::X509Extension;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::time::ASN1Time;

use super::cbor;
use super::found::Found;
use super::found::Within;
use super::tree::Node;
use crate::appraise::Evidence;

/// A certificate or a revocation list in DER.
pub(super) fn read(der: &[u8], within: Within) -> Option<Found> {
    if !is_bounded(der) {
        return None;
    }
    match parse(der) {
        Some(certificate) => Some(whole(&certificate, within)),
        None => crl(der).map(Found::of),
    }
}

/// One line of a certificate or revocation list; bytes where it is neither.
pub(super) fn short(der: &[u8]) -> Node {
    let described = is_bounded(der)
        .then(|| {
            parse(der)
                .map(|certificate| summary(&certificate))
                .or_else(|| crl(der))
        })
        .flatten();
    described.unwrap_or_else(|| Node::bytes("no certificate", der))
}

fn is_bounded(der: &[u8]) -> bool {
    der.len() <= MAX_CERTIFICATE && bounded::der(MAX_CERTIFICATE_VALUES, der)
}

fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Some(certificate),
        _ => None,
    }
}

fn summary(certificate: &X509Certificate<'_>) -> Node {
    let validity = certificate.validity();
    let until = time(validity.not_after);
    Node::leaf("certificate", certificate.subject())
        .meaning(format!("issued by {}, until {until}", certificate.issuer()))
}

fn whole(certificate: &X509Certificate<'_>, within: Within) -> Found {
    let validity = certificate.validity();
    let key = certificate.public_key();
    let mut evidence = Vec::new();
    let mut extensions = Node::branch("extensions");
    for extension in certificate.extensions() {
        let (node, found) = extension_tree(extension, within);
        extensions = extensions.with(node);
        evidence.extend(found);
    }
    let signed = Node::branch("TBSCertificate")
        .signed_by("its issuer")
        .with(Node::leaf(
            "serialNumber",
            certificate.raw_serial_as_string(),
        ))
        .with(Node::leaf("issuer", certificate.issuer()))
        .with(Node::leaf("notBefore", time(validity.not_before)))
        .with(Node::leaf("notAfter", time(validity.not_after)))
        .with(Node::leaf("subject", certificate.subject()))
        .with(
            Node::bytes("subjectPublicKeyInfo", &Sha256::digest(key.raw))
                .meaning("its SHA-256; Evidence of RA-TLS is about it"),
        )
        .with(extensions);
    let signature = Node::bytes("signatureValue", &certificate.signature_value.data).unsigned();
    let tree = Node::branch("X.509 certificate")
        .with(signed)
        .with(signature);
    Found::holding(tree, evidence)
}

fn extension_tree(extension: &X509Extension<'_>, within: Within) -> (Node, Vec<Evidence>) {
    let oid = extension.oid.to_id_string();
    let critical = if extension.critical { ", critical" } else { "" };
    let name_of = |names: &[(&str, &'static str)]| {
        let mut names = names.iter();
        names
            .find(|(known, _)| *known == oid)
            .map(|(_, name)| *name)
    };
    let Some(name) = name_of(EVIDENCE) else {
        let node = Node::bytes(format!("{oid}{critical}"), extension.value);
        let node = match name_of(ORDINARY) {
            Some(name) => node.meaning(name),
            None => node,
        };
        return (node, Vec::new());
    };
    let node = Node::leaf(name, format!("{oid}{critical}"));
    if let Some(found) = within.recognise(carried(extension.value)) {
        return (node.with(found.tree.covered()), found.evidence);
    }
    match tagged(extension.value, within) {
        Some(found) => (node.with(found.tree.covered()), found.evidence),
        None if oid == INTEL_SGX => {
            let node = Node::bytes(format!("{oid}{critical}"), extension.value);
            let node = node.meaning("SGX extensions: PPID, TCB and FMSPC of the processor");
            (node, Vec::new())
        }
        None => (node.with(Node::bytes("value", extension.value)), Vec::new()),
    }
}

/// DICE tagged evidence: a tag of CBOR, and the quote first in its array. What the quote is about follows.
fn tagged(value: &[u8], within: Within) -> Option<Found> {
    let Value::Tag(tag, inner) = cbor::decode(value)? else {
        return None;
    };
    let Value::Array(parts) = *inner else {
        return None;
    };
    let [Value::Bytes(quote), rest @ ..] = &parts[..] else {
        return None;
    };
    let found = within.recognise(quote)?;
    let rest = rest.iter().filter_map(Value::as_bytes);
    let rest = rest.map(|bytes| {
        Node::bytes("claims", bytes).meaning("the report data of the quote is their hash")
    });
    let tree = Node::branch(format!("tag {tag}"))
        .with(found.tree)
        .with_all(rest);
    Some(Found::holding(tree, found.evidence))
}

/// The CMW within the choice of `id-pe-cmw`, or the value itself.
fn carried(value: &[u8]) -> &[u8] {
    match value {
        [0x04 | 0x0c, length @ 0..=0x7f, rest @ ..] if rest.len() == usize::from(*length) => rest,
        [0x04 | 0x0c, 0x81, length, rest @ ..] if rest.len() == usize::from(*length) => rest,
        [0x04 | 0x0c, 0x82, high, low, rest @ ..]
            if rest.len() == usize::from(u16::from_be_bytes([*high, *low])) =>
        {
            rest
        }
        _ => value,
    }
}

fn crl(der: &[u8]) -> Option<Node> {
    let Ok(([], list)) = CertificateRevocationList::from_der(der) else {
        return None;
    };
    let next = list.next_update().map(time);
    let revoked = list.iter_revoked_certificates();
    let count = revoked.take(MAX_CERTIFICATE_VALUES).count();
    let node = Node::leaf("X.509 revocation list", list.issuer())
        .signed_by("its issuer")
        .with(Node::leaf("thisUpdate", time(list.last_update())))
        .with_all(next.map(|next| Node::leaf("nextUpdate", next)))
        .with(Node::leaf("revoked certificates", count));
    Some(node)
}

fn time(at: ASN1Time) -> String {
    match u64::try_from(at.timestamp()) {
        Ok(seconds) => {
            let since = Duration::from_secs(seconds);
            crate::clock::rfc3339(UnixTime::since_unix_epoch(since))
        }
        Err(_) => "before 1970".to_owned(),
    }
}

/// PCK certificates have Intel's own extensions under the number that its SDK has a quote under.
const INTEL_SGX: &str = "1.2.840.113741.1.13.1";

/// Extensions that carry Evidence.
const EVIDENCE: &[(&str, &str)] = &[
    ("1.3.6.1.5.5.7.1.35", "id-pe-cmw"),
    ("2.23.133.5.4.9", "DICE tagged evidence"),
    (INTEL_SGX, "quote of the Intel SGX SDK"),
    ("1.2.840.113741.1337.6", "quote of rats-tls"),
    ("0.6.9.42.840.113741.1337.6", "quote of Gramine"),
];

/// Extensions of other certificates, by their names in RFC 5280, and in the specifications of AMD and Intel.
const ORDINARY: &[(&str, &str)] = &[
    ("2.5.29.14", "subjectKeyIdentifier"),
    ("2.5.29.15", "keyUsage"),
    ("2.5.29.17", "subjectAltName"),
    ("2.5.29.19", "basicConstraints"),
    ("2.5.29.31", "cRLDistributionPoints"),
    ("2.5.29.35", "authorityKeyIdentifier"),
    ("2.5.29.37", "extKeyUsage"),
    ("1.3.6.1.4.1.3704.1.1", "structVersion"),
    ("1.3.6.1.4.1.3704.1.2", "productName"),
    ("1.3.6.1.4.1.3704.1.3.1", "blSPL"),
    ("1.3.6.1.4.1.3704.1.3.2", "teeSPL"),
    ("1.3.6.1.4.1.3704.1.3.3", "snpSPL"),
    ("1.3.6.1.4.1.3704.1.3.8", "ucodeSPL"),
    ("1.3.6.1.4.1.3704.1.3.9", "fmcSPL"),
    (
        "1.3.6.1.4.1.3704.1.4",
        "hwID: names the chip, personal data",
    ),
    ("1.3.6.1.4.1.3704.1.5", "cspID"),
];
