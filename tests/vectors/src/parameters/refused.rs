//! Extensions that must be refused.
//!
//! The file is longer than others: it is one list of cases, and each is read beside its neighbours.

use crate::cbor;
use crate::cbor::boolean;
use crate::cbor::uint;
use crate::parameters::RefusedRequest;
use crate::parameters::RefusedSelection;
use crate::parameters::map;
use crate::parameters::media_types;
use crate::parameters::selection;
use crate::parameters::server;
use crate::parameters::server_of_profile;
use crate::scenario::Side;

pub(crate) fn refused_requests() -> Vec<RefusedRequest> {
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

pub(crate) fn refused_selections() -> Vec<RefusedSelection> {
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
