//! Files that are right.

use atls_reference::Digest;
use atls_reference::from_json;
use atls_reference::from_toml;

use crate::support::Example;
use crate::support::GOOD;
use crate::support::GOOD_JSON;

#[test]
fn both_formats_have_the_same_meaning() {
    let example: Example = from_toml(GOOD).unwrap();
    assert_eq!(example.image.len(), 1);
    assert_eq!(
        example.image[0].measurement,
        Digest::from([0, 1, 2, 3, 0xa, 0xb, 0xc, 0xd])
    );
    assert_eq!(from_json::<Example>(GOOD_JSON).unwrap(), example);
}

#[test]
fn a_file_holds_tables_of_other_platforms() {
    let text = GOOD.replace("[example]", "[other]\nwhatever = [1, { a = 2 }]\n[example]");
    assert_eq!(
        from_toml::<Example>(&text).unwrap(),
        from_toml(GOOD).unwrap()
    );
}
