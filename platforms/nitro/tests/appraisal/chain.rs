//! Signature and certificates.

use atls_core::AppraisalError;
use atls_nitro::testing::ForgedNitro;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1;
use rcgen::BasicConstraints;
use rcgen::CustomExtension;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::IsCa;
use rcgen::KeyUsagePurpose;
use rcgen::PKCS_ECDSA_P256_SHA256;

use crate::setting::Alter;
use crate::setting::Setting;
use crate::setting::at;
use crate::setting::field;
use crate::setting::seconds;

#[test]
fn a_signature_is_96_bytes_by_the_key_of_the_certificate() {
    let setting = Setting::new();
    let other = ForgedNitro::new(at());
    let sign1 = CoseSign1::from_slice(&setting.document()).unwrap();
    let genuine = sign1.signature.clone();
    for signature in [
        Vec::new(),
        vec![0; 96],
        genuine[..95].to_vec(),
        [&genuine[..], &[0]].concat(),
        other.sign(&sign1.tbs_data(b"")),
        setting.forger.sign(&sign1.tbs_data(b"other")),
    ] {
        let mut altered = sign1.clone();
        altered.signature = signature;
        let refusal = setting.refusal(&altered.to_vec().unwrap());
        assert_eq!(refusal, AppraisalError::BadSignature);
    }
}

#[test]
fn the_bundle_is_the_chain_whole_and_in_order() {
    let setting = Setting::new();
    let refusal = |change: &dyn Fn(&mut Vec<Value>)| {
        setting.refusal_of(|fields| change(field(fields, "cabundle").as_array_mut().unwrap()))
    };
    // A bundle that does not begin with the pinned root has another root.
    let rootless = refusal(&|bundle| drop(bundle.remove(0)));
    assert_eq!(rootless, AppraisalError::UnknownKey);
    let swapped = refusal(&|bundle| bundle.swap(0, 1));
    assert_eq!(swapped, AppraisalError::UnknownKey);
    let swapped = refusal(&|bundle| bundle.swap(1, 2));
    assert_eq!(swapped, AppraisalError::BadSignature);
    let repeated = refusal(&|bundle| bundle.push(bundle[3].clone()));
    assert_eq!(repeated, AppraisalError::BadSignature);
    for missing in [1, 2, 3] {
        let refusal = refusal(&|bundle| drop(bundle.remove(missing)));
        assert_eq!(refusal, AppraisalError::BadSignature, "{missing} missing");
    }
    let stranger = field(
        &mut ForgedNitro::new(at()).fields(None, None),
        "certificate",
    )
    .clone();
    for position in 1..5 {
        let refusal = refusal(&|bundle| bundle.insert(position, stranger.clone()));
        assert_eq!(refusal, AppraisalError::BadSignature, "one too many");
    }
}

#[test]
fn a_chain_to_a_root_of_the_same_name_is_refused() {
    let (setting, impostor) = (Setting::new(), ForgedNitro::new(at()));
    let fields = impostor.fields(
        Some(setting.connection.bound().as_bytes()),
        Some(&setting.connection.leaf_key()),
    );
    let own_root = impostor.seal(fields.clone());
    assert_eq!(setting.refusal(&own_root), AppraisalError::UnknownKey);
    // With the pinned certificate in front, which never signed the next one.
    let mut fields = fields;
    let mut genuine = setting.forger.fields(None, None);
    let pinned = field(&mut genuine, "cabundle").as_array().unwrap()[0].clone();
    field(&mut fields, "cabundle").as_array_mut().unwrap()[0] = pinned;
    let borrowed = impostor.seal(fields);
    assert_eq!(setting.refusal(&borrowed), AppraisalError::BadSignature);
}

#[test]
fn certificates_are_valid_at_the_time() {
    let ended: Alter = |blueprint| {
        blueprint.params.not_after = blueprint.params.not_before + seconds(2);
    };
    let not_begun: Alter = |blueprint| blueprint.params.not_before += seconds(4);
    for position in 0..5 {
        for alter in [ended, not_begun] {
            let setting = Setting::with_certificate(position, alter);
            let refusal = setting.refusal(&setting.document());
            assert_eq!(refusal, AppraisalError::Expired, "{position}");
        }
    }
}

#[test]
fn a_certificate_for_another_use_is_refused() {
    let no_usage: Alter = |blueprint| blueprint.params.key_usages.clear();
    let agreement: Alter =
        |blueprint| blueprint.params.key_usages = vec![KeyUsagePurpose::KeyAgreement];
    let purpose: Alter = |blueprint| {
        blueprint.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    };
    let no_authority: Alter = |blueprint| blueprint.params.is_ca = IsCa::ExplicitNoCa;
    let authority: Alter = |blueprint| {
        blueprint.params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    };
    // BasicConstraints ::= SEQUENCE { pathLenConstraint 0 }
    let path_length: Alter = |blueprint| {
        let bytes = vec![0x30, 0x03, 0x02, 0x01, 0x00];
        let extension = CustomExtension::from_oid_content(&[2, 5, 29, 19], bytes);
        blueprint.params.is_ca = IsCa::NoCa;
        blueprint.params.custom_extensions.push(extension);
    };
    let shorter: Alter = |blueprint| {
        let IsCa::Ca(BasicConstraints::Constrained(length)) = blueprint.params.is_ca else {
            panic!("authorities are constrained");
        };
        blueprint.params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length - 1));
    };
    let critical: Alter = |blueprint| {
        let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 99], vec![5, 0]);
        extension.set_criticality(true);
        blueprint.params.custom_extensions.push(extension);
    };
    let weaker: Alter = |blueprint| blueprint.algorithm = &PKCS_ECDSA_P256_SHA256;
    for (position, alter, what) in [
        (0, no_usage, "root without key usage"),
        (1, no_usage, "authority without key usage"),
        (3, agreement, "authority for key agreement"),
        (4, no_usage, "leaf without key usage"),
        (4, agreement, "leaf for key agreement"),
        (1, purpose, "authority for TLS clients"),
        (4, purpose, "leaf for TLS clients"),
        (2, no_authority, "authority without the right to issue"),
        (4, authority, "leaf that is an authority"),
        (4, path_length, "leaf with a path length"),
        (1, shorter, "path that is too long"),
        (2, shorter, "path that is too long"),
        (1, critical, "unknown critical extension"),
        (4, critical, "unknown critical extension"),
        (1, weaker, "authority with a P-256 key"),
        (3, weaker, "authority with a P-256 key"),
    ] {
        let setting = Setting::with_certificate(position, alter);
        let refusal = setting.refusal(&setting.document());
        let expected = [AppraisalError::BadSignature, AppraisalError::Malformed];
        assert!(expected.contains(&refusal), "{what}: {refusal:?}");
    }
}
