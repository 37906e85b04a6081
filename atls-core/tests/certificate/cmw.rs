//! A CMW in `id-pe-cmw`.

use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Binding;
use atls_core::PolicyViolation;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::cmw::Cmw;
use atls_core::cmw::Label;
use atls_core::cmw::Type;
use atls_core::exchange::Credential;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::batch::ProofError;
use atls_core::exchange::certificate;
use atls_core::pki_types::SubjectPublicKeyInfoDer;
use atls_core::pki_types::UnixTime;
use atls_core::session::Side;
use rustls::SignatureAlgorithm;
use rustls::SignatureScheme;
use rustls::sign::Signer;
use rustls::sign::SigningKey;

use crate::support::Key;
use crate::support::Mirror;
use crate::support::NOT_AFTER;
use crate::support::NOT_BEFORE;
use crate::support::appraise;
use crate::support::certificate;
use crate::support::cmw_extension;
use crate::support::handshake;
use crate::support::key;
use crate::support::media_type;
use crate::support::now;
use crate::support::weak;

#[test]
fn evidence_about_a_key_is_read_and_says_that_it_is_about_a_key() {
    let key = key();
    let request = OwnedAttestRequest::for_key(&*key.signing).unwrap();
    let leaf = certificate(&key, &[cmw_extension(&request)]);
    let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
    assert_eq!(
        appraise(&weak(Binding::Key), credential, now()),
        Ok(Binding::Key)
    );
}

/// Of a batch there is none in a certificate, and a verifier never sees its proof.
#[test]
fn an_inclusion_proof_is_refused() {
    let key = key();
    let request = OwnedAttestRequest::for_key(&*key.signing).unwrap();
    let value = request.as_request().bound().as_bytes().to_vec();
    let kind = "application/vnd.atls.inclusion-proof+cbor".parse().unwrap();
    let members = vec![
        (Label::Integer(0), Cmw::evidence(media_type(), value)),
        (
            Label::Integer(1),
            Cmw::record(Type::Media(kind), vec![0x83, 0, 2, 0x40], None),
        ),
    ];
    let cmw = Cmw::collection(None, members).unwrap();
    let extension = certificate::cmw_extension(&cmw).unwrap();
    let leaf = certificate(&key, &[(certificate::ID_PE_CMW, extension)]);
    let handshake = handshake(&leaf);
    for read in [
        Credential::in_certificate(&handshake),
        Credential::in_handshake(&handshake, &[7; 32]),
    ] {
        assert_eq!(
            read.unwrap_err(),
            ProtocolError::Proof(ProofError::Unexpected)
        );
    }
}

/// A key object is the application's: one that appends to its public half would have a value of its choice attested.
#[test]
fn a_key_that_says_more_than_its_public_half_is_refused() {
    #[derive(Debug)]
    struct Saying(Arc<dyn SigningKey>, Vec<u8>);

    impl SigningKey for Saying {
        fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
            self.0.choose_scheme(offered)
        }

        fn algorithm(&self) -> SignatureAlgorithm {
            self.0.algorithm()
        }

        fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
            Some(self.1.as_slice().into())
        }
    }

    let key = key();
    let honest = key.signing.public_key().unwrap().to_vec();
    let exported = [&honest[..], &[7; 32]].concat();
    for said in [exported, honest[1..].to_vec(), Vec::new()] {
        let saying = Saying(key.signing.clone(), said);
        for request in [
            OwnedAttestRequest::for_key(&saying),
            OwnedAttestRequest::for_handshake(Side::Client, &[7; 32], &saying),
        ] {
            assert_eq!(request.unwrap_err(), ProtocolError::NoIdentity);
        }
    }
    assert!(OwnedAttestRequest::for_key(&Saying(key.signing.clone(), honest)).is_ok());
}

