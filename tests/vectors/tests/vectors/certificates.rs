//! The two weaker modes.

use atls_core::ProtocolError;
use atls_core::exchange::Credential;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::certificate;
use atls_core::session::Handshake;
use atls_core::session::Side;
use vectors::Hex;
use vectors::intra_handshake;
use vectors::pre_handshake;

use crate::ends;
use crate::load;
use crate::reason;

/// A completed handshake in which the peer presented this certificate.
fn handshake(side: Side, certificate: &[u8]) -> Handshake {
    let provider = rustls::crypto::ring::default_provider();
    let suite = ends::suite(&provider, "TLS_AES_128_GCM_SHA256");
    Handshake::observed(side, suite, None, vec![certificate.to_vec().into()]).unwrap()
}

#[test]
fn attesters_are_given_the_value_and_the_claims_of_every_key() {
    let page: pre_handshake::Page = load("pre-handshake.json");
    for provider in ends::providers() {
        for case in &page.values {
            let identity = ends::identity(&provider, &case.key);
            let request = OwnedAttestRequest::for_key(&*identity.key).unwrap();
            let request = request.as_request();
            assert_eq!(Hex::from(request.leaf_key()), case.public_key);
            assert_eq!(Hex::from(request.bound().as_bytes()), case.value);
            let (claims, report_data) = certificate::claims_for_key(request.leaf_key()).unwrap();
            assert_eq!(Hex(claims), case.claims);
            assert_eq!(Hex::from(report_data), case.report_data);
        }
    }
}

#[test]
fn the_evidence_of_every_certificate_is_read() {
    let page: pre_handshake::Page = load("pre-handshake.json");
    for case in &page.certificates {
        for side in [Side::Client, Side::Server] {
            let credential = Credential::in_certificate(&handshake(side, &case.certificate));
            let credential = credential.unwrap_or_else(|error| panic!("{}: {error}", case.name));
            assert_eq!(
                Hex::from(credential.bound().as_bytes()),
                case.value,
                "{}",
                case.name
            );
            assert_eq!(
                Hex(credential.cmw().encode().unwrap()),
                case.cmw,
                "{}",
                case.name
            );
            let report_data = credential.report_data().map(Hex::from);
            assert_eq!(report_data, case.report_data, "{}", case.name);
        }
    }
}

#[test]
fn every_other_certificate_is_refused_for_its_reason() {
    let page: pre_handshake::Page = load("pre-handshake.json");
    for case in &page.refused {
        let read = Credential::in_certificate(&handshake(Side::Client, &case.certificate));
        assert_eq!(found(read), case.reason, "{}", case.name);
    }
}

#[test]
fn attesters_are_given_the_value_of_every_nonce() {
    let page: intra_handshake::Page = load("intra-handshake.json");
    for provider in ends::providers() {
        for case in &page.values {
            let identity = ends::identity(&provider, &case.key);
            let nonce = case.nonce.0.clone().try_into().unwrap();
            let attests = ends::side(case.attester);
            let request = OwnedAttestRequest::for_handshake(attests, &nonce, &*identity.key);
            let request = request.unwrap();
            assert_eq!(
                Hex::from(request.as_request().bound().as_bytes()),
                case.value
            );
        }
    }
}

#[test]
fn the_evidence_over_a_nonce_of_every_certificate_is_read() {
    let page: intra_handshake::Page = load("intra-handshake.json");
    for case in &page.certificates {
        let side = ends::side(case.attester).peer();
        let nonce = case.nonce.0.clone().try_into().unwrap();
        let credential = Credential::in_handshake(&handshake(side, &case.certificate), &nonce);
        let credential = credential.unwrap();
        assert_eq!(
            Hex::from(credential.bound().as_bytes()),
            case.value,
            "{}",
            case.name
        );
        assert_eq!(
            Hex(credential.cmw().encode().unwrap()),
            case.cmw,
            "{}",
            case.name
        );
        let held = reason::of_evidence(credential.cmw(), credential.bound());
        assert_eq!(held, "accepted", "{}", case.name);
    }
}

#[test]
fn every_other_evidence_over_a_nonce_is_refused_for_its_reason() {
    let page: intra_handshake::Page = load("intra-handshake.json");
    for case in &page.refused {
        let side = ends::side(case.attester).peer();
        let nonce = case.nonce.0.clone().try_into().unwrap();
        let read = Credential::in_handshake(&handshake(side, &case.certificate), &nonce);
        assert_eq!(found(read), case.reason, "{}", case.name);
    }
}

fn found(read: Result<Credential, ProtocolError>) -> &'static str {
    match read {
        Ok(credential) => reason::of_evidence(credential.cmw(), credential.bound()),
        Err(error) => reason::of_protocol(&error),
    }
}
