//! Evidence that many connections share, in both roles, and every proof that is refused.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::PeerAttestation;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::Verifier;
use atls_core::batch::Batch;
use atls_core::batch::BatchError;
use atls_core::batch::Batches;
use atls_core::batch::InclusionProof;
use atls_core::batch::ProofError;
use atls_core::cmw::Cmw;
use atls_core::cmw::CmwError;
use atls_core::cmw::Indicator;
use atls_core::cmw::Label;
use atls_core::cmw::Type;
use atls_core::combine::Cached;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::exchange::ATTESTATION_PARAMETERS;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use atls_core::exchange::Order;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::Parameters;
use atls_core::exchange::Pending;
use atls_core::exchange::SendError;
use atls_core::pki_types::UnixTime;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::CipherSuite;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use sha2::Digest;
use sha2::Sha256;
use support::Pair;
use support::forge;
use support::forge::Forge;
use support::identity;
use support::identity_of;
use support::providers;
use test_support::at;
use test_support::ready;

// --- Honest batches ----------------------------------------------------------------------------------------------------

#[test]
fn every_connection_of_a_batch_is_accepted_in_both_roles_and_under_both_hashes() {
    for attests in [Side::Server, Side::Client] {
        for size in [2, 3, 5, 8] {
            // Suites of either hash, in one batch.
            let connections = (0..size).map(|n| {
                let suite = [SHA256, SHA384][n % 2];
                Connection::of(attests, suite, &Party::new())
            });
            let mut lengths = Vec::new();
            for (connection, answer) in attest(connections.collect()) {
                lengths.push(connection.bound().len());
                let credential = connection.finish(&answer.unwrap());
                assert_eq!(credential.bound().as_bytes().len(), 32);
                assert_eq!(credential.cmw().items().len(), 1);
                assert!(decide(Plain::new(), credential).is_ok());
            }
            assert!(lengths.contains(&32) && lengths.contains(&48));
        }
    }
}

#[test]
fn a_batch_of_one_is_plain_evidence_over_the_binder_itself() {
    let connection = Connection::new();
    let bound = connection.bound();
    let (connection, answer) = attest(vec![connection]).pop().unwrap();
    let answer = answer.unwrap();
    assert!(!answer.is_of_batch());
    assert_eq!(answer, evidence(&bound));
    let credential = connection.finish(&answer);
    assert_eq!(credential.bound().as_bytes(), bound);
    assert_eq!(credential.selection().unwrap().batches, Batches::No);
    assert!(decide(Plain::new(), credential).is_ok());
}

#[test]
fn an_answer_of_a_batch_says_so_and_its_evidence_carries_the_root() {
    let connections = vec![Connection::new(), Connection::new()];
    let leaves: Vec<_> = connections.iter().map(|c| leaf(&c.bound())).collect();
    let root = node(&leaves[0], &leaves[1]);
    for (connection, answer) in attest(connections) {
        let credential = connection.finish(&answer.unwrap());
        assert_eq!(credential.selection().unwrap().batches, Batches::Yes);
        assert_eq!(credential.bound().as_bytes(), root);
        assert_eq!(credential.cmw(), &evidence(&root));
    }
}

#[test]
fn a_composite_with_endorsements_is_shared_whole() {
    let connections = vec![Connection::new(), Connection::new(), Connection::new()];
    let batch = batch(connections);
    let bound = batch.request().bound().as_bytes().to_vec();
    let members = vec![
        ("cpu".into(), evidence(&bound)),
        (
            "certificates".into(),
            Cmw::record(
                Type::Media(media_type()),
                b"endorsement".to_vec(),
                Some(Indicator::ENDORSEMENTS),
            ),
        ),
    ];
    let made = Cmw::collection(Some("tag:example.com,2026:two".to_owned()), members).unwrap();
    for (connection, answer) in batch.answer(Ok(made.clone())) {
        let credential = connection.finish(&answer.unwrap());
        assert_eq!(credential.cmw(), &made);
        assert!(decide(Plain::new(), credential).is_ok());
    }
}

