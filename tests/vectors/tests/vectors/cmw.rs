//! Conceptual Message Wrappers.

use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::cmw::Type;
use serde_json::Value;
use vectors::Hex;
use vectors::cmw;

use crate::load;
use crate::reason;

#[test]
fn every_cmw_is_read_and_written() {
    let page: cmw::Page = load("cmw.json");
    for case in &page.cases {
        let name = &case.name;
        let read = Cmw::decode(&case.cmw).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            read.collection_type(),
            case.collection_type.as_deref(),
            "{name}"
        );
        assert_eq!(Hex(read.encode().unwrap()), case.deterministic, "{name}");
        assert_eq!(read.items().len(), case.items.len(), "{name}");
        for (item, expected) in read.items().iter().zip(&case.items) {
            assert_eq!(item.label(), label(&expected.path), "{name}");
            let media_type = item.media_type().as_ref().map(MediaType::to_string);
            assert_eq!(media_type, expected.media_type, "{name}");
            let number = match item.kind() {
                Type::ContentFormat(number) => Some(*number),
                Type::Media(_) => None,
            };
            assert_eq!(number, expected.content_format, "{name}");
            let indicator = item.indicator().map(|indicator| indicator.bits());
            assert_eq!(indicator, expected.indicator, "{name}");
            assert_eq!(item.is_evidence(), expected.evidence, "{name}");
            assert_eq!(
                item.is_attestation_results(),
                expected.attestation_results,
                "{name}"
            );
            assert_eq!(item.is_endorsements_only(), expected.endorsements, "{name}");
            assert_eq!(Hex::from(item.value()), expected.value, "{name}");
        }
    }
}

#[test]
fn every_other_cmw_is_refused_for_its_reason() {
    let page: cmw::Page = load("cmw.json");
    for case in &page.refused {
        match Cmw::decode(&case.cmw) {
            Ok(read) => panic!("{}: {read:?}", case.name),
            Err(error) => assert_eq!(reason::of_cmw(&error), case.reason, "{}", case.name),
        }
    }
}

#[test]
fn the_text_of_json_is_its_bytes() {
    let page: cmw::Page = load("cmw.json");
    let cases = page.cases.iter().map(|case| (&case.json, &case.cmw));
    let refused = page.refused.iter().map(|case| (&case.json, &case.cmw));
    for (json, cmw) in cases.chain(refused) {
        if let Some(json) = json {
            assert_eq!(Hex::from(json.as_bytes()), *cmw);
        }
    }
}

/// No text of the file has a character that the project escapes.
fn label(path: &[Value]) -> String {
    let step = |step: &Value| match step {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    path.iter().map(step).collect::<Vec<_>>().join("/")
}
