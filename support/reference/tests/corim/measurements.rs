//! The values of a measurement.

use ::corim::cbor::value::Value;
use atls_reference::corim::Field;
use test_support::corim::bytes;
use test_support::corim::encode;
use test_support::corim::integer;
use test_support::corim::map;
use test_support::corim::tag;
use test_support::corim::text;

use crate::documents::comid;
use crate::documents::digests;
use crate::documents::document;
use crate::documents::environment;
use crate::documents::read;
use crate::documents::triple;

#[test]
fn further_values_of_a_measurement_are_named() {
    for (key, value, name) in [
        (integer(3), map([(integer(3), Value::Bool(false))]), "flags"),
        (integer(8), text("serial"), "serial-number"),
        (integer(77), integer(1), "value 77"),
    ] {
        let values = map([(integer(2), digests()), (key, value)]);
        let corim = read(&document(vec![comid([triple(values)])])).unwrap();
        let measurement = &corim.references()[0].measurements[0];
        assert_eq!(measurement.further, [name]);
        assert!(measurement.says_only(&[Field::Digests]).is_err(), "{name}");
    }
}

#[test]
fn extensions_of_a_profile_are_kept_and_named() {
    let digest = Value::Array(vec![integer(7), bytes(&[1; 48])]);
    let values = map([(integer(-83), digest.clone()), (integer(-71), text("TDX"))]);
    let corim = read(&document(vec![comid([triple(values)])])).unwrap();
    let measurement = &corim.references()[0].measurements[0];
    assert_eq!(measurement.further, [""; 0]);
    assert_eq!(measurement.extensions[&-83], encode(&digest));
    let model = Field::Extension(-71);
    assert_eq!(
        measurement.says_only(&[Field::Extension(-83), model]),
        Ok(())
    );
    assert_eq!(
        measurement.says_only(&[model]).unwrap_err(),
        "extension -83 would not be looked at".into()
    );
}

#[test]
fn a_required_authority_is_named() {
    let authority = Value::Array(vec![tag(560, bytes(b"key"))]);
    let measurement = map([
        (integer(1), map([(integer(2), digests())])),
        (integer(2), authority),
    ]);
    let triple = Value::Array(vec![environment(), Value::Array(vec![measurement])]);
    let corim = read(&document(vec![comid([triple])])).unwrap();
    assert_eq!(
        corim.references()[0].measurements[0].further,
        ["authorized-by"]
    );
}

#[test]
fn keys_that_are_no_identifiers_are_told() {
    let keys = Value::Array(vec![tag(560, bytes(b"id")), tag(554, text("PEM"))]);
    let corim = read(&document(vec![comid([triple(map([(integer(13), keys)]))])])).unwrap();
    let measurement = &corim.references()[0].measurements[0];
    assert_eq!(measurement.key_ids, [b"id"]);
    assert_eq!(measurement.further, ["cryptokeys"]);
}
