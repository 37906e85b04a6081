//! Keys and signatures have one form each.

use atls_formats::psa::CcaProfile;
use atls_formats::psa::CcaRealm;
use atls_formats::psa::EcKey;
use atls_formats::psa::Ecdsa;
use atls_formats::psa::RealmKey;
use atls_formats::psa::SignedToken;
use atls_formats::psa::TokenError;
use ciborium::Value;
use coset::CborSerializable;

use crate::makers::Entries;
use crate::makers::bytes;
use crate::makers::ec_key;
use crate::makers::realm;
use crate::makers::realm_token;

#[test]
fn a_bare_point_is_a_key_of_the_first_generation_alone() {
    let point = RealmKey::decode(ec_key(Ecdsa::Es384).point()).unwrap();
    for (profile, expected) in [
        (CcaProfile::First, Ok(())),
        (CcaProfile::Tag2023, Err(TokenError::Claim(44237))),
    ] {
        let realm = CcaRealm {
            profile,
            key: point.clone(),
            ..realm()
        };
        let token = SignedToken::decode(&realm_token(&realm)).unwrap();
        assert_eq!(CcaRealm::of(token.claims()).map(drop), expected);
    }
}

#[test]
fn a_cose_key_has_one_curve_whole_coordinates_and_no_private_part() {
    let good = || -> Entries {
        vec![
            (1.into(), 2.into()),
            ((-1).into(), 2.into()),
            ((-2).into(), bytes(&[7; 48])),
            ((-3).into(), bytes(&[8; 48])),
        ]
    };
    let read = |change: &dyn Fn(&mut Entries)| {
        let mut entries = good();
        change(&mut entries);
        EcKey::from_cose_key(&Value::Map(entries).to_vec().unwrap()).is_some()
    };
    assert!(read(&|_| {}));
    assert!(read(&|key| key.push((3.into(), (-35).into()))));
    assert!(read(
        &|key| key.push((4.into(), Value::Array(vec![1.into(), 2.into()])))
    ));
    assert!(read(&|key| key.push((2.into(), bytes(b"name")))));
    let refused: [&dyn Fn(&mut Entries); 12] = [
        &|key| key[0].1 = 1.into(),
        &|key| key[1].1 = 1.into(),
        &|key| key[1].1 = 4.into(),
        &|key| key[2].1 = bytes(&[7; 47]),
        &|key| key[3].1 = Value::Bool(true),
        &|key| key.push(((-4).into(), bytes(&[9; 48]))),
        &|key| key.push((3.into(), (-7).into())),
        &|key| key.push((3.into(), "ES384".into())),
        &|key| key.push((4.into(), Value::Array(vec![1.into()]))),
        &|key| key.push(key[2].clone()),
        &|key| drop(key.remove(3)),
        &|key| key.extend([(3.into(), (-35).into()), (3.into(), (-35).into())]),
    ];
    for (number, change) in refused.iter().enumerate() {
        assert!(!read(*change), "{number}");
    }
}

#[test]
fn a_key_is_the_same_in_each_form_and_cut_in_none() {
    for ecdsa in Ecdsa::ALL {
        let key = ec_key(ecdsa);
        let (spki, cose) = (key.to_spki(), key.to_cose_key().unwrap());
        assert_eq!(EcKey::from_spki(&spki), Some(key.clone()));
        assert_eq!(EcKey::from_cose_key(&cose), Some(key.clone()));
        assert_eq!(EcKey::from_point(key.point()), Some(key.clone()));
        for length in 0..spki.len() {
            assert_eq!(EcKey::from_spki(&spki[..length]), None, "{length}");
        }
        for length in 0..cose.len() {
            assert_eq!(EcKey::from_cose_key(&cose[..length]), None, "{length}");
        }
        for length in 0..key.point().len() {
            // Nothing in a point says of which curve it is, but for its length.
            let is_whole = [65, 97].contains(&length);
            let read = EcKey::from_point(&key.point()[..length]);
            assert_eq!(read.is_some(), is_whole, "{length}");
        }
        assert_eq!(EcKey::from_spki(&[&spki[..], &[0]].concat()), None);
        let mut compressed = key.point().to_vec();
        compressed[0] = 2;
        assert_eq!(EcKey::from_point(&compressed), None);
    }
}

#[test]
fn a_signature_has_two_whole_halves() {
    for ecdsa in Ecdsa::ALL {
        let whole = 2 * ecdsa.size();
        for length in [0, ecdsa.size(), whole - 1, whole + 1] {
            assert_eq!(ecdsa.to_x509(&vec![1; length]), None, "{length}");
        }
        assert!(ecdsa.to_x509(&vec![1; whole]).is_some());
    }
}
