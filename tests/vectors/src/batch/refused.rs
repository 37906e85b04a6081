//! Proofs and answers that must be refused.
//!
//! The file is longer than others: it is one list of cases, and each is read beside its neighbours.

use super::PROOF;
use super::RefusedProof;
use super::carrying;
use super::connections;
use super::of_batch;
use super::proof;
use super::tree;
use crate::authenticators::MEDIA_TYPE;
use crate::authenticators::evidence;
use crate::cbor;
use crate::keys::Keys;
use crate::message;
use crate::message::ATTESTATION_PARAMETERS;
use crate::parameters;
use crate::scenario::Draft;
use crate::scenario::Refused;
use crate::scenario::Side;

pub(super) fn proofs() -> Vec<RefusedProof> {
    let hash = [0x55; 32];
    let two = [hash, hash].concat();
    let good = proof(1, 3, &two);
    let array = |fields: &[Vec<u8>]| cbor::array(fields);
    let (one, three, path) = (cbor::uint(1), cbor::uint(3), cbor::bytes(&two));
    let cases: Vec<(&str, &str, &str, Vec<u8>)> = vec![
        (
            "a tree of one leaf",
            "proof-size",
            "a batch has 2 leaves at least",
            proof(0, 1, &[]),
        ),
        (
            "a tree of no leaf",
            "proof-size",
            "a batch has 2 leaves at least",
            proof(0, 0, &[]),
        ),
        (
            "a tree of 65,537 leaves",
            "proof-size",
            "a batch has 65,536 leaves at most",
            proof(65_536, 65_537, &hash),
        ),
        (
            "a size of 33 bits",
            "proof-size",
            "a batch has 65,536 leaves at most",
            proof(0, 1 << 32, &hash),
        ),
        (
            "an index of the size",
            "proof-index",
            "index is below size",
            proof(3, 3, &hash),
        ),
        (
            "a hash too few",
            "proof-path-length",
            "index and size fix the length of the path",
            proof(1, 3, &hash),
        ),
        (
            "a hash too many",
            "proof-path-length",
            "index and size fix the length of the path",
            proof(2, 3, &two),
        ),
        (
            "half a hash",
            "proof-path-length",
            "a hash has 32 bytes",
            proof(2, 3, &hash[..16]),
        ),
        (
            "no path",
            "proof-path-length",
            "index and size fix the length of the path",
            proof(0, 2, &[]),
        ),
        (
            "no bytes",
            "proof-malformed",
            "a proof is an array",
            Vec::new(),
        ),
        (
            "cut",
            "proof-malformed",
            "the path ends early",
            good[..good.len() - 1].to_vec(),
        ),
        (
            "a byte after it",
            "proof-malformed",
            "nothing stands after the proof",
            [&good[..], &[0]].concat(),
        ),
        (
            "two fields",
            "proof-malformed",
            "index, size and path",
            array(&[one.clone(), three.clone()]),
        ),
        (
            "four fields",
            "proof-malformed",
            "index, size and path",
            array(&[one.clone(), three.clone(), path.clone(), cbor::uint(0)]),
        ),
        (
            "a path of text",
            "proof-malformed",
            "the path is a byte string",
            array(&[one.clone(), three.clone(), cbor::text("path")]),
        ),
        (
            "a path in an array",
            "proof-malformed",
            "the path is one byte string",
            array(&[
                one.clone(),
                three.clone(),
                cbor::array(&[cbor::bytes(&hash), cbor::bytes(&hash)]),
            ]),
        ),
        (
            "a negative index",
            "proof-malformed",
            "index is no negative number",
            array(&[vec![0x20], three.clone(), path.clone()]),
        ),
        (
            "an index with a long head",
            "proof-malformed",
            "the encoding is deterministic",
            array(&[vec![0x18, 1], three.clone(), path.clone()]),
        ),
        (
            "an index as a bignum",
            "proof-malformed",
            "the encoding is deterministic",
            array(&[cbor::tag(2, &cbor::bytes(&[1])), three, path]),
        ),
    ];
    let refused = |(name, reason, because, proof): (&str, &str, &str, Vec<u8>)| RefusedProof {
        name: name.to_owned(),
        reason: reason.to_owned(),
        because: because.to_owned(),
        proof: proof.into(),
    };
    cases.into_iter().map(refused).collect()
}

