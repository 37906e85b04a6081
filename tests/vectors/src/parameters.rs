//! `parameters.json`: §6

use serde::Deserialize;
use serde::Serialize;

use crate::Hex;
use crate::cbor;
use crate::cbor::boolean;
use crate::cbor::uint;
use crate::scenario::Side;

#[derive(Serialize, Deserialize)]
pub struct Page {
    pub about: String,
    pub section: String,
    pub requests: Vec<Request>,
    pub selections: Vec<Selection>,
    pub refused_requests: Vec<RefusedRequest>,
    pub refused_selections: Vec<RefusedSelection>,
}

/// The extension in a request.
#[derive(Clone, Serialize, Deserialize)]
pub struct Request {
    pub name: String,
    pub sender: Side,
    pub formats: Vec<String>,
    pub batches: bool,
    pub verdicts: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wants_evidence: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_attest: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<u64>,
    pub data: Hex,
}

/// The extension in a first CertificateEntry.
#[derive(Serialize, Deserialize)]
pub struct Selection {
    pub name: String,
    pub batches: bool,
    pub verdicts: bool,
    pub data: Hex,
}

#[derive(Serialize, Deserialize)]
pub struct RefusedRequest {
    pub name: String,
    pub reason: String,
    pub because: String,
    pub sender: Side,
    pub data: Hex,
}

/// A selection that must be refused in answer to a request that offered this.
#[derive(Serialize, Deserialize)]
pub struct RefusedSelection {
    pub name: String,
    pub reason: String,
    pub because: String,
    pub offered_batches: bool,
    pub offered_verdicts: bool,
    pub data: Hex,
}

/// Parameters as the project writes them: keys in order, key 3 always there.
pub(crate) fn client(formats: &[&str], verdicts: bool, wants: bool, can_attest: u64) -> Vec<u8> {
    map(&[
        (1, uint(1)),
        (2, media_types(formats)),
        (3, boolean(true)),
        (4, boolean(verdicts)),
        (5, boolean(wants)),
        (6, uint(can_attest)),
    ])
}

pub(crate) fn server(formats: &[&str], order: u64) -> Vec<u8> {
    map(&[
        (1, uint(1)),
        (2, media_types(formats)),
        (3, boolean(true)),
        (4, boolean(true)),
        (7, uint(order)),
    ])
}

fn server_of_profile(profile: &str) -> Vec<u8> {
    map(&[
        (1, uint(1)),
        (2, media_types(&["a/b"])),
        (4, boolean(true)),
        (7, uint(1)),
        (8, cbor::text(profile)),
    ])
}

pub(crate) fn selection(batches: bool, verdicts: bool) -> Vec<u8> {
    let mut entries = vec![(1, uint(1))];
    if batches {
        entries.push((3, boolean(true)));
    }
    entries.push((4, boolean(verdicts)));
    map(&entries)
}

fn map(entries: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<_> = entries
        .iter()
        .map(|(key, value)| (uint(*key), value.clone()))
        .collect();
    cbor::map(&entries)
}

fn media_types(formats: &[&str]) -> Vec<u8> {
    let texts: Vec<_> = formats.iter().map(|format| cbor::text(format)).collect();
    cbor::array(&texts)
}

pub fn page() -> Page {
    Page {
        about: "The data of the extension attestation_parameters, 0xff02.".to_owned(),
        section: "§6".to_owned(),
        requests: requests(),
        selections: selections(),
        refused_requests: refused_requests(),
        refused_selections: refused_selections(),
    }
}

fn requests() -> Vec<Request> {
    let formats = ["application/x-evidence", "application/eat+jwt"];
    let from_client = |name: &str, formats: &[&str], verdicts, wants, can_attest| Request {
        name: name.to_owned(),
        sender: Side::Client,
        formats: formats.iter().map(|&format| format.to_owned()).collect(),
        batches: true,
        verdicts,
        wants_evidence: Some(wants),
        can_attest: Some(can_attest),
        order: None,
        data: client(formats, verdicts, wants, can_attest).into(),
    };
    let from_server = |name: &str, order| Request {
        name: name.to_owned(),
        sender: Side::Server,
        formats: formats.map(str::to_owned).to_vec(),
        batches: true,
        verdicts: true,
        wants_evidence: None,
        can_attest: None,
        order: Some(order),
        data: server(&formats, order).into(),
    };
    let wants = from_client("a client wants Evidence", &formats, true, true, 0);
    let head = [(1, uint(1)), (2, media_types(&formats))];
    let tail = [(4, boolean(true)), (5, boolean(true)), (6, uint(0))];
    let without_key_3 = Request {
        name: "key 3 is absent, which is false".to_owned(),
        batches: false,
        data: map(&[&head[..], &tail].concat()).into(),
        ..wants.clone()
    };
    let unknown = [(99, cbor::array(&[cbor::text("later"), cbor::bytes(&[1])]))];
    let later = Request {
        name: "a later version, with a key that is not known".to_owned(),
        batches: false,
        data: map(&[&[(1, uint(2)), head[1].clone()], &tail[..], &unknown].concat()).into(),
        ..wants.clone()
    };
    let named = Request {
        name: "the name of the wire profile".to_owned(),
        data: map(&[&head[..], &tail, &[(8, cbor::text("expat-03"))]].concat()).into(),
        ..without_key_3.clone()
    };
    let mut reversed = [&head[..], &tail].concat();
    reversed.reverse();
    let reversed = Request {
        name: "keys in another order".to_owned(),
        data: map(&reversed).into(),
        ..without_key_3.clone()
    };
    vec![
        wants,
        from_client(
            "a client wants Evidence and can attest after the server",
            &formats,
            true,
            true,
            1,
        ),
        from_client(
            "a client wants Evidence and can attest in either order",
            &formats,
            true,
            true,
            2,
        ),
        from_client(
            "a client attests and wants no Evidence",
            &[],
            false,
            false,
            1,
        ),
        from_server("a server asks the client to attest after it", 1),
        from_server("a server asks the client to attest first", 2),
        without_key_3,
        later,
        reversed,
        named,
    ]
}