#[test]
fn the_default_policy_refuses_both_weaker_modes() {
    let key = key();
    let strict = RelyingParty::builder()
        .verifier(Arc::new(Mirror::new()))
        .build()
        .unwrap();
    let request = OwnedAttestRequest::for_key(&*key.signing).unwrap();
    let leaf = certificate(&key, &[cmw_extension(&request)]);
    let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
    let refused = Refusal::Policy(PolicyViolation::Binding(Binding::Key));
    assert_eq!(appraise(&strict, credential, now()), Err(refused));

    let request = OwnedAttestRequest::for_handshake(Side::Server, &[7; 32], &*key.signing).unwrap();
    let leaf = certificate(&key, &[cmw_extension(&request)]);
    let credential = Credential::in_handshake(&handshake(&leaf), &[7; 32]).unwrap();
    let refused = Refusal::Policy(PolicyViolation::Binding(Binding::Handshake));
    assert_eq!(appraise(&strict, credential, now()), Err(refused));
}

#[test]
fn a_policy_for_handshakes_refuses_evidence_about_a_key() {
    let key = key();
    let request = OwnedAttestRequest::for_key(&*key.signing).unwrap();
    let leaf = certificate(&key, &[cmw_extension(&request)]);
    let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
    let refused = Refusal::Policy(PolicyViolation::Binding(Binding::Key));
    assert_eq!(
        appraise(&weak(Binding::Handshake), credential, now()),
        Err(refused)
    );
}

#[test]
fn evidence_of_a_handshake_answers_its_nonce_its_role_and_its_key() {
    let (key, other) = (key(), key());
    let party = weak(Binding::Handshake);
    let read = |side, nonce: [u8; 32], about: &Key| {
        let request = OwnedAttestRequest::for_handshake(side, &nonce, &*about.signing).unwrap();
        let leaf = certificate(&key, &[cmw_extension(&request)]);
        let credential = Credential::in_handshake(&handshake(&leaf), &[7; 32]).unwrap();
        appraise(&party, credential, now())
    };
    let not_bound = Err(Refusal::Appraisal(AppraisalError::NotBound));
    assert_eq!(read(Side::Server, [7; 32], &key), Ok(Binding::Handshake));
    assert_eq!(read(Side::Server, [8; 32], &key), not_bound);
    assert_eq!(read(Side::Client, [7; 32], &key), not_bound);
    assert_eq!(read(Side::Server, [7; 32], &other), not_bound);
}

#[test]
fn evidence_about_another_key_is_not_bound() {
    let (key, other) = (key(), key());
    let request = OwnedAttestRequest::for_key(&*other.signing).unwrap();
    let leaf = certificate(&key, &[cmw_extension(&request)]);
    let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
    let refused = appraise(&weak(Binding::Key), credential, now());
    assert_eq!(refused, Err(Refusal::Appraisal(AppraisalError::NotBound)));
}

#[test]
fn a_certificate_ends_what_it_carries() {
    let key = key();
    let request = OwnedAttestRequest::for_key(&*key.signing).unwrap();
    let leaf = certificate(&key, &[cmw_extension(&request)]);
    let appraised_at = |seconds| {
        let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        appraise(&weak(Binding::Key), credential, at)
    };
    for within in [NOT_BEFORE, NOT_AFTER - 1] {
        assert_eq!(appraised_at(within), Ok(Binding::Key));
    }
    for outside in [NOT_BEFORE - 1, NOT_AFTER] {
        let refused = appraised_at(outside);
        assert_eq!(refused, Err(Refusal::Expired(atls_core::Fault::Peer)));
    }
}

#[test]
fn a_certificate_without_evidence_attests_nothing() {
    let leaf = certificate(&key(), &[]);
    let refused = Credential::in_certificate(&handshake(&leaf)).unwrap_err();
    assert_eq!(refused, ProtocolError::NoAttestation);
}

#[test]
fn an_extension_twice_or_malformed_is_refused() {
    let key = key();
    let request = OwnedAttestRequest::for_key(&*key.signing).unwrap();
    let (oid, value) = cmw_extension(&request);
    let longer = [&value[..], &[0]].concat();
    let shorter = value[..value.len() - 1].to_vec();
    let raw = value[2..].to_vec();
    let json = [&[4, 2][..], b"[]"].concat();
    for extensions in [
        vec![(oid, value.clone()), (oid, value)],
        vec![(oid, longer)],
        vec![(oid, shorter)],
        vec![(oid, raw)],
        vec![(oid, json)],
        vec![(oid, Vec::new())],
    ] {
        let leaf = certificate(&key, &extensions);
        assert!(Credential::in_certificate(&handshake(&leaf)).is_err());
    }
}
