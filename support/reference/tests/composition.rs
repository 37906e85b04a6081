//! The table `[composition]`, and its mistakes with line and field.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use atls_core::MediaType;
use atls_core::policy::Composition;
use atls_core::policy::ExpectedItem;
use atls_reference::CompositionTable;
use atls_reference::ReferenceError;
use atls_reference::from_toml;

#[test]
fn a_table_is_the_composition_that_it_writes_down() {
    let table: CompositionTable = from_toml(
        r#"
        version = 1
        [[composition.item]]
        media-type = "application/cpu"
        chained-to = "tpm"
        [[composition.item]]
        media-type = "application/tpm"
        label = "tpm"
        [[composition.extra]]
        media-type = "application/gpu; v=1"
        "#,
    )
    .unwrap();
    let item = |text: &str| ExpectedItem::new(MediaType::parse(text).unwrap());
    let expected = Composition::of([
        item("application/tpm").labelled("tpm"),
        item("application/cpu").chained_to("tpm"),
    ]);
    let expected = expected.allow(item("application/gpu; v=1"));
    assert_eq!(table.composition(), expected);
}

/// An item of the peer counts for the one that demands most of it, wherever that stands.
#[test]
fn the_order_in_the_file_does_not_matter() {
    let bare = "[[composition.item]]\nmedia-type = \"application/cpu\"\n";
    let chained = format!("{bare}chained-to = \"tpm\"\n");
    let labelled = format!("{bare}label = \"a\"\n");
    let both = format!("{chained}label = \"b\"\n");
    let read = |items: [&str; 4]| {
        let text = format!("version = 1\n{}", items.concat());
        from_toml::<CompositionTable>(&text).unwrap().composition()
    };
    let expected = read([&both, &labelled, &chained, bare]);
    assert_eq!(read([bare, &chained, &labelled, &both]), expected);
    assert_eq!(read([&chained, bare, &both, &labelled]), expected);
}

#[test]
fn a_mistake_is_named_with_its_line_and_its_field() {
    let good = "[[composition.item]]\nmedia-type = \"a/b\"\n";
    for (text, line, field) in [
        ("[composition]\nitem = []".to_owned(), 3, "composition.item"),
        (
            "[[composition.item]]\nmedia-type = \"tpm\"".to_owned(),
            3,
            "composition.item[0].media-type",
        ),
        (
            format!("{good}label = \"\""),
            4,
            "composition.item[0].label",
        ),
        (
            format!("{good}label = \"a\"\nchained-to = \"a\""),
            5,
            "composition.item[0].chained-to",
        ),
        (
            format!("{good}label = \"a\"\n{good}label = \"a\""),
            7,
            "composition.item[1].label",
        ),
        (
            format!("{good}[[composition.extra]]\nmedia-type = \"a/b\"\nchained-to = \"\""),
            6,
            "composition.extra[0].chained-to",
        ),
        (format!("{good}name = \"a\""), 4, "composition.item[0].name"),
    ] {
        let text = format!("version = 1\n{text}\n");
        let error = from_toml::<CompositionTable>(&text).unwrap_err();
        let (found_line, found_field) = match &error {
            ReferenceError::Meaning { line, field, .. } => (*line, format!("composition.{field}")),
            ReferenceError::Syntax(error) => (error.line, error.field.clone()),
            other => panic!("{other}"),
        };
        assert_eq!((found_line, found_field.as_str()), (line, field), "{error}");
    }
}