#[test]
fn a_failure_is_given_to_every_connection() {
    let failed = AttestError::Device("unplugged".to_owned());
    let answers = batch(vec![Connection::new(), Connection::new()]).answer(Err(failed.clone()));
    let errors: Vec<_> = answers.map(|(_, answer)| answer.unwrap_err()).collect();
    assert_eq!(errors, [failed.clone(), failed]);
}

#[test]
fn evidence_without_room_for_a_proof_fails_and_is_not_cut() {
    let full = |items: u8| {
        let members = (0..items).map(|n| (Label::Integer(n.into()), evidence(&[n])));
        Cmw::collection(None, members.collect()).unwrap()
    };
    let deep = (0..4).fold(evidence(b"deep"), |inner, _| {
        Cmw::collection(None, vec![("a".into(), inner)]).unwrap()
    });
    for made in [full(8), deep] {
        let two = batch(vec![Connection::new(), Connection::new()]);
        assert_eq!(two.check_room(&made), Err(CmwError::NoRoomForProof.into()));
        for (_, answer) in two.answer(Ok(made)) {
            assert_eq!(answer, Err(CmwError::NoRoomForProof.into()));
        }
    }
    for (connection, answer) in
        batch(vec![Connection::new(), Connection::new()]).answer(Ok(full(7)))
    {
        assert_eq!(connection.finish(&answer.unwrap()).cmw(), &full(7));
    }
}

#[test]
fn the_largest_evidence_of_a_batch_has_room_for_the_longest_proof_whatever_its_size() {
    // The record of the Evidence takes 28 bytes beside it. The longest proof has 574, that of a batch of two 86.
    const LARGEST: usize = 64_944 - 28;
    let made = |length| Cmw::evidence(media_type(), vec![7; length]);
    let two = || batch(vec![Connection::new(), Connection::new()]);
    for (connection, answer) in two().answer(Ok(made(LARGEST))) {
        let answer = answer.unwrap();
        assert_eq!(answer.encode().unwrap().len(), 65_518 - 574 + 86);
        assert_eq!(connection.finish(&answer).cmw(), &made(LARGEST));
    }
    for (_, answer) in two().answer(Ok(made(LARGEST + 1))) {
        assert_eq!(answer, Err(CmwError::NoRoomForProof.into()));
    }
}

#[test]
fn what_does_not_fit_into_an_answer_declines_and_says_why() {
    let made = Cmw::evidence(media_type(), vec![7; 65_520 - 28 + 1]);
    let connection = Connection::new();
    let (answer, reason) = connection.challenge.answer_or_decline(&made).unwrap();
    let too_large = SendError::Cmw(CmwError::TooLarge);
    assert_eq!(reason, Some(too_large.into()));
    let refused = connection.pending.finish(&answer).map(drop);
    assert_eq!(refused, Err(ProtocolError::Declined));
}

// --- What the attester's end cannot get wrong --------------------------------------------------------------------------

#[test]
fn no_connections_make_no_batch_nor_do_those_that_take_none() {
    let empty: Vec<(OwnedAttestRequest, ())> = Vec::new();
    assert_eq!(Batch::new(empty).unwrap_err(), BatchError::Empty);
    let silent = Connection::with(|parameters| parameters.batches = Batches::No);
    let minimal = Connection::minimal(&Party::new());
    for alone in [silent, minimal] {
        assert_eq!(alone.challenge.to_attest().unwrap().batches(), Batches::No);
        let requests = vec![(Connection::new().to_attest(), ()), (alone.to_attest(), ())];
        assert_eq!(Batch::new(requests).unwrap_err(), BatchError::Unsuitable);
        assert!(Batch::new(vec![(alone.to_attest(), ())]).is_ok());
    }
    let of_key = OwnedAttestRequest::for_key(&*identity(&providers()[0]).key).unwrap();
    assert_eq!(of_key.as_request().batches(), Batches::No);
}

