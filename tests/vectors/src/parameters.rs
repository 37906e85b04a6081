//! `parameters.json`: §6

mod refused;

use serde::Deserialize;
use serde::Serialize;

use crate::Hex;
use crate::cbor;
use crate::cbor::boolean;
use crate::cbor::uint;
use crate::parameters::refused::refused_requests;
use crate::parameters::refused::refused_selections;
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

pub(crate) fn server_of_profile(profile: &str) -> Vec<u8> {
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

pub(crate) fn map(entries: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<_> = entries
        .iter()
        .map(|(key, value)| (uint(*key), value.clone()))
        .collect();
    cbor::map(&entries)
}

pub(crate) fn media_types(formats: &[&str]) -> Vec<u8> {
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
