//! Parameters and selections.

use atls_core::MediaType;
use atls_core::ProtocolError;
use atls_core::exchange::ATTESTATION_PARAMETERS;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Offer;
use atls_core::exchange::Order;
use atls_core::exchange::Parameters;
use atls_core::exchange::Pending;
use atls_core::exchange::Verdicts;
use atls_core::exchange::authenticator::Extension;
use atls_core::exchange::batch::Batches;
use rustls::crypto::CryptoProvider;
use test_support::ObservedSession;
use vectors::Hex;
use vectors::parameters;
use vectors::parameters::Request;
use vectors::scenario::Side;

use crate::ends;
use crate::load;
use crate::reason;

#[test]
fn the_parameters_of_every_request_are_read() {
    let page: parameters::Page = load("parameters.json");
    for case in &page.requests {
        let challenge = received(case.sender, &case.data).unwrap();
        let read = challenge.parameters().unwrap();
        let formats: Vec<_> = read.formats.iter().map(MediaType::to_string).collect();
        assert_eq!(formats, case.formats, "{}", case.name);
        assert_eq!(read.batches == Batches::Yes, case.batches, "{}", case.name);
        assert_eq!(
            read.verdicts == Verdicts::Yes,
            case.verdicts,
            "{}",
            case.name
        );
        assert_eq!(read.offer, offer(case), "{}", case.name);
    }
}

#[test]
fn other_parameters_are_refused_for_their_reason() {
    let page: parameters::Page = load("parameters.json");
    for case in &page.refused_requests {
        let refused = received(case.sender, &case.data).unwrap_err();
        assert_eq!(reason::of_protocol(&refused), case.reason, "{}", case.name);
    }
}

#[test]
fn every_selection_is_read() {
    let page: parameters::Page = load("parameters.json");
    for case in &page.selections {
        let (pending, answer) = selected(&case.data, Batches::Yes, Verdicts::Yes);
        if case.batches {
            // It says that the answer is of a batch, and this answer is none.
            let refused = pending.finish(&answer).unwrap_err();
            assert_eq!(reason::of_protocol(&refused), "proof-not-of-batch");
            continue;
        }
        let selection = pending.finish(&answer).unwrap().selection().unwrap();
        assert_eq!(selection.batches, Batches::No);
        assert_eq!(
            selection.verdicts == Verdicts::Yes,
            case.verdicts,
            "{}",
            case.name
        );
    }
}

#[test]
fn other_selections_are_refused_for_their_reason() {
    let page: parameters::Page = load("parameters.json");
    for case in &page.refused_selections {
        let batches = if case.offered_batches {
            Batches::Yes
        } else {
            Batches::No
        };
        let verdicts = if case.offered_verdicts {
            Verdicts::Yes
        } else {
            Verdicts::No
        };
        let (pending, answer) = selected(&case.data, batches, verdicts);
        let refused = pending.finish(&answer).unwrap_err();
        assert_eq!(reason::of_protocol(&refused), case.reason, "{}", case.name);
    }
}

fn offer(case: &Request) -> Offer {
    match case.sender {
        Side::Client => Offer::Client {
            wants_evidence: case.wants_evidence.unwrap(),
            can_attest: match case.can_attest.unwrap() {
                0 => CanAttest::No,
                1 => CanAttest::AfterServer,
                _ => CanAttest::EitherOrder,
            },
        },
        Side::Server => Offer::Server {
            order: match case.order.unwrap() {
                1 => Order::ClientLast,
                _ => Order::ClientFirst,
            },
        },
    }
}

/// A request with these parameters, as its receiver takes it.
fn received(sender: Side, data: &[u8]) -> Result<Challenge, ProtocolError> {
    let provider = rustls::crypto::ring::default_provider();
    let extensions = vec![
        Extension {
            code: CMW_ATTESTATION,
            data: Vec::new(),
        },
        Extension {
            code: ATTESTATION_PARAMETERS,
            data: data.to_vec(),
        },
    ];
    let asker = asker(&provider, sender.peer());
    let sent = atls_core::exchange::authenticator::request(&asker, &provider, extensions).unwrap();
    Challenge::receive(&answerer(&provider, sender.peer()), sent.as_bytes())
}

/// A client that offered this, and an answer with Evidence and this selection.
fn selected(data: &[u8], batches: Batches, verdicts: Verdicts) -> (Pending, Vec<u8>) {
    let provider = rustls::crypto::ring::default_provider();
    let formats = vec!["application/x-evidence".parse().unwrap()];
    let mut parameters = Parameters::client(formats, true, CanAttest::No);
    (parameters.batches, parameters.verdicts) = (batches, verdicts);
    let asker = asker(&provider, Side::Server);
    let (request, pending) =
        atls_core::exchange::request(&asker, &provider, Some(&parameters)).unwrap();
    let cmw = [
        &[0, 26, 0x82, 0x76][..],
        b"application/x-evidence",
        &[0x41, 1],
    ]
    .concat();
    let extensions = [
        Extension {
            code: CMW_ATTESTATION,
            data: cmw,
        },
        Extension {
            code: ATTESTATION_PARAMETERS,
            data: data.to_vec(),
        },
    ];
    let answerer = answerer(&provider, Side::Server);
    (
        pending,
        ends::answered(&answerer, &request, &extensions).unwrap(),
    )
}

/// The end whose peer answers as `sender`.
fn asker(provider: &CryptoProvider, sender: Side) -> ObservedSession {
    ends::asker(provider, SUITE, &Hex(vec![7; 32]), sender, Some("ed25519"))
}

fn answerer(provider: &CryptoProvider, sender: Side) -> ObservedSession {
    ends::answerer(provider, SUITE, &Hex(vec![7; 32]), sender, "ed25519")
}

const SUITE: &str = "TLS_AES_128_GCM_SHA256";
