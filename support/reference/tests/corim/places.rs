//! The places of values that came out of a document, for findings.

use std::sync::Arc;

use ::corim::cbor::value::Value;
use atls_core::finding::Finding;
use atls_reference::Format;
use atls_reference::Live;
use atls_reference::Sourced;
use atls_reference::Table;
use atls_reference::corim::Corim;
use test_support::corim::integer;
use test_support::corim::map;
use test_support::corim::text;

use crate::documents::comid;
use crate::documents::digests;
use crate::documents::document;
use crate::documents::environment;
use crate::documents::measurement;
use crate::documents::read;
use crate::documents::triple;
use crate::table::Launch;

#[test]
fn a_finding_has_the_triple_of_the_first_allowed_value() {
    let live = Live::<Launch>::of(Sourced::of_corim("fw.corim", &corim()).unwrap());
    for (allowed, place) in [
        (
            &["one"][..],
            "fw.corim, tag 0, reference triple 1, measurement 0",
        ),
        (
            &["two", "one"],
            "fw.corim, tag 1, reference triple 0, measurement 1",
        ),
        // What has no name has that of its triple.
        (
            &["test (tag 0, reference triple 0)"],
            "fw.corim, tag 0, reference triple 0",
        ),
        (
            &["elsewhere", "one"],
            "fw.corim, tag 0, reference triple 1, measurement 0",
        ),
        (&["elsewhere"], "fw.corim"),
        (&[], "fw.corim"),
    ] {
        assert_eq!(
            place_of(&live, allowed).as_deref(),
            Some(place),
            "{allowed:?}"
        );
    }
}

#[test]
fn a_table_of_a_file_and_of_a_document_names_either() {
    let own = "version = 1\n[launch]\nmeasurements = []\nname = \"own\"\n";
    let sourced = Sourced::<Launch>::of_text("policy.toml", own, Format::Toml).unwrap();
    let live = Live::of(sourced.adding("fw.corim", &corim()).unwrap());
    assert_eq!(live.current().measurements.len(), 4);
    for (allowed, place) in [
        ("own", "policy.toml, line 2"),
        ("one", "fw.corim, tag 0, reference triple 1, measurement 0"),
        // The file that is first stands for what none has.
        ("elsewhere", "policy.toml, line 2"),
    ] {
        assert_eq!(place_of(&live, &[allowed]).as_deref(), Some(place));
    }
}

#[test]
fn a_document_that_is_put_in_force_later_names_its_own_places() {
    let live = Live::<Launch>::fixed(corim().dangerous_table_without_end().unwrap()).unwrap();
    assert_eq!(place_of(&live, &["one"]), None);
    let old = live.current();
    live.replace_by(Sourced::of_corim("new.corim", &corim()).unwrap());
    let place = place_of(&live, &["one"]).unwrap();
    assert!(place.starts_with("new.corim, tag 0"), "{place}");
    assert_eq!(live.generation(), 1);
    assert_eq!(place_in(&live, &old, &["one"]), None);
    // A table that code made has none again.
    live.replace(corim().dangerous_table_without_end().unwrap())
        .unwrap();
    assert_eq!(place_of(&live, &["one"]), None);
}

#[test]
fn names_of_a_maker_are_found_as_findings_show_them() {
    let hostile = "a\n\"b\" \u{202e}".repeat(40);
    let named = triple(map([
        (integer(2), digests()),
        (integer(11), text(&hostile)),
    ]));
    let corim = read(&document(vec![comid([named])])).unwrap();
    let live = Live::<Launch>::of(Sourced::of_corim("fw.corim", &corim).unwrap());
    let place = place_of(&live, &[hostile.as_str()]).unwrap();
    assert_eq!(place, "fw.corim, tag 0, reference triple 0, measurement 0");
}

/// A tag of a triple without a name and one with, and a tag of two measurements.
fn corim() -> Corim {
    let unnamed = triple(map([(integer(2), digests())]));
    let named = |name| map([(integer(2), digests()), (integer(11), text(name))]);
    let measurements = vec![measurement(named("one")), measurement(named("two"))];
    let two = Value::Array(vec![environment(), Value::Array(measurements)]);
    let tags = vec![comid([unnamed, triple(named("one"))]), comid([two])];
    read(&document(tags)).unwrap()
}

fn place_of<T: Table>(live: &Live<T>, allowed: &[&str]) -> Option<String> {
    place_in(live, &live.current(), allowed)
}

fn place_in<T: Table>(live: &Live<T>, table: &Arc<T>, allowed: &[&str]) -> Option<String> {
    let failed = Finding::failed("launch.digest");
    let failed = allowed
        .iter()
        .fold(failed, |finding, name| finding.with_allowed(name, ""));
    let found = live.located(table, vec![failed]).remove(0);
    found.place().map(ToString::to_string)
}
