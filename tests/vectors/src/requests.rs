//! `requests.json`: §3
//!
//! The file is longer than others: it is one list of cases, and each is read beside its neighbours.

use serde::Deserialize;
use serde::Serialize;

use crate::Hex;
use crate::message;
use crate::message::ATTESTATION_PARAMETERS;
use crate::message::CMW_ATTESTATION;
use crate::message::SCHEMES;
use crate::message::SERVER_NAME;
use crate::message::SIGNATURE_ALGORITHMS;
use crate::parameters;
use crate::scenario::Side;

#[derive(Serialize, Deserialize)]
pub struct Page {
    pub about: String,
    pub section: String,
    pub cases: Vec<Case>,
    pub refused: Vec<Refused>,
}

/// A request that must be accepted.
#[derive(Serialize, Deserialize)]
pub struct Case {
    pub name: String,
    pub sender: Side,
    pub context: Hex,
    pub extensions: Vec<Extension>,
    pub request: Hex,
}

#[derive(Serialize, Deserialize)]
pub struct Extension {
    pub r#type: Hex,
    pub data: Hex,
}

#[derive(Serialize, Deserialize)]
pub struct Refused {
    pub name: String,
    pub reason: String,
    pub because: String,
    pub sender: Side,
    /// A context that was sent or received on the connection before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spent: Option<Hex>,
    pub request: Hex,
}

pub fn page() -> Page {
    Page {
        about: "Authenticator requests with their handshake header. They are payloads of frames of type 1.".to_owned(),
        section: "§3".to_owned(),
        cases: cases(),
        refused: refused(),
    }
}

fn cases() -> Vec<Case> {
    let case = |name: &str, sender: Side, context: &[u8], extensions: &[(u16, Vec<u8>)]| Case {
        name: name.to_owned(),
        sender,
        context: context.into(),
        extensions: extensions
            .iter()
            .map(|(kind, data)| Extension {
                r#type: kind.to_be_bytes().into(),
                data: data.into(),
            })
            .collect(),
        request: message::request(sender, context, extensions).into(),
    };
    let minimal = usual();
    let with = |further: &[(u16, Vec<u8>)]| [&minimal[..], further].concat();
    let formats = ["application/x-evidence"];
    let by_client = with(&[(
        ATTESTATION_PARAMETERS,
        parameters::client(&formats, true, true, 1),
    )]);
    let by_server = with(&[(ATTESTATION_PARAMETERS, parameters::server(&formats, 1))]);
    let (client, server) = (Side::Client, Side::Server);
    let crowd: Vec<_> = (0..30).map(|n| (0xfe00 + n, Vec::new())).collect();
    vec![
        case("minimal, of a client", client, &client.context(), &minimal),
        case("minimal, of a server", server, &server.context(), &minimal),
        case(
            "with parameters, of a client",
            client,
            &client.context(),
            &by_client,
        ),
        case(
            "with parameters, of a server",
            server,
            &server.context(),
            &by_server,
        ),
        case(
            "attestation is not understood",
            client,
            &client.context(),
            &minimal[..1],
        ),
        case(
            "server_name, which is ignored",
            client,
            &client.context(),
            &with(&[(SERVER_NAME, vec![0, 4, 0, 0, 1, b'a'])]),
        ),
        case(
            "an extension that is not known",
            client,
            &client.context(),
            &with(&[(0xfa00, vec![1, 2, 3])]),
        ),
        case("32 extensions", client, &client.context(), &with(&crowd)),
        case("a context of no bytes", client, &[], &minimal),
        case("a context of 255 bytes", server, &[7; 255], &minimal),
        case(
            "PKCS #1 v1.5 is listed, which is never used",
            client,
            &client.context(),
            &[
                (SIGNATURE_ALGORITHMS, message::schemes(&[0x0401, 0x0807])),
                (CMW_ATTESTATION, Vec::new()),
            ],
        ),
    ]
}

