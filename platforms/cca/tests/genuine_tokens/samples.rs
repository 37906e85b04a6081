//! The samples, their keys, and policies that know them.

use std::path::Path;
use std::sync::Arc;

use atls_cca::CcaKeys;
use atls_cca::CcaPlatformFirmware;
use atls_cca::CcaPolicy;
use atls_cca::CcaRealmImage;
use atls_cca::CcaVerifier;
use atls_cca::KnownComponent;
use atls_cca::Measurement;
use atls_cca::PsaKeys;
use atls_cca::PsaPolicy;
use atls_cca::PsaVerifier;
use atls_cca::TrustedKey;
use atls_core::AppraisalError;
use atls_core::RecordedAppraisal;
use atls_core::ear::Category;
use atls_formats::psa::CcaPlatform;
use atls_formats::psa::CcaRealm;
use atls_formats::psa::CcaToken;
use atls_formats::psa::EcKey;
use atls_reference::Live;
use atls_reference::corim;
use atls_reference::corim::Corim;
use atls_reference::corim::Id;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::crypto::CryptoProvider;
use serde_json::Value;
use test_support::at;
use test_support::ready;

pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) fn file(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).unwrap()
}

pub(crate) fn json(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&file(folder, name)).unwrap()
}

pub(crate) fn jwk(key: &Value) -> EcKey {
    let coordinate = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap());
    let (x, y) = (coordinate("x").unwrap(), coordinate("y").unwrap());
    EcKey::from_point(&[vec![4], x, y].concat()).unwrap()
}

pub(crate) fn cca_corims(folder: &Path) -> [Corim; 2] {
    ["corim-cca-platform-valid", "corim-cca-realm-valid"].map(|name| {
        let bytes = file(folder, &format!("corim/{name}.cbor"));
        corim::unsigned(&bytes, at(NOW)).unwrap()
    })
}

pub(crate) fn psa_corim(folder: &Path) -> Corim {
    corim::unsigned(&file(folder, "corim/corim-psa-valid.cbor"), at(NOW)).unwrap()
}

/// The keys of a CoRIM whose private halves everybody has.
pub(crate) fn keys_in_software(corim: &Corim) -> Vec<TrustedKey> {
    let key = |key: &corim::AttestKey| {
        let (Some(Id::Bytes(implementation)), Some(Id::Ueid(instance))) =
            (&key.environment.class_id, &key.environment.instance)
        else {
            panic!("an implementation and an instance")
        };
        let (implementation, instance) = (implementation.as_slice(), instance.as_slice());
        let public = atls_cca::PublicKey::from_pem(&key.keys[0]).unwrap();
        TrustedKey::new(
            key.name(corim.id()),
            implementation.try_into().unwrap(),
            instance.try_into().unwrap(),
            public,
        )
        .in_software()
    };
    corim.attest_keys().iter().map(key).collect()
}

/// A policy that knows all that the token says.
pub(crate) fn policy_of(evidence: &[u8]) -> CcaPolicy {
    let token = CcaToken::decode(evidence).unwrap();
    let platform = CcaPlatform::of(token.platform()).unwrap();
    let realm = CcaRealm::of(token.realm()).unwrap();
    let measured = |bytes: &[u8]| Measurement::new(bytes).unwrap();
    let components = platform.components.iter().map(|component| {
        let mut known = KnownComponent::new(measured(&component.measurement));
        known.signer_id = Some(measured(&component.signer_id));
        known.kind.clone_from(&component.kind);
        known
    });
    let id = platform.implementation_id;
    let firmware = CcaPlatformFirmware::new("its own", id, components.collect());
    let image = CcaRealmImage::new("its own", measured(&realm.initial_measurement));
    CcaPolicy::new(vec![firmware], vec![image])
}

pub(crate) fn appraise(
    evidence: &[u8],
    cpak: &EcKey,
    policy: CcaPolicy,
) -> Result<RecordedAppraisal, AppraisalError> {
    let token = CcaToken::decode(evidence).unwrap();
    let platform = CcaPlatform::of(token.platform()).unwrap();
    let (implementation, instance) = (platform.implementation_id, platform.instance_id);
    let key = TrustedKey::new("published", implementation, instance, cpak.clone().into());
    // This realm measured nothing, which no table may say.
    let policy = match policy.realms[0]
        .initial_measurement
        .as_bytes()
        .iter()
        .all(|byte| *byte == 0)
    {
        true => {
            let mut policy = policy;
            policy.realms[0].initial_measurement = Measurement::new(&[1; 32]).unwrap();
            policy
        }
        false => policy,
    };
    let verifier = verifier(vec![key.in_software()], policy);
    ready(verifier.appraise_recorded(evidence, at(NOW)))
}

pub(crate) fn verifier(keys: Vec<TrustedKey>, policy: CcaPolicy) -> CcaVerifier {
    let keys = Live::fixed(CcaKeys::new(keys)).unwrap();
    let policy = Live::fixed(policy).unwrap();
    CcaVerifier::new(Arc::new(policy), Arc::new(keys), &provider())
}

pub(crate) fn psa_verifier(keys: Vec<TrustedKey>, policy: PsaPolicy) -> PsaVerifier {
    let keys = Live::fixed(PsaKeys::new(keys)).unwrap();
    let policy = Live::fixed(policy).unwrap();
    PsaVerifier::new(Arc::new(policy), Arc::new(keys), &provider())
}

pub(crate) fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

pub(crate) fn vector(recorded: &RecordedAppraisal, part: &str) -> [i8; 8] {
    let vector = recorded.ear().submod(part).unwrap().vector();
    Category::ALL.map(|category| vector.get(category).value())
}

/// The claims of a signed result, whose signature others verify (`verifiers/veraison`).
pub(crate) fn ear(folder: &Path, name: &str) -> Value {
    let token = std::fs::read_to_string(folder.join(name)).unwrap();
    let payload = token.trim().split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// The claims in which a part of Veraison's result is another than ours: name, theirs, ours.
pub(crate) fn differences(
    theirs: &Value,
    part: &str,
    ours: &[i8; 8],
) -> Vec<(&'static str, i8, i8)> {
    let theirs = &theirs["submods"][part]["ear.trustworthiness-vector"];
    let both = Category::ALL.into_iter().zip(ours);
    both.filter_map(|(category, ours)| {
        let theirs = theirs[category.name()].as_i64().unwrap();
        let theirs = i8::try_from(theirs).unwrap();
        (theirs != *ours).then_some((category.name(), theirs, *ours))
    })
    .collect()
}

pub(crate) fn decoded(text: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap()
}
