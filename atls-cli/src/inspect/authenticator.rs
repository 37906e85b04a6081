//! Exported authenticators and their requests (RFC 9261): handshake messages of TLS 1.3, and the frames around them.

use atls_core::exchange::ATTESTATION_PARAMETERS;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::limits::MAX_CHAIN;
use atls_core::limits::MAX_EXTENSIONS;

use super::cbor;
use super::certificate;
use super::claims::Names;
use super::found::Found;
use super::found::Within;
use super::tree::Node;
use crate::appraise::Evidence;

/// One or more handshake messages, with or without the frame that carries them.
pub(super) fn read(bytes: &[u8], within: Within) -> Option<Found> {
    if let [kind @ 1..=3, a, b, c, d, payload @ ..] = bytes
        && usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])) == Ok(payload.len())
    {
        let name = match kind {
            1 => "frame: authenticator request",
            2 => "frame: authenticator",
            _ => "frame: verdict",
        };
        let found = messages(payload, within);
        let inner = match &found {
            Some(found) => found.tree.clone(),
            None => Node::bytes("payload", payload),
        };
        let evidence = found.map(|found| found.evidence).unwrap_or_default();
        return Some(Found::holding(Node::branch(name).with(inner), evidence));
    }
    messages(bytes, within)
}

fn messages(bytes: &[u8], within: Within) -> Option<Found> {
    let mut reader = Reader(bytes);
    let mut nodes = Vec::new();
    let mut evidence = Vec::new();
    let mut is_request = false;
    while !reader.0.is_empty() {
        // Certificate, CertificateVerify and Finished are the most.
        if nodes.len() == 3 {
            return None;
        }
        let kind = reader.u8()?;
        let length = reader.u24()?;
        let mut body = Reader(reader.take(length)?);
        let node = match kind {
            11 => {
                let (node, found) = certificate_message(&mut body, within)?;
                evidence.extend(found);
                node
            }
            13 | 17 => {
                is_request = true;
                request(kind, &mut body)?
            }
            15 => verify(&mut body)?,
            20 => Node::bytes("Finished", body.rest())
                .meaning("MAC over all before it, under a key of the connection"),
            _ => return None,
        };
        if !body.0.is_empty() {
            return None;
        }
        nodes.push(node);
    }
    if nodes.is_empty() {
        return None;
    }
    let (name, says) = match is_request {
        true => (
            "authenticator request (RFC 9261)",
            "the authenticator that answers it signs it too",
        ),
        false => (
            "exported authenticator (RFC 9261)",
            "signature and MAC can be verified on its own connection alone",
        ),
    };
    let tree = Node::branch(name).meaning(says).with_all(nodes);
    Some(Found::holding(tree, evidence))
}

fn request(kind: u8, body: &mut Reader<'_>) -> Option<Node> {
    let name = match kind {
        13 => "CertificateRequest",
        _ => "ClientCertificateRequest",
    };
    let length = body.u8()?;
    let context = body.take(length.into())?;
    let mut list = body.list16()?;
    let mut node = Node::branch(name).with(Node::bytes("certificate_request_context", context));
    for (code, value) in extensions(&mut list)? {
        node = node.with(extension(code, value, None));
    }
    Some(node)
}

fn certificate_message(body: &mut Reader<'_>, within: Within) -> Option<(Node, Vec<Evidence>)> {
    let length = body.u8()?;
    let context = body.take(length.into())?;
    let length = body.u24()?;
    let mut list = Reader(body.take(length)?);
    let mut node = Node::branch("Certificate")
        .signed_by("the end-entity key, in CertificateVerify")
        .with(Node::bytes("certificate_request_context", context));
    let mut evidence = Vec::new();
    for _ in 0..MAX_CHAIN {
        if list.0.is_empty() {
            break;
        }
        let length = list.u24()?;
        let der = list.take(length)?;
        let mut entry = Node::branch("CertificateEntry").with(certificate::short(der));
        let mut inner = list.list16()?;
        for (code, value) in extensions(&mut inner)? {
            // An opaque vector within the extension.
            let cmw = value.split_first_chunk::<2>().map(|(_, cmw)| cmw);
            let is_cmw = code == CMW_ATTESTATION;
            let found = cmw.filter(|_| is_cmw).and_then(|cmw| within.recognise(cmw));
            entry = entry.with(extension(code, value, found.as_ref()));
            evidence.extend(found.map(|found| found.evidence).unwrap_or_default());
        }
        node = node.with(entry);
    }
    list.0.is_empty().then_some((node, evidence))
}

fn verify(body: &mut Reader<'_>) -> Option<Node> {
    let scheme = body.u16()?;
    let length = body.u16()?;
    let signature = body.take(length.into())?;
    Some(
        Node::branch("CertificateVerify")
            .with(Node::leaf("algorithm", format!("{scheme:#06x}")).meaning(algorithm(scheme)))
            .with(Node::bytes("signature", signature).unsigned()),
    )
}

/// RFC 8446 §4.2.3.
fn algorithm(scheme: u16) -> &'static str {
    match scheme {
        0x0403 => "ecdsa_secp256r1_sha256",
        0x0503 => "ecdsa_secp384r1_sha384",
        0x0603 => "ecdsa_secp521r1_sha512",
        0x0804 => "rsa_pss_rsae_sha256",
        0x0805 => "rsa_pss_rsae_sha384",
        0x0806 => "rsa_pss_rsae_sha512",
        0x0807 => "ed25519",
        _ => "another algorithm",
    }
}

fn extensions<'a>(list: &mut Reader<'a>) -> Option<Vec<(u16, &'a [u8])>> {
    let mut found = Vec::new();
    while !list.0.is_empty() {
        if found.len() == MAX_EXTENSIONS {
            return None;
        }
        let code = list.u16()?;
        let length = list.u16()?;
        found.push((code, list.take(length.into())?));
    }
    Some(found)
}

fn extension(code: u16, value: &[u8], found: Option<&Found>) -> Node {
    let name = match code {
        CMW_ATTESTATION => "cmw_attestation",
        ATTESTATION_PARAMETERS => "attestation_parameters",
        0x000d => "signature_algorithms",
        _ => "extension",
    };
    let node = Node::leaf(name, format!("{code:#06x}"));
    if let Some(found) = found {
        return node.with(found.tree.clone().covered());
    }
    match cbor::decode(value).filter(|_| code == ATTESTATION_PARAMETERS) {
        Some(parameters) => node.with(cbor::tree("value", &parameters, Names::Parameters)),
        None => node.with(Node::bytes("value", value)),
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    fn u8(&mut self) -> Option<u8> {
        let [byte] = self.take(1)?.try_into().ok()?;
        Some(byte)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u24(&mut self) -> Option<usize> {
        let [high, middle, low] = self.take(3)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes([0, high, middle, low])).ok()
    }

    fn list16(&mut self) -> Option<Self> {
        let length = self.u16()?;
        Some(Self(self.take(length.into())?))
    }
}