fn refused() -> Vec<Refused> {
    let (client, server) = (Side::Client, Side::Server);
    let context = client.context();
    let minimal = usual();
    let with = |further: &[(u16, Vec<u8>)]| {
        message::request(client, &context, &[&minimal[..], further].concat())
    };
    let only = |extensions: &[(u16, Vec<u8>)]| message::request(client, &context, extensions);
    let good = message::request(client, &context, &minimal);
    let crowd: Vec<_> = (0..31).map(|n| (0xfe00 + n, Vec::new())).collect();
    let schemes = (SIGNATURE_ALGORITHMS, message::schemes(&SCHEMES));
    let by_server = message::request(server, &server.context(), &minimal);
    let named = [&minimal[..], &[(SERVER_NAME, vec![0, 4, 0, 0, 1, b'a'])]].concat();
    let wants = parameters::client(&["a/b"], true, true, 0);
    // The length of the message, of the context, and of the block of extensions.
    let at = |index: usize, value: u8| {
        let mut changed = good.clone();
        changed[index] = value;
        changed
    };
    let cases: Vec<(&str, &str, &str, Side, Option<Vec<u8>>, Vec<u8>)> = vec![
        (
            "empty",
            "malformed",
            "a message has a header of 4 bytes",
            client,
            None,
            Vec::new(),
        ),
        (
            "cut in the header",
            "malformed",
            "a message has a header of 4 bytes",
            client,
            None,
            good[..3].to_vec(),
        ),
        (
            "cut at the end",
            "malformed",
            "the length says more",
            client,
            None,
            good[..good.len() - 1].to_vec(),
        ),
        (
            "a byte after it",
            "malformed",
            "nothing stands after the message",
            client,
            None,
            [&good[..], &[0]].concat(),
        ),
        (
            "a byte after the extensions",
            "malformed",
            "nothing stands after the extensions",
            client,
            None,
            message::handshake(17, &[&good[4..], &[0]].concat()),
        ),
        (
            "the server's type from a client",
            "malformed",
            "a client's request has type 17",
            client,
            None,
            at(0, 13),
        ),
        (
            "the client's type from a server",
            "malformed",
            "a server's request has type 13",
            server,
            None,
            good.clone(),
        ),
        (
            "a Certificate",
            "malformed",
            "it is no request",
            client,
            None,
            at(0, 11),
        ),
        (
            "a context beyond the end",
            "malformed",
            "the length of the context says more",
            client,
            None,
            at(4, 255),
        ),
        (
            "no signature_algorithms",
            "malformed",
            "signature_algorithms is mandatory",
            client,
            None,
            only(&minimal[1..]),
        ),
        (
            "no scheme",
            "malformed",
            "signature_algorithms lists one scheme at least",
            client,
            None,
            only(&[(SIGNATURE_ALGORITHMS, message::schemes(&[]))]),
        ),
        (
            "half a scheme",
            "malformed",
            "a scheme has two bytes",
            client,
            None,
            only(&[(SIGNATURE_ALGORITHMS, vec![0, 3, 8, 7, 4])]),
        ),
        (
            "cmw_attestation with data",
            "malformed",
            "cmw_attestation is empty in a request",
            client,
            None,
            only(&[schemes.clone(), (CMW_ATTESTATION, vec![0])]),
        ),
        (
            "cmw_attestation twice",
            "duplicate-extension",
            "an extension type stands at most once",
            client,
            None,
            with(&[(CMW_ATTESTATION, Vec::new())]),
        ),
        (
            "an unknown extension twice",
            "duplicate-extension",
            "an extension type stands at most once, known or not",
            client,
            None,
            with(&[(0xfa00, vec![1]), (0xfa00, vec![2])]),
        ),
        (
            "33 extensions",
            "too-large",
            "at most 32 extensions",
            client,
            None,
            with(&crowd),
        ),
        (
            "server_name from a server",
            "unsolicited-extension",
            "server_name is from a client only",
            server,
            None,
            message::request(server, &server.context(), &named),
        ),
        (
            "parameters want Evidence, without cmw_attestation",
            "malformed",
            "a request that wants attestation has cmw_attestation",
            client,
            None,
            only(&[schemes, (ATTESTATION_PARAMETERS, wants)]),
        ),
        (
            "a context for the second time",
            "context-spent",
            "the context was received on this connection before",
            client,
            Some(context.clone()),
            good,
        ),
        (
            "a context of one's own",
            "context-spent",
            "the receiver sent this context on this connection itself",
            server,
            Some(server.context()),
            by_server,
        ),
    ];
    let refused = |(name, reason, because, sender, spent, request): (
        &str,
        &str,
        &str,
        Side,
        Option<Vec<u8>>,
        Vec<u8>,
    )| Refused {
        name: name.to_owned(),
        reason: reason.to_owned(),
        because: because.to_owned(),
        sender,
        spent: spent.map(Hex),
        request: request.into(),
    };
    cases.into_iter().map(refused).collect()
}

fn usual() -> Vec<(u16, Vec<u8>)> {
    vec![
        (SIGNATURE_ALGORITHMS, message::schemes(&SCHEMES)),
        (CMW_ATTESTATION, Vec::new()),
    ]
}