fn selections() -> Vec<Selection> {
    let of = |name: &str, batches, verdicts, data: Vec<u8>| Selection {
        name: name.to_owned(),
        batches,
        verdicts,
        data: data.into(),
    };
    vec![
        of("a verdict is expected", false, true, selection(false, true)),
        of(
            "no verdict is expected",
            false,
            false,
            selection(false, false),
        ),
        of(
            "Evidence of a batch, and a verdict is expected",
            true,
            true,
            selection(true, true),
        ),
        of(
            "key 3 is there and false",
            false,
            true,
            map(&[(1, uint(1)), (3, boolean(false)), (4, boolean(true))]),
        ),
        of(
            "a key that is not known",
            false,
            true,
            map(&[(1, uint(1)), (4, boolean(true)), (9, uint(9))]),
        ),
    ]
}

fn refused_requests() -> Vec<RefusedRequest> {
    let formats = media_types(&["application/x-evidence"]);
    let good = vec![
        (1, uint(1)),
        (2, formats),
        (4, boolean(true)),
        (5, boolean(true)),
        (6, uint(0)),
    ];
    let with = |key: u64, value: Vec<u8>| {
        let changed = good.iter().map(|(known, old)| {
            (
                *known,
                if *known == key {
                    value.clone()
                } else {
                    old.clone()
                },
            )
        });
        map(&changed.collect::<Vec<_>>())
    };
    let without = |key: u64| {
        let rest = good.iter().filter(|(known, _)| *known != key).cloned();
        map(&rest.collect::<Vec<_>>())
    };
    let whole = map(&good);
    let many = vec!["a/b"; 65];
    let mut repeated = good.clone();
    repeated.push((4, boolean(false)));
    let mut nested = uint(0);
    for _ in 0..20 {
        nested = cbor::array(&[nested]);
    }
    let mut deep = good.clone();
    deep.push((20, nested));
    let mut crowded = good.clone();
    crowded.push((20, cbor::array(&vec![uint(0); 256])));
    let client = Side::Client;
    let cases: Vec<(&str, &str, &str, Side, Vec<u8>)> = vec![
        ("empty", "malformed", "there is no map", client, Vec::new()),
        (
            "an array",
            "malformed",
            "it is a map",
            client,
            cbor::array(&[uint(1)]),
        ),
        (
            "cut",
            "malformed",
            "the map ends early",
            client,
            whole[..whole.len() - 1].to_vec(),
        ),
        (
            "a byte after the map",
            "malformed",
            "nothing stands after the map",
            client,
            [&whole[..], &[0]].concat(),
        ),
        (
            "version 0",
            "unsupported-parameters",
            "version 0 does not exist",
            client,
            with(1, uint(0)),
        ),
        (
            "no version",
            "malformed",
            "key 1 must be there",
            client,
            without(1),
        ),
        (
            "no media types",
            "malformed",
            "key 2 must be there",
            client,
            without(2),
        ),
        (
            "no key 4",
            "malformed",
            "key 4 must be there",
            client,
            without(4),
        ),
        (
            "no key 5 from a client",
            "malformed",
            "key 5 must be there, from a client",
            client,
            without(5),
        ),
        (
            "no key 6 from a client",
            "malformed",
            "key 6 must be there, from a client",
            client,
            without(6),
        ),
        (
            "a client's from a server",
            "malformed",
            "key 7 must be there, from a server",
            Side::Server,
            whole.clone(),
        ),
        (
            "a server's from a client",
            "malformed",
            "keys 5 and 6 must be there, from a client",
            client,
            server(&["a/b"], 1),
        ),
        (
            "key 4 twice",
            "malformed",
            "a known key stands at most once",
            client,
            map(&repeated),
        ),
        (
            "key 3 is a number",
            "malformed",
            "key 3 is true or false",
            client,
            map(&[&good[..], &[(3, uint(1))]].concat()),
        ),
        (
            "key 4 is a number",
            "malformed",
            "key 4 is true or false",
            client,
            with(4, uint(1)),
        ),
        (
            "key 5 is null",
            "malformed",
            "key 5 is true or false",
            client,
            with(5, vec![0xf6]),
        ),
        (
            "key 6 is 3",
            "unsupported-parameters",
            "key 6 is 0, 1 or 2",
            client,
            with(6, uint(3)),
        ),
        (
            "key 6 is negative",
            "malformed",
            "key 6 is 0, 1 or 2",
            client,
            with(6, vec![0x20]),
        ),
        (
            "order 0",
            "unsupported-parameters",
            "key 7 is 1 or 2",
            Side::Server,
            server(&["a/b"], 0),
        ),
        (
            "order 3",
            "unsupported-parameters",
            "key 7 is 1 or 2",
            Side::Server,
            server(&["a/b"], 3),
        ),
        (
            "version as a bignum",
            "malformed",
            "integers are no bignums",
            client,
            with(1, cbor::tag(2, &cbor::bytes(&[1]))),
        ),
        (
            "a media type of bytes",
            "malformed",
            "media types are text",
            client,
            with(2, cbor::array(&[cbor::bytes(b"a/b")])),
        ),
        (
            "a media type without subtype",
            "malformed",
            "media types are those of RFC 6838",
            client,
            with(2, media_types(&["evidence"])),
        ),
        (
            "65 media types",
            "too-large",
            "at most 64 media types",
            client,
            with(2, media_types(&many)),
        ),
        (
            "another wire profile",
            "other-profile",
            "both ends are of one profile, and these vectors are of expat-03",
            client,
            map(&[&good[..], &[(8, cbor::text("expat-99"))]].concat()),
        ),
        (
            "another wire profile, from a server",
            "other-profile",
            "both ends are of one profile",
            Side::Server,
            server_of_profile("expat-99"),
        ),
        (
            "a wire profile of no letters",
            "malformed",
            "a name has 1 to 64 letters, digits, -, . and _",
            client,
            map(&[&good[..], &[(8, cbor::text(""))]].concat()),
        ),
        (
            "a wire profile in bytes",
            "malformed",
            "a name is text",
            client,
            map(&[&good[..], &[(8, cbor::bytes(b"expat-03"))]].concat()),
        ),
        (
            "nested 20 deep",
            "malformed",
            "nesting is at most 16 deep, also under keys that are not known",
            client,
            map(&deep),
        ),
        (
            "more than 256 values",
            "too-large",
            "at most 256 values, also under keys that are not known",
            client,
            map(&crowded),
        ),
    ];
    let refused =
        |(name, reason, because, sender, data): (&str, &str, &str, Side, Vec<u8>)| RefusedRequest {
            name: name.to_owned(),
            reason: reason.to_owned(),
            because: because.to_owned(),
            sender,
            data: data.into(),
        };
    cases.into_iter().map(refused).collect()
}