#[test]
fn a_batch_has_at_most_65_536_connections() {
    let request = Connection::new().to_attest();
    let of = |size: usize| Batch::new(vec![(request.clone(), ()); size]).map(|batch| batch.len());
    assert_eq!(of(65_536), Ok(65_536));
    assert_eq!(of(65_537), Err(BatchError::TooLarge));
}

#[test]
fn what_a_device_makes_for_a_batch_is_not_batched_again() {
    let two = batch(vec![Connection::new(), Connection::new()]);
    assert_eq!(two.request().batches(), Batches::No);
    let one = batch(vec![Connection::new()]);
    assert_eq!(one.request().batches(), Batches::No);
    // An attester that gives such Evidence all the same does not get through.
    let mut answers = attest(vec![Connection::new(), Connection::new()]);
    let batched = answers.remove(0).1.unwrap();
    for (_, answer) in two.answer(Ok(batched.clone())) {
        assert_eq!(answer, Err(AttestError::Cmw(CmwError::NestedProof)));
    }
    let nested = Cmw::collection(None, vec![("a".into(), batched.clone())]);
    assert_eq!(nested, Err(CmwError::NestedProof));
    let in_certificate = atls_core::certificate::cmw_extension(&batched);
    assert_eq!(in_certificate, Err(CmwError::NestedProof));
    assert_eq!(batched.to_json(), Err(CmwError::NotInJson));
}

#[test]
fn an_answer_goes_to_the_connection_that_it_was_made_for() {
    let mut answers = attest(vec![Connection::new(), Connection::new()]);
    let (second, _) = answers.pop().unwrap();
    let (_, first) = answers.pop().unwrap();
    let refused = second.challenge.answer(&first.unwrap()).unwrap_err();
    assert_eq!(refused, SendError::OtherMember.into());
}

#[test]
fn a_peer_that_takes_no_batches_is_sent_none() {
    let mut answers = attest(vec![Connection::new(), Connection::new()]);
    let batched = answers.remove(0).1.unwrap();
    let silent = Connection::with(|parameters| parameters.batches = Batches::No);
    let minimal = Connection::minimal(&Party::new());
    for connection in [silent, minimal] {
        let refused = connection.challenge.answer(&batched).unwrap_err();
        assert_eq!(refused, SendError::UnwantedBatch.into());
    }
}

// --- What a relying party refuses --------------------------------------------------------------------------------------

#[test]
fn a_proof_of_another_connection_leads_elsewhere() {
    let victim = Connection::new();
    let answers = attest(vec![
        Connection::new(),
        Connection::new(),
        Connection::new(),
    ]);
    for (_, answer) in answers {
        let moved = answer.unwrap().encode().unwrap();
        let credential = victim.again().presented(&moved, BATCH).unwrap();
        assert_eq!(decide(Plain::new(), credential), NOT_BOUND);
    }
}

#[test]
fn a_proof_of_another_batch_does_not_serve_this_evidence() {
    let connections = vec![Connection::new(), Connection::new()];
    let root = batch_root(&connections);
    let other = [7; 32];
    for (index, connection) in connections.into_iter().enumerate() {
        // The genuine Evidence of this batch, with a proof that leads from this connection to another root.
        let foreign = proof(index.try_into().unwrap(), 2, &other);
        let message = collection(&evidence(&root), &foreign);
        let credential = connection.presented(&message, BATCH).unwrap();
        assert_eq!(decide(Plain::new(), credential), NOT_BOUND);
    }
}

#[test]
fn evidence_over_the_binder_does_not_pass_as_that_of_a_batch_nor_the_other_way_round() {
    let connection = Connection::new();
    let own = evidence(&connection.bound());
    let message = collection(&own, &proof(0, 2, &[7; 32]));
    let credential = connection.presented(&message, BATCH).unwrap();
    assert_eq!(decide(Plain::new(), credential), NOT_BOUND);

    let connections = vec![Connection::new(), Connection::new()];
    let root = batch_root(&connections);
    for connection in connections {
        let message = evidence(&root).encode().unwrap();
        let credential = connection.presented(&message, NO_BATCH).unwrap();
        assert_eq!(decide(Plain::new(), credential), NOT_BOUND);
    }
}

