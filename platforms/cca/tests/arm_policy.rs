//! The files of keys and policies: each field, and each error with its line and field.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use atls_cca::CcaKeys;
use atls_cca::CcaPolicy;
use atls_cca::PsaKeys;
use atls_cca::PsaPolicy;
use atls_cca::PublicKey;
use atls_cca::testing::ForgedKey;
use atls_reference::ReferenceError;
use atls_reference::Table;
use atls_reference::from_json;
use atls_reference::from_toml;

const FILE: &str = r#"version = 1

[[cca.platform]]
name = "Acme firmware 2.9"
implementation-id = "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d"
configuration = "cfcf"
configuration-mask = "ff00"
[[cca.platform.component]]
kind = "RMM"
measurement = "3333333333333333333333333333333333333333333333333333333333333333"
signer-id = "5151515151515151515151515151515151515151515151515151515151515151"
version = "1.0.0"

[[cca.realm]]
name = "payments 1.4.2"
initial-measurement = "1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a"
rem0 = "0000000000000000000000000000000000000000000000000000000000000000"

[[psa.device]]
name = "meter 3.1"
implementation-id = "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d"
[[psa.device.component]]
measurement = "3333333333333333333333333333333333333333333333333333333333333333"

[[cca-keys.cpak]]
name = "rack 7"
implementation-id = "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d"
instance-id = "010101010101010101010101010101010101010101010101010101010101010101"
public = """
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE6Vwqe7hy3O8Ypa+BUETLUjBNU3rE
XVUyt9XHR7HJWLG7XTKQd9i1kVRXeBPDLFnfYru1/euxRnJM7H9UoFDLdA==
-----END PUBLIC KEY-----
"""
"#;

#[test]
fn one_file_has_all_tables() {
    let policy: CcaPolicy = from_toml(FILE).unwrap();
    assert_eq!(policy.platforms[0].configuration, Some(vec![0xcf; 2]));
    assert_eq!(policy.realms[0].rem0.as_ref().unwrap().as_bytes(), [0; 32]);
    let policy: PsaPolicy = from_toml(FILE).unwrap();
    assert_eq!(policy.devices[0].components.len(), 1);
    let keys: CcaKeys = from_toml(FILE).unwrap();
    assert!(!keys.keys[0].software);
    let missing = from_toml::<PsaKeys>(FILE).unwrap_err();
    assert!(matches!(missing, ReferenceError::Missing("psa-keys")));
}

#[test]
fn written_tables_are_read_back() {
    let policy: CcaPolicy = from_toml(FILE).unwrap();
    let json = serde_json::json!({ "version": 1, "cca": policy });
    assert_eq!(from_json::<CcaPolicy>(&json.to_string()).unwrap(), policy);
    let policy: PsaPolicy = from_toml(FILE).unwrap();
    let json = serde_json::json!({ "version": 1, "psa": policy });
    assert_eq!(from_json::<PsaPolicy>(&json.to_string()).unwrap(), policy);
    let keys: CcaKeys = from_toml(FILE).unwrap();
    let json = serde_json::json!({ "version": 1, "cca-keys": keys });
    assert_eq!(from_json::<CcaKeys>(&json.to_string()).unwrap(), keys);
    // P-384, in more lines of PEM.
    let mut longer = keys;
    longer.keys[0].public = ForgedKey::p384().public();
    let json = serde_json::json!({ "version": 1, "cca-keys": longer });
    assert_eq!(from_json::<CcaKeys>(&json.to_string()).unwrap(), longer);
}

/// The change of the file, and the line and field of the objection.
#[test]
fn an_objection_names_line_and_field() {
    type Read = fn(&str) -> Option<ReferenceError>;
    fn problem<T: Table>(file: &str) -> Option<ReferenceError> {
        from_toml::<T>(file).err()
    }
    let (cca, psa, keys): (Read, Read, Read) = (
        problem::<CcaPolicy>,
        problem::<PsaPolicy>,
        problem::<CcaKeys>,
    );
    for (read, find, replacement, line, field) in [
        (
            cca,
            "name = \"Acme firmware 2.9\"",
            "name = \" \"",
            4,
            "platform[0].name",
        ),
        (
            cca,
            "configuration-mask = \"ff00\"",
            "configuration-mask = \"ff\"",
            7,
            "platform[0].configuration-mask",
        ),
        (
            cca,
            "configuration-mask = \"ff00\"",
            "configuration-mask = \"0000\"",
            7,
            "platform[0].configuration-mask",
        ),
        (
            cca,
            "3333333333333333333333333333333333333333333333333333333333333333\"\nsigner",
            "0000000000000000000000000000000000000000000000000000000000000000\"\nsigner",
            10,
            "platform[0].component[0].measurement",
        ),
        (
            cca,
            "name = \"payments 1.4.2\"",
            "name = \"\"",
            15,
            "realm[0].name",
        ),
        (
            cca,
            "1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a",
            "0000000000000000000000000000000000000000000000000000000000000000",
            16,
            "realm[0].initial-measurement",
        ),
        (
            psa,
            "name = \"meter 3.1\"",
            "name = \"\"",
            20,
            "device[0].name",
        ),
        (keys, "name = \"rack 7\"", "name = \"\"", 26, "cpak[0].name"),
        (
            keys,
            "instance-id = \"01",
            "instance-id = \"02",
            28,
            "cpak[0].instance-id",
        ),
    ] {
        assert!(FILE.contains(find), "{find}");
        let found = read(&FILE.replacen(find, replacement, 1));
        let Some(ReferenceError::Meaning {
            line: at,
            field: named,
            ..
        }) = found
        else {
            panic!("{field}: {found:?}")
        };
        assert_eq!((at, named.as_str()), (line, field));
    }
}