fn refused_selections() -> Vec<RefusedSelection> {
    let good = selection(false, true);
    let cases: Vec<(&str, &str, &str, bool, bool, Vec<u8>)> = vec![
        (
            "a verdict that was not offered",
            "unsupported-parameters",
            "what was not offered cannot be chosen",
            true,
            false,
            good.clone(),
        ),
        (
            "a batch that was not offered",
            "unsupported-parameters",
            "what was not offered cannot be chosen",
            false,
            true,
            selection(true, true),
        ),
        (
            "version 2",
            "unsupported-parameters",
            "the version must be one that was offered",
            true,
            true,
            map(&[(1, uint(2)), (4, boolean(true))]),
        ),
        (
            "version 0",
            "unsupported-parameters",
            "version 0 does not exist",
            true,
            true,
            map(&[(1, uint(0)), (4, boolean(true))]),
        ),
        (
            "no version",
            "malformed",
            "key 1 must be there",
            true,
            true,
            map(&[(4, boolean(true))]),
        ),
        (
            "no key 4",
            "malformed",
            "key 4 must be there",
            true,
            true,
            map(&[(1, uint(1))]),
        ),
        (
            "key 4 twice",
            "malformed",
            "a known key stands at most once",
            true,
            true,
            map(&[(1, uint(1)), (4, boolean(true)), (4, boolean(false))]),
        ),
        (
            "a byte after the map",
            "malformed",
            "nothing stands after the map",
            true,
            true,
            [&good[..], &[0]].concat(),
        ),
        (
            "empty",
            "malformed",
            "there is no map",
            true,
            true,
            Vec::new(),
        ),
    ];
    let refused = |(name, reason, because, offered_batches, offered_verdicts, data): (
        &str,
        &str,
        &str,
        bool,
        bool,
        Vec<u8>,
    )| RefusedSelection {
        name: name.to_owned(),
        reason: reason.to_owned(),
        because: because.to_owned(),
        offered_batches,
        offered_verdicts,
        data: data.into(),
    };
    cases.into_iter().map(refused).collect()
}