#[test]
fn malformed_proofs_are_refused_one_by_one() {
    let path = |hashes: usize| vec![7; hashes * 32];
    for (index, size, path, error) in [
        (0, 0, path(0), ProofError::Size),
        (0, 1, path(0), ProofError::Size),
        (0, 65_537, path(16), ProofError::Size),
        (2, 2, path(1), ProofError::Index),
        (5, 3, path(2), ProofError::Index),
        (0, 2, path(0), ProofError::PathLength),
        (0, 2, path(2), ProofError::PathLength),
        (0, 2, vec![7; 31], ProofError::PathLength),
        (0, 2, vec![7; 33], ProofError::PathLength),
        (2, 3, path(2), ProofError::PathLength),
    ] {
        let message = collection(&evidence(b"e"), &cbor_proof(index, size, &path));
        let refused = Connection::new().presented(&message, BATCH).unwrap_err();
        assert_eq!(refused, error.into(), "{index} of {size}");
    }
    let valid = cbor_proof(1, 2, &path(1));
    for malformed in [
        Vec::new(),
        [&valid[..], &[0]].concat(),
        valid[..valid.len() - 1].to_vec(),
        [&[0x83, 0x18, 1, 2][..], &valid[3..]].concat(),
        [&[0xd8, 24][..], &valid].concat(),
        valid[1..].to_vec(),
    ] {
        let message = collection(&evidence(b"e"), &malformed);
        let refused = Connection::new().presented(&message, BATCH).unwrap_err();
        assert_eq!(refused, ProofError::Malformed.into(), "{malformed:02x?}");
    }
}

#[test]
fn anything_but_one_evidence_and_one_proof_is_refused() {
    let (one, two) = (cbor(&evidence(b"e")), cbor(&evidence(b"f")));
    let proof = proof_record(&proof(0, 2, &[7; 32]));
    let labelled = |indicator: u8| [&[0x83][..], &proof[1..], &[indicator]].concat();
    let json = evidence(b"e").to_json().unwrap();
    let not_of_batch = [
        ("Evidence alone", one.clone()),
        ("proof alone", proof.clone()),
        ("no proof", map(&[(0, &one)])),
        ("two Evidence", map(&[(0, &one), (1, &two)])),
        (
            "two Evidence and a proof",
            map(&[(0, &one), (1, &proof), (2, &two)]),
        ),
        (
            "a second proof",
            map(&[(0, &one), (1, &proof), (2, &proof)]),
        ),
        ("proof first", map(&[(0, &proof), (1, &one)])),
        ("other labels", map(&[(1, &one), (2, &proof)])),
        ("a labelled proof", map(&[(0, &one), (1, &labelled(4))])),
        (
            "a proof in a collection",
            map(&[(0, &one), (1, &map(&[(0, &proof)]))]),
        ),
        ("not sorted", [&[0xa2, 1][..], &proof, &[0], &one].concat()),
        (
            "long labels",
            [&[0xa2, 0x18, 0][..], &one, &[1], &proof].concat(),
        ),
        (
            "indefinite",
            [&[0xbf, 0][..], &one, &[1], &proof, &[0xff]].concat(),
        ),
        ("JSON", json),
        (
            "text labels",
            [&[0xa2, 0x61, b'0'][..], &one, &[0x61, b'1'], &proof].concat(),
        ),
        (
            "a typed collection",
            [&[0xa3, 0][..], &one, &[1], &proof, b"\x68__cmwc_t\x65tag:x"].concat(),
        ),
        (
            "Evidence in another encoding",
            [&[0xa2, 0, 0x98, 3][..], &one[1..], &[1], &proof].concat(),
        ),
    ];
    for (what, message) in not_of_batch {
        let refused = Connection::new().presented(&message, BATCH).unwrap_err();
        assert_eq!(refused, ProofError::NotOfBatch.into(), "{what}");
    }
    let unexpected = [
        ("two proofs", map(&[(0, &proof), (1, &proof)])),
        (
            "a nested proof",
            map(&[(0, &map(&[(0, &one), (1, &proof)])), (1, &proof)]),
        ),
        (
            "a nested proof with label",
            map(&[(0, &map(&[(0, &one), (1, &labelled(2))])), (1, &proof)]),
        ),
    ];
    for (what, message) in unexpected {
        let refused = Connection::new().presented(&message, BATCH).unwrap_err();
        assert_eq!(refused, ProofError::Unexpected.into(), "{what}");
    }
    let trailing = [map(&[(0, &one), (1, &proof)]), vec![0]].concat();
    let refused = Connection::new().presented(&trailing, BATCH).unwrap_err();
    assert_eq!(refused, CmwError::Malformed.into());
    // Without any of these it is taken.
    let message = map(&[(0, &one), (1, &proof)]);
    assert!(Connection::new().presented(&message, BATCH).is_ok());
}

