//! Attest-key triples, for tables of keys.

use atls_reference::corim::CorimError;
use atls_reference::corim::Id;
use corim::cbor::value::Value;
use test_support::corim::ForgedCorim;
use test_support::corim::bytes;
use test_support::corim::integer;
use test_support::corim::list;
use test_support::corim::map;
use test_support::corim::tag;
use test_support::corim::text;

#[test]
fn a_key_is_read_with_its_environment() {
    let corim = corim(vec![key(environment(), vec![pem()])]).unwrap();
    assert!(corim.references().is_empty());
    assert_eq!(corim.left_out(), ["tag 0: attest-key-triples"]);
    let [key] = corim.attest_keys() else {
        panic!("one triple")
    };
    assert_eq!(key.environment.class_id, Some(Id::Bytes(vec![1; 32])));
    assert_eq!(key.environment.instance, Some(Id::Ueid(vec![1; 33])));
    assert_eq!(key.keys, ["-----BEGIN PUBLIC KEY-----"]);
    assert_eq!(key.name(corim.id()), "forged (tag 0, attest-key triple 0)");
    let read = corim.each_attest_key(|key| Ok(key.keys.len()));
    assert_eq!(read, Ok(vec![1]));
}

#[test]
fn reference_values_are_not_made_of_keys() {
    let corim = corim(vec![key(environment(), vec![pem()])]).unwrap();
    assert!(corim.each_reference(|_| Ok(())).is_err());
}

#[test]
fn a_document_without_any_triple_is_refused() {
    assert!(corim(Vec::new()).is_err());
}

/// Each would otherwise be trusted further than its maker means.
#[test]
fn a_key_that_is_narrowed_or_not_understood_is_refused_with_its_place() {
    let condition = map([(integer(0), text("element"))]);
    let narrowed = list(vec![environment(), list(vec![pem()]), condition]);
    let of_certificate = key(environment(), vec![tag(555, text("certificate"))]);
    let unknown_class = map([
        (integer(0), tag(37, bytes(&[1; 16]))),
        (integer(9), text("x")),
    ]);
    let unknown = key(map([(integer(0), unknown_class)]), vec![pem()]);
    for triple in [narrowed, of_certificate, unknown] {
        let corim = corim(vec![key(environment(), vec![pem()]), triple]).unwrap();
        let refused = corim.each_attest_key(|_| Ok(())).unwrap_err();
        assert_eq!(refused.place.unwrap().tag, 0);
        assert!(
            refused.problem.starts_with("attest-key triple 1: "),
            "{refused}"
        );
    }
}

fn corim(keys: Vec<Value>) -> Result<atls_reference::corim::Corim, CorimError> {
    let mut forged = ForgedCorim::new(None, Vec::new());
    forged.keys = keys;
    forged.read(1_800_000_000)
}

fn key(environment: Value, keys: Vec<Value>) -> Value {
    list(vec![environment, list(keys)])
}

fn environment() -> Value {
    let class = map([(integer(0), tag(560, bytes(&[1; 32])))]);
    map([(integer(0), class), (integer(1), tag(550, bytes(&[1; 33])))])
}

fn pem() -> Value {
    tag(554, text("-----BEGIN PUBLIC KEY-----"))
}
