//! Requests.

use atls_core::ProtocolError;
use atls_core::exchange::Challenge;
use atls_core::exchange::authenticator::ReceivedRequest;
use test_support::ObservedSession;
use vectors::Hex;
use vectors::requests;
use vectors::scenario::Side;

use crate::ends;
use crate::load;
use crate::reason;

fn receiver(sender: Side) -> ObservedSession {
    let [_, provider] = ends::providers();
    let secret = Hex(vec![7; 32]);
    ends::answerer(
        &provider,
        "TLS_AES_128_GCM_SHA256",
        &secret,
        sender.peer(),
        "ed25519",
    )
}

#[test]
fn every_request_is_read() {
    let page: requests::Page = load("requests.json");
    for case in &page.cases {
        let received = ReceivedRequest::receive(&receiver(case.sender), &case.request).unwrap();
        assert_eq!(Hex::from(received.context()), case.context, "{}", case.name);
        assert!(!case.extensions.is_empty());
        for extension in &case.extensions {
            let code = u16::from_be_bytes([extension.r#type[0], extension.r#type[1]]);
            let data = received.extension(code).unwrap();
            assert_eq!(Hex::from(data), extension.data, "{}", case.name);
        }
        let challenge = Challenge::receive(&receiver(case.sender), &case.request).unwrap();
        let carries = |code: u16| {
            let code = Hex::from(code.to_be_bytes());
            case.extensions
                .iter()
                .any(|extension| extension.r#type == code)
        };
        assert_eq!(
            challenge.to_attest().is_some(),
            carries(0xff00),
            "{}",
            case.name
        );
        assert_eq!(
            challenge.parameters().is_some(),
            carries(0xff02),
            "{}",
            case.name
        );
    }
}

#[test]
fn the_usual_requests_are_made_byte_by_byte() {
    let page: requests::Page = load("requests.json");
    let usual: Vec<_> = page
        .cases
        .iter()
        .filter(|case| case.name.starts_with("minimal") || case.name.starts_with("with parameters"))
        .collect();
    assert_eq!(usual.len(), 4);
    for provider in ends::providers() {
        for case in &usual {
            let secret = Hex(vec![7; 32]);
            let suite = "TLS_AES_128_GCM_SHA256";
            let (peer, key) = (case.sender.peer(), Some("ed25519"));
            let asker = ends::asker(&provider, suite, &secret, peer, key);
            // It compares.
            ends::asked(&provider, &asker, &case.request);
        }
    }
}

#[test]
fn every_other_request_is_refused_for_its_reason() {
    let page: requests::Page = load("requests.json");
    for case in &page.refused {
        let refused = receive(case).unwrap_err();
        assert_eq!(reason::of_protocol(&refused), case.reason, "{}", case.name);
    }
}

fn receive(case: &requests::Refused) -> Result<Challenge, ProtocolError> {
    let end = receiver(case.sender);
    if let Some(spent) = &case.spent {
        let [_, provider] = ends::providers();
        let secret = Hex(vec![7; 32]);
        let page: requests::Page = load("requests.json");
        let first = page
            .cases
            .iter()
            .find(|known| known.context == *spent)
            .unwrap();
        if first.sender == case.sender && case.sender == Side::Client {
            Challenge::receive(&end, &first.request).unwrap();
            return Challenge::receive(&end, &case.request);
        }
        // This end asked with the same context before.
        let suite = "TLS_AES_128_GCM_SHA256";
        let end = ends::asker(&provider, suite, &secret, case.sender, Some("ed25519"));
        let own = page
            .cases
            .iter()
            .find(|known| known.name == "minimal, of a client")
            .unwrap();
        let mut own = own.request.to_vec();
        own[5..37].copy_from_slice(spent);
        ends::asked(&provider, &end, &own);
        return Challenge::receive(&end, &case.request);
    }
    Challenge::receive(&end, &case.request)
}
