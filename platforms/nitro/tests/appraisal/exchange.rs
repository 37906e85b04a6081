//! Whole exchanges, and the policy of a verifier.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_nitro::NitroClaims;
use atls_nitro::NitroPolicy;
use atls_nitro::NitroVerifier;
use atls_nitro::testing::ForgedNitro;
use atls_reference::Digest;
use atls_reference::Live;
use ciborium::Value;
use rustls::sign::CertifiedKey;
use test_support::Connection;
use test_support::identity;
use test_support::ready;

use crate::setting::Setting;
use crate::setting::at;
use crate::setting::pcrs;

#[test]
fn a_document_is_affirmed_from_device_to_handler() {
    for connection in [Connection::new(), Connection::sha384()] {
        let setting = Setting::with(connection, ForgedNitro::new(at()));
        let mut attester = setting.attester();
        let credential = setting.connection.credential(&mut attester);
        let peer = ready(setting.relying_party().appraise(credential, at())).unwrap();
        assert_eq!(peer.status(), Tier::Affirming);
        let claims = peer.claims::<NitroClaims>().unwrap();
        assert_eq!(claims.module_id, "i-0forged-enc0forged");
        assert_eq!(claims.image.as_deref(), Some("forged"));
        assert_eq!(claims.pcr(2), Some(&Digest::from([0xc2; 48])));
        assert_eq!(claims.pcr(15), Some(&Digest::from([0; 48])));
        assert_eq!(claims.pcr(16), None);
        assert_eq!(claims.made_at(), at());
        assert_eq!(claims.user_data, None);
        assert!(!claims.is_debug());
    }
}

#[test]
fn results_under_another_root_are_simulated_and_refused_by_default() {
    let setting = Setting::new();
    let appraised = setting.appraise(&setting.document()).unwrap();
    assert_eq!(appraised.origin(), Origin::Simulated);
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(setting.verifier()))
        .build()
        .unwrap();
    let credential = setting.connection.credential(&mut setting.attester());
    let refusal = ready(relying_party.appraise(credential, at())).unwrap_err();
    assert_eq!(refusal, Refusal::Policy(PolicyViolation::Simulated));
}

#[test]
fn the_root_of_aws_does_not_vouch_for_a_forged_document() {
    let setting = Setting::new();
    let verifier = NitroVerifier::new(Arc::new(
        Live::fixed(NitroPolicy::new(vec![ForgedNitro::image()])).unwrap(),
    ));
    let refused = setting
        .connection
        .appraise(&verifier, &setting.document(), at());
    assert_eq!(refused.map(drop), Err(AppraisalError::UnknownKey));
}

#[test]
fn debug_mode_is_contraindicated_or_where_the_policy_allows_it_a_warning() {
    let (strict, mut tolerant) = (Setting::new(), Setting::new());
    tolerant.policy.allow_debug = true;
    let zeroed = |setting: &Setting, indices: &[usize]| {
        let document = setting.altered(|fields| {
            for index in indices {
                pcrs(fields)[*index].1 = Value::Bytes(vec![0; 48]);
            }
        });
        setting.appraise(&document).unwrap().ear().clone()
    };
    for indices in [&[0, 1, 2][..], &[0], &[1], &[2]] {
        let refused = zeroed(&strict, indices);
        assert_eq!(refused.status(), Tier::Contraindicated, "{indices:?}");
        let allowed = zeroed(&tolerant, indices);
        assert_eq!(allowed.status(), Tier::Warning, "{indices:?}");
        let vector = allowed.submod("nitro").unwrap().vector();
        assert_eq!(vector.get(Category::Configuration).value(), 32);
        assert_eq!(vector.get(Category::Executables).value(), 33);
    }
    let unused = zeroed(&strict, &[3, 4, 15]);
    assert_eq!(unused.status(), Tier::Affirming);
}

#[test]
fn a_policy_that_is_replaced_is_in_force_at_once() {
    let setting = Setting::new();
    let mut other = ForgedNitro::image();
    other.pcr0 = Some(Digest::from([1; 48]));
    let live = Arc::new(Live::fixed(NitroPolicy::new(vec![other])).unwrap());
    let verifier = NitroVerifier::dangerous_with_root(setting.forger.root(), live.clone());
    let document = setting.document();
    let status = || {
        let appraised = setting.connection.appraise(&verifier, &document, at());
        appraised.unwrap().ear().status()
    };
    assert_eq!(status(), Tier::Contraindicated);
    live.replace(setting.policy.clone()).unwrap();
    assert_eq!(status(), Tier::Affirming);
}

#[test]
fn a_verifier_wants_a_policy_with_images() {
    assert!(Live::fixed(NitroPolicy::new(Vec::new())).is_err());
}

#[test]
fn a_key_that_does_not_fit_into_a_document_is_not_attested() {
    let setting = Setting::new();
    for (length, fits) in [(1008, true), (1009, false)] {
        // 16 bytes of algorithm and lengths go before.
        let connection = Connection::of(&with_large_key(length));
        assert_eq!(connection.leaf_key().len(), length + 16);
        let made = connection.attest(&mut setting.attester());
        assert_eq!(made.is_ok(), fits, "{length}");
    }
}

#[test]
fn every_truncation_and_every_flipped_byte_is_refused() {
    let setting = Setting::new();
    let document = setting.document();
    assert!(setting.appraise(&document).is_ok());
    let verifier = setting.verifier();
    let refused = |bytes: &[u8]| setting.connection.appraise(&verifier, bytes, at()).is_err();
    for index in 0..document.len() {
        assert!(refused(&document[..index]), "cut at {index}");
        let mut flipped = document.clone();
        flipped[index] ^= 1 << (index % 8);
        assert!(refused(&flipped), "bit {} of {index}", index % 8);
    }
}

#[test]
fn a_recorded_document_is_appraised_without_its_binding() {
    let setting = Setting::new();
    let verifier = setting.verifier();
    for (nonce, key) in [(Some(&[9; 32][..]), Some(&[1; 91][..])), (None, None)] {
        let document = setting.forger.seal(setting.forger.fields(nonce, key));
        let recorded = ready(verifier.appraise_recorded(&document, at())).unwrap();
        assert_eq!(recorded.challenge(), nonce.unwrap_or_default());
        assert_eq!(recorded.origin(), Origin::Simulated);
        assert_eq!(recorded.ear().status(), Tier::Affirming);
        assert!(recorded.image().is_some());
        let mut altered = document.clone();
        let middle = altered.len() / 2;
        altered[middle] ^= 1;
        assert!(ready(verifier.appraise_recorded(&altered, at())).is_err());
    }
}

/// A certificate whose key has this many bytes, and is nobody's.
fn with_large_key(bytes: usize) -> Arc<CertifiedKey> {
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::default();
    let issuer = rcgen::Issuer::from_params(&parameters, &key);
    let certificate = parameters.signed_by(&LargeKey(vec![7; bytes]), &issuer);
    let certificate = certificate.unwrap().der().clone();
    let signing = identity().key.clone();
    Arc::new(CertifiedKey::new(vec![certificate], signing))
}

struct LargeKey(Vec<u8>);

impl rcgen::PublicKeyData for LargeKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}