/// Answers of the second of three connections.
pub(super) fn answers(keys: &mut Keys) -> Vec<Refused> {
    let key = keys.key("ed25519");
    let drafts = connections(&[Side::Server; 3], 1, &key);
    let leaves: Vec<_> = drafts
        .iter()
        .map(|draft| tree::leaf(&draft.binder()))
        .collect();
    let root = tree::root(&leaves);
    let evidence = evidence(&root);
    let path = tree::path(1, &leaves).concat();
    let own = proof(1, 3, &path);
    let (zero, one) = (cbor::uint(0), cbor::uint(1));
    let record = cbor::array(&[cbor::text(PROOF), cbor::bytes(&own)]);
    let good = of_batch(&evidence, &own);
    let within = cbor::map(&[
        (cbor::text("a"), evidence.clone()),
        (cbor::text("b"), record.clone()),
    ]);
    let labelled = cbor::array(&[cbor::text(PROOF), cbor::bytes(&own), cbor::uint(4)]);
    let other_type = cbor::array(&[cbor::text("application/x-proof"), cbor::bytes(&own)]);
    let typed = [
        (zero.clone(), evidence.clone()),
        (one.clone(), record.clone()),
        (cbor::text("__cmwc_t"), cbor::text("1.2.3")),
    ];
    let json = r#"{"0":["application/x-evidence","3q2-7w",4],"1":["application/vnd.atls.inclusion-proof+cbor","3q2-7w"]}"#;
    let no_root = proof(1, 3, &[&path[32..], &path[..32]].concat());
    let cases: Vec<(&str, &str, &str, bool, Vec<u8>)> = vec![
        (
            "a proof, and a selection that says no batch",
            "proof-unexpected",
            "a proof stands only where the selection says so",
            false,
            good,
        ),
        (
            "a selection that says batch, and no proof",
            "proof-not-of-batch",
            "the Evidence of a batch has a proof beside it",
            true,
            evidence.clone(),
        ),
        (
            "members in another order",
            "proof-not-of-batch",
            "the encoding is deterministic",
            true,
            cbor::map(&[
                (one.clone(), record.clone()),
                (zero.clone(), evidence.clone()),
            ]),
        ),
        (
            "a map without length",
            "proof-not-of-batch",
            "the encoding is deterministic",
            true,
            [&[0xbf][..], &of_batch(&evidence, &own)[1..], &[0xff]].concat(),
        ),
        (
            "a third member",
            "proof-not-of-batch",
            "these two members and no others",
            true,
            cbor::map(&[
                (zero.clone(), evidence.clone()),
                (one.clone(), record.clone()),
                (cbor::uint(2), evidence.clone()),
            ]),
        ),
        (
            "a collection with a type",
            "proof-not-of-batch",
            "the collection has no type",
            true,
            cbor::map(&typed),
        ),
        (
            "an indicator at the proof",
            "proof-not-of-batch",
            "the proof has no indicator",
            true,
            cbor::map(&[(zero.clone(), evidence.clone()), (one.clone(), labelled)]),
        ),
        (
            "a proof of another type",
            "proof-not-of-batch",
            "the proof has its media type",
            true,
            cbor::map(&[(zero.clone(), evidence.clone()), (one.clone(), other_type)]),
        ),
        (
            "text labels",
            "proof-not-of-batch",
            "the labels are the numbers 0 and 1",
            true,
            cbor::map(&[
                (cbor::text("0"), evidence.clone()),
                (cbor::text("1"), record.clone()),
            ]),
        ),
        (
            "JSON",
            "proof-not-of-batch",
            "a batch is in CBOR",
            true,
            json.as_bytes().to_vec(),
        ),
        (
            "a proof within the Evidence",
            "proof-unexpected",
            "there is one proof, at the top",
            true,
            of_batch(&within, &own),
        ),
        (
            "a proof of one leaf",
            "proof-size",
            "a batch has 2 leaves at least",
            true,
            of_batch(&evidence, &proof(0, 1, &[])),
        ),
        (
            "a proof without its last hash",
            "proof-path-length",
            "index and size fix the length of the path",
            true,
            of_batch(&evidence, &proof(1, 3, &path[..32])),
        ),
        (
            "the proof of a neighbour",
            "not-bound",
            "the receiver folds its own binder, which leads to another root",
            true,
            of_batch(&evidence, &proof(0, 3, &tree::path(0, &leaves).concat())),
        ),
        (
            "the path from the top down",
            "not-bound",
            "the lowest hash comes first",
            true,
            of_batch(&evidence, &no_root),
        ),
        (
            "Evidence over the binder itself",
            "not-bound",
            "the Evidence of a batch carries the root",
            true,
            of_batch(&super::evidence(&drafts[1].binder()), &own),
        ),
    ];
    let mut refused = Vec::new();
    for (name, reason, because, batch, cmw) in cases {
        let answer = carrying(&drafts[1], &cmw, &parameters::selection(batch, true));
        refused.push(refusal(name, reason, because, &answer, keys));
    }
    let mut unasked = drafts.into_iter().nth(1).unwrap();
    unasked.request = request_without_batches(&unasked);
    let answer = carrying(
        &unasked,
        &of_batch(&evidence, &own),
        &parameters::selection(true, true),
    );
    let because = "the request did not offer key 3";
    refused.push(refusal(
        "a batch that was not offered",
        "unsupported-parameters",
        because,
        &answer,
        keys,
    ));
    refused
}

fn request_without_batches(draft: &Draft) -> Vec<u8> {
    let data = cbor::map(&[
        (cbor::uint(1), cbor::uint(1)),
        (cbor::uint(2), cbor::array(&[cbor::text(MEDIA_TYPE)])),
        (cbor::uint(3), cbor::boolean(false)),
        (cbor::uint(4), cbor::boolean(true)),
        (cbor::uint(5), cbor::boolean(true)),
        (cbor::uint(6), cbor::uint(0)),
    ]);
    message::usual_request(
        Side::Client,
        &draft.context,
        &[(ATTESTATION_PARAMETERS, data)],
    )
}

fn refusal(name: &str, reason: &str, because: &str, answer: &Draft, keys: &mut Keys) -> Refused {
    Refused {
        name: name.to_owned(),
        reason: reason.to_owned(),
        because: because.to_owned(),
        suite: answer.suite.name().to_owned(),
        exporter_secret: answer.exporter_secret.clone().into(),
        sender: answer.sender,
        handshake_key: Some(answer.key.name.clone()),
        request: answer.request.clone().into(),
        authenticator: answer.parts(keys).authenticator().into(),
    }
}