#[test]
fn a_value_of_another_form_is_named_with_its_path() {
    for (find, replacement, named) in [
        ("rem0 = \"", "rem0 = \"00", "cca.realm[0].rem0"),
        ("rem0 =", "rem4 =", "rem4"),
        (
            "kind = \"RMM\"",
            "kind = 7",
            "cca.platform[0].component[0].kind",
        ),
        (
            "configuration = \"cfcf\"",
            "configuration = \"cfc\"",
            "cca.platform[0].configuration",
        ),
        (
            "measurement = \"33",
            "measurement = \"xx",
            "cca.platform[0].component[0].measurement",
        ),
        (
            "implementation-id = \"1d",
            "implementation-id = \"",
            "cca.platform[0].implementation-id",
        ),
        ("[[cca.realm]]", "[[cca.realms]]", "realms"),
    ] {
        let text = FILE.replacen(find, replacement, 1);
        let refused = from_toml::<CcaPolicy>(&text).unwrap_err().to_string();
        assert!(refused.contains(named), "{refused}");
    }
    for (find, replacement) in [
        ("BEGIN PUBLIC KEY", "BEGIN CERTIFICATE"),
        ("MFkw", "MFkv"),
        ("dA==", "dA="),
        ("6Vwq", ""),
    ] {
        let text = FILE.replacen(find, replacement, 1);
        let refused = from_toml::<CcaKeys>(&text).unwrap_err().to_string();
        assert!(refused.contains("cca-keys.cpak[0].public"), "{refused}");
    }
}

#[test]
fn a_policy_that_accepts_anything_or_nothing_is_refused() {
    let policy: CcaPolicy = from_toml(FILE).unwrap();
    let changes: [fn(&mut CcaPolicy); 4] = [
        |policy| policy.platforms.clear(),
        |policy| policy.platforms[0].components.clear(),
        |policy| policy.realms.clear(),
        |policy| policy.platforms[0].configuration = None,
    ];
    for change in changes {
        let mut policy = policy.clone();
        change(&mut policy);
        assert!(policy.check().is_err());
    }
    let policy: PsaPolicy = from_toml(FILE).unwrap();
    let changes: [fn(&mut PsaPolicy); 2] = [
        |policy| policy.devices.clear(),
        |policy| policy.devices[0].components.clear(),
    ];
    for change in changes {
        let mut policy = policy.clone();
        change(&mut policy);
        assert!(policy.check().is_err());
    }
}

#[test]
fn keys_are_of_one_instance_each_and_have_names_of_their_own() {
    let keys: CcaKeys = from_toml(FILE).unwrap();
    let second = |change: fn(&mut CcaKeys)| {
        let mut keys = keys.clone();
        keys.keys.push(keys.keys[0].clone());
        change(&mut keys);
        keys.check().map_err(|found| found.field)
    };
    assert_eq!(
        second(|keys| keys.keys[1].name = "b".to_owned()),
        Err("cpak[1].instance-id".to_owned())
    );
    assert_eq!(
        second(|keys| keys.keys[1].implementation_id = [7; 32].into()),
        Err("cpak[1].name".to_owned())
    );
    let good = second(|keys| {
        keys.keys[1].name = "b".to_owned();
        keys.keys[1].implementation_id = [7; 32].into();
    });
    assert_eq!(good, Ok(()));
    assert!(CcaKeys::new(Vec::new()).check().is_err());
    assert!(PsaKeys::new(Vec::new()).check().is_err());
}

#[test]
fn a_key_is_one_uncompressed_point_in_pem() {
    let public = ForgedKey::p384().public();
    let json = serde_json::to_string(&public).unwrap();
    let pem: String = serde_json::from_str(&json).unwrap();
    assert_eq!(PublicKey::from_pem(&pem), Ok(public));
    for text in ["", "-----BEGIN PUBLIC KEY-----", &pem[..pem.len() / 2]] {
        assert!(PublicKey::from_pem(text).is_err(), "{text}");
    }
}