#[test]
fn a_proof_where_none_was_offered_or_chosen_is_refused() {
    let message = collection(&evidence(b"e"), &proof(0, 2, &[7; 32]));
    let alone = proof_record(&proof(0, 2, &[7; 32]));
    let silent = || Connection::with(|parameters| parameters.batches = Batches::No);
    let refused = silent().presented(&message, BATCH).unwrap_err();
    assert_eq!(refused, ProtocolError::UnsupportedParameters);
    for message in [&message, &alone] {
        for connection in [silent(), Connection::new()] {
            let refused = connection.presented(message, NO_BATCH).unwrap_err();
            assert_eq!(refused, ProofError::Unexpected.into());
        }
        let minimal = Connection::minimal(&Party::new());
        let refused = minimal.presented(message, &[]).unwrap_err();
        assert_eq!(refused, ProofError::Unexpected.into());
        // No selection, although batches were offered.
        let refused = Connection::new().presented(message, &[]).unwrap_err();
        assert_eq!(refused, ProofError::Unexpected.into());
    }
}

#[test]
fn every_truncation_of_a_batched_message_is_refused() {
    let message = collection(&evidence(b"e"), &proof(2, 5, &[7; 96]));
    assert!(Connection::new().presented(&message, BATCH).is_ok());
    for length in 1..message.len() {
        let cut = Connection::new().presented(&message[..length], BATCH);
        assert!(cut.is_err(), "{length}");
    }
}

// --- One appraisal for a batch -----------------------------------------------------------------------------------------

