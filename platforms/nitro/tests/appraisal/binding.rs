//! Nonce, key and user data of a document.

use atls_core::AppraisalError;
use atls_core::Refusal;
use atls_core::ear::Tier;
use atls_nitro::NitroClaims;
use atls_nitro::testing::ForgedNitro;
use test_support::Connection;
use test_support::ready;

use crate::setting::Setting;
use crate::setting::at;
use crate::setting::field;

#[test]
fn the_document_of_another_connection_is_refused() {
    let (one, mut other) = (Setting::new(), Setting::new());
    other.forger = one.forger.clone();
    let replayed = one.refusal(&other.document());
    assert_eq!(replayed, AppraisalError::NotBound);
    assert!(one.appraise(&one.document()).is_ok());
}

/// The binding, under a signature that verifies: a genuine enclave whose software lies.
#[test]
fn a_nonce_that_is_cut_padded_empty_or_another_is_refused() {
    for connection in [Connection::new(), Connection::sha384()] {
        let setting = Setting::with(connection, ForgedNitro::new(at()));
        let whole = setting.connection.bound().as_bytes().to_vec();
        assert!(setting.appraise(&setting.with_nonce(&whole)).is_ok());
        for nonce in [
            Vec::new(),
            whole[..8].to_vec(),
            whole[..whole.len() - 1].to_vec(),
            [&whole[..], &[0]].concat(),
            [&whole[..], &[0; 16]].concat(),
            vec![0; whole.len()],
            vec![0; 64],
            whole.iter().rev().copied().collect(),
        ] {
            let refusal = setting.refusal(&setting.with_nonce(&nonce));
            assert_eq!(refusal, AppraisalError::NotBound, "{nonce:?}");
        }
    }
}

#[test]
fn a_document_without_nonce_or_without_key_is_refused() {
    let setting = Setting::new();
    let (bound, key) = (setting.connection.bound(), setting.connection.leaf_key());
    let without_nonce = setting.forger.fields(None, Some(&key));
    let without_key = setting.forger.fields(Some(bound.as_bytes()), None);
    for fields in [without_nonce, without_key] {
        let absent: Vec<_> = fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .cloned()
            .collect();
        for fields in [fields, absent] {
            let refusal = setting.refusal(&setting.forger.seal(fields));
            assert_eq!(refusal, AppraisalError::NotBound);
        }
    }
}

#[test]
fn the_key_of_the_document_is_the_key_of_the_connection() {
    let setting = Setting::new();
    let key = setting.connection.leaf_key();
    for key in [
        Connection::new().leaf_key(),
        key[1..].to_vec(),
        [&key[..], &[0]].concat(),
    ] {
        let lying = |bound: &[u8]| {
            let fields = setting.forger.fields(Some(bound), Some(&key));
            setting.forger.seal(fields)
        };
        let credential = setting.credential_around(lying);
        let refusal = ready(setting.relying_party().appraise(credential, at())).unwrap_err();
        assert_eq!(refusal, Refusal::KeyMismatch);
    }
}

/// AWS's root also vouches for what a NitroTPM says of an ordinary instance, over any nonce and key that its owner likes.
#[test]
fn a_document_of_a_nitro_tpm_is_refused() {
    let setting = Setting::new();
    for register in ["pcrs", "nitrotpm_pcrs"] {
        let refusal = setting.refusal_of(|fields| {
            let registers = field(fields, "pcrs").clone();
            fields.retain(|(key, _)| *key != "pcrs".into());
            fields.push((register.into(), registers.clone()));
            fields.push(("nitrotpm_pcrs".into(), registers));
        });
        assert_eq!(refusal, AppraisalError::Malformed, "beside {register}");
    }
}

#[test]
fn user_data_is_a_claim_and_nothing_else() {
    let setting = Setting::new();
    for bytes in [Vec::new(), vec![0; 512], b"affirming".to_vec()] {
        let with = setting.altered(|fields| *field(fields, "user_data") = bytes.clone().into());
        let credential = setting.credential_around(|bound| {
            let key = setting.connection.leaf_key();
            let mut fields = setting.forger.fields(Some(bound), Some(&key));
            *field(&mut fields, "user_data") = bytes.clone().into();
            setting.forger.seal(fields)
        });
        let appraised = setting.appraise(&with).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming);
        let peer = ready(setting.relying_party().appraise(credential, at())).unwrap();
        assert_eq!(peer.claims::<NitroClaims>().unwrap().user_data, Some(bytes));
    }
}
