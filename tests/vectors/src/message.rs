//! The messages of docs/protocol.md §3 and §4.

use crate::scenario::Side;

/// One certificate, and the extensions of its entry: type and data.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) certificate: Vec<u8>,
    pub(crate) extensions: Vec<(u16, Vec<u8>)>,
}

pub(crate) fn request(sender: Side, context: &[u8], extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let kind = match sender {
        Side::Client => 17,
        Side::Server => 13,
    };
    handshake(
        kind,
        &[vector(1, context), vector(2, &list(extensions))].concat(),
    )
}

/// What the project puts into each request, and these further extensions.
pub(crate) fn usual_request(sender: Side, context: &[u8], further: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let first = [
        (SIGNATURE_ALGORITHMS, schemes(&SCHEMES)),
        (CMW_ATTESTATION, Vec::new()),
    ];
    request(sender, context, &[&first, further].concat())
}

/// The data of `signature_algorithms`.
pub(crate) fn schemes(schemes: &[u16]) -> Vec<u8> {
    let listed: Vec<u8> = schemes.iter().flat_map(|one| one.to_be_bytes()).collect();
    vector(2, &listed)
}

pub(crate) fn certificate(context: &[u8], entries: &[Entry]) -> Vec<u8> {
    let listed: Vec<u8> = entries
        .iter()
        .flat_map(|entry| {
            [
                vector(3, &entry.certificate),
                vector(2, &list(&entry.extensions)),
            ]
            .concat()
        })
        .collect();
    handshake(11, &[vector(1, context), vector(3, &listed)].concat())
}

pub(crate) fn certificate_verify(scheme: u16, signature: &[u8]) -> Vec<u8> {
    let body = [&scheme.to_be_bytes()[..], &vector(2, signature)].concat();
    handshake(15, &body)
}

pub(crate) fn finished(verify_data: &[u8]) -> Vec<u8> {
    handshake(20, verify_data)
}

/// The data of `cmw_attestation` in a CertificateEntry.
pub(crate) fn cmw_attestation(cmw: &[u8]) -> Vec<u8> {
    vector(2, cmw)
}

pub(crate) fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &vector(3, body)].concat()
}

/// `opaque content<0..2^(8 × width) - 1>`
pub(crate) fn vector(width: usize, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let (zeros, length) = length.split_at(4 - width);
    assert!(
        zeros.iter().all(|byte| *byte == 0),
        "the vector is too long"
    );
    [length, content].concat()
}

fn list(extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let each = extensions
        .iter()
        .map(|(kind, data)| [&kind.to_be_bytes()[..], &vector(2, data)].concat());
    each.collect::<Vec<_>>().concat()
}

/// The schemes of every request here that does not say otherwise.
pub(crate) const SCHEMES: [u16; 4] = [0x0807, 0x0403, 0x0503, 0x0804];

pub(crate) const SERVER_NAME: u16 = 0;
pub(crate) const SIGNATURE_ALGORITHMS: u16 = 13;
pub(crate) const CMW_ATTESTATION: u16 = 0xff00;
pub(crate) const ATTESTATION_PARAMETERS: u16 = 0xff02;