#[test]
fn a_batch_costs_one_appraisal_and_a_stranger_another() {
    let connections: Vec<_> = (0..50).map(|_| Connection::new()).collect();
    let (verifier, asked) = Plain::counted();
    let party = party(Cached::new(verifier));
    let answers = attest(connections);
    let evidence = answers[0].1.clone().unwrap().encode().unwrap();
    for (connection, answer) in answers {
        let credential = connection.finish(&answer.unwrap());
        assert!(ready(party.appraise(credential, now())).is_ok());
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    // The same Evidence and a proof of the batch, on a connection that is not in it.
    let credential = Connection::new().presented(&evidence, BATCH).unwrap();
    let refused = ready(party.appraise(credential, now())).map(drop);
    assert_eq!(refused, Err(Refusal::Appraisal(AppraisalError::NotBound)));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn a_leaf_key_that_the_evidence_names_is_compared_for_each_connection() {
    // The batch mixes two keys, and the Evidence names that of the first.
    let (first, second) = (Party::new(), Party::new());
    let connections = vec![
        Connection::of(Side::Server, SHA256, &first),
        Connection::of(Side::Server, SHA256, &second),
    ];
    let named = connections[0].to_attest().as_request().leaf_key().to_vec();
    let party = party(Cached::new(Plain::naming(named)));
    let decisions: Vec<_> = attest(connections)
        .into_iter()
        .map(|(connection, answer)| {
            let credential = connection.finish(&answer.unwrap());
            ready(party.appraise(credential, now())).map(drop)
        })
        .collect();
    assert_eq!(decisions, [Ok(()), Err(Refusal::KeyMismatch)]);
}

// --- The worked example of docs/protocol.md ----------------------------------------------------------------------------

#[test]
fn the_example_of_the_protocol_page_is_what_the_code_gives() {
    let page = include_str!("../../docs/protocol.md");
    // A line `name = hex`, lines of hex below it that are indented, and no more.
    let value = |name: &str| {
        let mut lines = page
            .lines()
            .skip_while(|line| !line.starts_with(&format!("{name} ")));
        let (_, first) = lines.next().unwrap().split_once("= ").unwrap();
        let further = lines.take_while(|line| line.starts_with(' '));
        let digits = std::iter::once(first)
            .chain(further)
            .flat_map(str::split_whitespace);
        test_support::hex(&digits.collect::<String>())
    };
    let binders = ["binder 0", "binder 1", "binder 2"].map(value);
    assert_eq!(binders.each_ref().map(Vec::len), [32, 48, 32]);
    let leaves = binders.each_ref().map(|binder| leaf(binder));
    assert_eq!(leaves[0][..], value("leaf 0"));
    assert_eq!(leaves[1][..], value("leaf 1"));
    assert_eq!(leaves[2][..], value("leaf 2"));
    let inner = node(&leaves[0], &leaves[1]);
    assert_eq!(inner[..], value("node 01"));
    let root = node(&inner, &leaves[2]);
    assert_eq!(root[..], value("root"));

    let path_of_1 = [leaves[0], leaves[2]].concat();
    assert_eq!(cbor_proof(1, 3, &path_of_1), value("proof 1"));
    assert_eq!(cbor_proof(2, 3, &inner), value("proof 2"));
    for name in ["proof 1", "proof 2"] {
        assert_eq!(
            InclusionProof::decode(&value(name)).unwrap().encode(),
            value(name)
        );
    }
    let evidence = Cmw::evidence("application/x-evidence".parse().unwrap(), root.to_vec());
    assert_eq!(
        collection(&evidence, &value("proof 2")),
        value("cmw_data 2")
    );
    // A relying party takes it, and does what the page says with a binder of its own.
    let connection = Connection::new();
    let expected = node(&inner, &leaf(&connection.bound()));
    let credential = connection.presented(&value("cmw_data 2"), BATCH).unwrap();
    assert_eq!(credential.bound().as_bytes(), expected);
    assert_eq!(credential.cmw(), &evidence);
}

// --- Connections, and what is written by hand --------------------------------------------------------------------------

/// A key that attests.
struct Party {
    key: Arc<CertifiedKey>,
}

impl Party {
    fn new() -> Self {
        Self {
            key: identity_of(&providers()[0], &rcgen::PKCS_ECDSA_P256_SHA256),
        }
    }
}

/// Both ends of one connection, of which one was asked.
struct Connection {
    pair: Arc<Pair>,
    key: Arc<CertifiedKey>,
    attests: Side,
    parameters: Option<Parameters>,
    request: Vec<u8>,
    pending: Pending,
    challenge: Challenge,
}

impl Connection {
    fn new() -> Self {
        Self::of(Side::Server, SHA256, &Party::new())
    }

    fn with(adjust: impl FnOnce(&mut Parameters)) -> Self {
        let mut parameters = client_parameters();
        adjust(&mut parameters);
        Self::asked(Side::Server, SHA256, &Party::new(), Some(parameters))
    }

    fn minimal(party: &Party) -> Self {
        Self::asked(Side::Server, SHA256, party, None)
    }

    fn of(attests: Side, suite: CipherSuite, party: &Party) -> Self {
        let parameters = match attests {
            Side::Server => client_parameters(),
            Side::Client => Parameters::server(vec![media_type()], Order::ClientLast),
        };
        Self::asked(attests, suite, party, Some(parameters))
    }

    fn asked(
        attests: Side,
        suite: CipherSuite,
        party: &Party,
        parameters: Option<Parameters>,
    ) -> Self {
        let provider = provider(suite);
        let pair = match attests {
            Side::Server => Pair::new(provider, &party.key, None),
            Side::Client => {
                let server = identity(&provider);
                Pair::new(provider, &server, Some(party.key.clone()))
            }
        };
        Self::over(Arc::new(pair), party.key.clone(), attests, parameters)
    }

    /// A further request on the same connection.
    fn again(&self) -> Self {
        let (pair, key) = (self.pair.clone(), self.key.clone());
        Self::over(pair, key, self.attests, self.parameters.clone())
    }

    fn over(
        pair: Arc<Pair>,
        key: Arc<CertifiedKey>,
        attests: Side,
        parameters: Option<Parameters>,
    ) -> Self {
        let (asker, answerer): (&dyn Session, &dyn Session) = match attests {
            Side::Server => (&pair.client, &pair.server),
            Side::Client => (&pair.server, &pair.client),
        };
        let (request, pending) =
            atls_core::exchange::request(asker, &providers()[0], parameters.as_ref()).unwrap();
        let challenge = Challenge::receive(answerer, &request).unwrap();
        Self {
            pair,
            key,
            attests,
            parameters,
            request,
            pending,
            challenge,
        }
    }

    fn to_attest(&self) -> OwnedAttestRequest {
        self.challenge.to_attest().unwrap().to_owned()
    }

    fn bound(&self) -> Vec<u8> {
        self.challenge
            .to_attest()
            .unwrap()
            .bound()
            .as_bytes()
            .to_vec()
    }

    fn finish(self, answer: &Cmw) -> Credential {
        self.pending
            .finish(&self.challenge.answer(answer).unwrap())
            .unwrap()
    }

    /// What the asking end makes of these bytes, under a genuine signature and MAC of this connection.
    fn presented(self, cmw: &[u8], selection: &[u8]) -> Result<Credential, ProtocolError> {
        let answerer: &dyn Session = match self.attests {
            Side::Server => &self.pair.server,
            Side::Client => &self.pair.client,
        };
        let forge = Forge::new(answerer, self.attests, &self.key, &self.request);
        let data = forge::vec16(cmw);
        let mut extensions = vec![(CMW_ATTESTATION, &data[..])];
        if !selection.is_empty() {
            extensions.push((ATTESTATION_PARAMETERS, selection));
        }
        self.pending
            .finish(&forge.seal(&forge.certificate(&extensions)))
    }
}

fn batch(connections: Vec<Connection>) -> Batch<Connection> {
    let with_request = |connection: Connection| (connection.to_attest(), connection);
    Batch::new(connections.into_iter().map(with_request).collect()).unwrap()
}

/// What a device makes of these connections, that carries the value as it is.
fn attest(connections: Vec<Connection>) -> Vec<(Connection, Result<Cmw, AttestError>)> {
    let batch = batch(connections);
    let made = evidence(batch.request().bound().as_bytes());
    batch.answer(Ok(made)).collect()
}

fn batch_root(connections: &[Connection]) -> Vec<u8> {
    let requests = connections
        .iter()
        .map(|connection| (connection.to_attest(), ()));
    let batch = Batch::new(requests.collect()).unwrap();
    batch.request().bound().as_bytes().to_vec()
}

fn provider(suite: CipherSuite) -> CryptoProvider {
    let mut provider = providers()[0].clone();
    provider
        .cipher_suites
        .retain(|known| known.suite() == suite);
    provider
}

fn client_parameters() -> Parameters {
    Parameters::client(vec![media_type()], true, CanAttest::No)
}

fn evidence(value: &[u8]) -> Cmw {
    Cmw::evidence(media_type(), value.to_vec())
}

fn media_type() -> MediaType {
    "application/x-evidence".parse().unwrap()
}

fn leaf(binder: &[u8]) -> [u8; 32] {
    Sha256::digest([&[0], binder].concat()).into()
}

fn node(left: &[u8], right: &[u8]) -> [u8; 32] {
    Sha256::digest([&[1], left, right].concat()).into()
}

/// The CBOR of a proof, whatever its parts.
fn cbor_proof(index: u32, size: u32, path: &[u8]) -> Vec<u8> {
    let fields = vec![
        index.into(),
        size.into(),
        ciborium::Value::Bytes(path.to_vec()),
    ];
    let mut out = Vec::new();
    ciborium::into_writer(&ciborium::Value::Array(fields), &mut out).unwrap();
    out
}

fn proof(index: u32, size: u32, path: &[u8]) -> Vec<u8> {
    cbor_proof(index, size, path)
}

fn proof_record(proof: &[u8]) -> Vec<u8> {
    let kind = "application/vnd.atls.inclusion-proof+cbor".parse().unwrap();
    cbor(&Cmw::record(Type::Media(kind), proof.to_vec(), None))
}

fn collection(evidence: &Cmw, proof: &[u8]) -> Vec<u8> {
    map(&[(0, &cbor(evidence)), (1, &proof_record(proof))])
}

fn map(members: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = vec![0xa0 + u8::try_from(members.len()).unwrap()];
    for (label, member) in members {
        out.push(*label);
        out.extend(*member);
    }
    out
}

fn cbor(cmw: &Cmw) -> Vec<u8> {
    cmw.encode().unwrap()
}

const SHA256: CipherSuite = CipherSuite::TLS13_AES_128_GCM_SHA256;
const SHA384: CipherSuite = CipherSuite::TLS13_AES_256_GCM_SHA384;

/// Selections: `{1: 1, 3: true, 4: true}`, and without key 3.
const BATCH: &[u8] = &[0xa3, 1, 1, 3, 0xf5, 4, 0xf5];
const NO_BATCH: &[u8] = &[0xa2, 1, 1, 4, 0xf5];

// --- A verifier of Evidence that is the value itself -------------------------------------------------------------------

struct Plain {
    media_types: [MediaType; 1],
    asked: Arc<AtomicUsize>,
    names: Option<Vec<u8>>,
}

impl Plain {
    fn new() -> Self {
        Self::counted().0
    }

    fn counted() -> (Self, Arc<AtomicUsize>) {
        let asked = Arc::default();
        let plain = Self {
            media_types: [media_type()],
            asked: Arc::clone(&asked),
            names: None,
        };
        (plain, asked)
    }

    fn naming(key: Vec<u8>) -> Self {
        Self {
            names: Some(key),
            ..Self::new()
        }
    }
}

impl Verifier for Plain {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let matched = evidence.bound().verbatim().compare(evidence.bytes())?;
            let vector = TrustVector::new().with(Category::InstanceIdentity, TrustClaim::new(2));
            let appraisal = Appraisal::new(vector);
            let ear = Ear::local(VerifierId::new("test", "1"), now, "device", appraisal);
            let appraised = Appraised::bound_to_connection(ear, Origin::Device, matched);
            let named = self.names.iter().cloned();
            Ok(named.fold(appraised, Appraised::with_attested_key))
        })
    }
}

fn party(verifier: impl Verifier + 'static) -> RelyingParty {
    let party = RelyingParty::builder().verifier(Arc::new(verifier));
    party.build().unwrap()
}

fn decide(verifier: Plain, credential: Credential) -> Result<(), Refusal> {
    let decided: Result<PeerAttestation, _> = ready(party(verifier).appraise(credential, now()));
    decided.map(drop)
}

const NOT_BOUND: Result<(), Refusal> = Err(Refusal::Appraisal(AppraisalError::NotBound));

fn now() -> UnixTime {
    at(1_000_000)
}
