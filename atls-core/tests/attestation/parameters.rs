//! The extensions that offer, select and carry attestation.

use atls_core::ProtocolError;
use atls_core::cmw::CmwError;
use atls_core::exchange::ATTESTATION_PARAMETERS;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Parameters;
use atls_core::exchange::SendError;
use atls_core::exchange::Verdicts;

use crate::ends::Case;
use crate::ends::evidence_type;
use crate::ends::pair;
use crate::ends::token;
use crate::support::Pair;
use crate::support::forge;
use crate::support::identity;
use crate::support::providers;

#[test]
fn what_is_no_cmw_is_refused() {
    let cmw = token(b"").encode().unwrap();
    for (data, error) in [
        (Vec::new(), ProtocolError::Malformed),
        (vec![0, 0], ProtocolError::Malformed),
        (cmw.clone(), ProtocolError::Malformed),
        (
            [forge::vec16(&cmw), vec![0]].concat(),
            ProtocolError::Malformed,
        ),
        (
            forge::vec16(&[&cmw[..], &[0]].concat()),
            ProtocolError::Cmw(CmwError::Malformed),
        ),
        (forge::vec16(b"{}"), ProtocolError::Cmw(CmwError::Empty)),
        (
            forge::vec16(&[0x81; 60_000]),
            ProtocolError::Cmw(CmwError::Malformed),
        ),
    ] {
        let case = Case::new(None);
        let certificate = case.forge.certificate(&[(CMW_ATTESTATION, &data)]);
        assert_eq!(
            case.pending
                .finish(&case.forge.seal(&certificate))
                .unwrap_err(),
            error
        );
    }
}

#[test]
fn an_offer_of_attestation_is_empty() {
    let provider = &providers()[0];
    let pair = pair(provider, &identity(provider));
    let schemes = (13, &[0, 2, 4, 3][..]);
    let offering = forge::request(17, b"a", &[schemes, (CMW_ATTESTATION, b"")]);
    assert!(
        Challenge::receive(&pair.server, &offering)
            .unwrap()
            .to_attest()
            .is_some()
    );
    let filled = forge::request(17, b"b", &[schemes, (CMW_ATTESTATION, b"x")]);
    assert_eq!(
        Challenge::receive(&pair.server, &filled).unwrap_err(),
        ProtocolError::Malformed
    );
    // A peer that does not know the extension gets none, and nothing is attested to it.
    let plain = forge::request(17, b"c", &[schemes]);
    let challenge = Challenge::receive(&pair.server, &plain).unwrap();
    assert!(challenge.to_attest().is_none());
    let refused = challenge.answer(&token(b"")).unwrap_err();
    let expected = SendError::Extension(CMW_ATTESTATION);
    assert_eq!(refused, ProtocolError::Sending(expected));
}

#[test]
fn parameters_are_selected_of_what_was_offered() {
    let offered = Parameters::client(vec![evidence_type()], true, CanAttest::No);
    let case = Case::new(Some(&offered));
    let challenge = Challenge::receive(&case.pair.server, &case.forge.request).unwrap();
    assert_eq!(challenge.parameters(), Some(&offered));
    let authenticator = challenge.answer(&token(b"")).unwrap();
    let credential = case.pending.finish(&authenticator).unwrap();
    assert_eq!(credential.selection().unwrap().verdicts, Verdicts::Yes);
    // Without an offer there is no selection, and a selection is an error.
    let case = Case::new(None);
    let data = forge::vec16(&token(b"").encode().unwrap());
    let extensions = [
        (CMW_ATTESTATION, &data[..]),
        (ATTESTATION_PARAMETERS, &[0xa0][..]),
    ];
    let certificate = case.forge.certificate(&extensions);
    let refused = case
        .pending
        .finish(&case.forge.seal(&certificate))
        .unwrap_err();
    assert_eq!(
        refused,
        ProtocolError::UnsolicitedExtension(ATTESTATION_PARAMETERS)
    );
}

#[test]
fn a_malformed_selection_is_refused() {
    let offered = Parameters::client(vec![evidence_type()], true, CanAttest::No);
    let data = forge::vec16(&token(b"").encode().unwrap());
    for selection in [
        &b""[..],
        &[0xa0],
        &[0xa2, 1, 1, 4, 1],
        &[0xa2, 1, 2, 4, 0xf5],
        &[0xa2, 1, 1, 4, 0xf5, 0],
    ] {
        let case = Case::new(Some(&offered));
        let extensions = [
            (CMW_ATTESTATION, &data[..]),
            (ATTESTATION_PARAMETERS, selection),
        ];
        let certificate = case.forge.certificate(&extensions);
        let refused = case
            .pending
            .finish(&case.forge.seal(&certificate))
            .unwrap_err();
        let expected = [
            ProtocolError::Malformed,
            ProtocolError::UnsupportedParameters,
        ];
        assert!(expected.contains(&refused), "{selection:?}: {refused}");
    }
}

#[test]
fn a_format_that_the_peer_does_not_appraise_is_not_sent() {
    let offered = Parameters::client(vec!["other/type".parse().unwrap()], true, CanAttest::No);
    let case = Case::new(Some(&offered));
    let challenge = Challenge::receive(&case.pair.server, &case.forge.request).unwrap();
    let refused = challenge.answer(&token(b"")).unwrap_err();
    assert_eq!(refused, ProtocolError::Sending(SendError::Format));
}

#[test]
fn an_end_without_key_cannot_be_challenged() {
    let provider = &providers()[0];
    let pair = Pair::new(provider.clone(), &identity(provider), None);
    let (request, pending) = atls_core::exchange::request(&pair.server, provider, None).unwrap();
    let challenge = Challenge::receive(&pair.client, &request).unwrap();
    assert!(challenge.to_attest().is_none());
    assert_eq!(
        pending.finish(&challenge.decline().unwrap()).unwrap_err(),
        ProtocolError::Declined
    );
}
