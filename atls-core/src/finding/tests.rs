use super::*;

#[test]
fn no_text_is_longer_than_its_limit_or_breaks_a_line() {
    let hostile = "\n\u{202e}\\\"ä".repeat(1000);
    let finding = Finding::failed(&hostile)
        .with_seen(&hostile)
        .with_allowed(&hostile, &hostile)
        .with_note(&hostile)
        .with_place(&hostile, 1);
    let texts = [
        Some(finding.check()),
        finding.seen(),
        Some(finding.allowed()[0].name()),
        Some(finding.allowed()[0].value()),
        finding.note(),
        finding.place().map(Place::file),
    ];
    for text in texts {
        let text = text.unwrap();
        assert!(text.chars().count() <= Finding::MAX_TEXT + 1, "{text}");
        assert!(text.starts_with(r#"\n\u{202e}\\"ä"#), "{text}");
        assert!(text.ends_with('…') && !text.contains('\n'), "{text}");
    }
}

#[test]
fn a_text_of_just_the_limit_is_whole() {
    let whole = "x".repeat(Finding::MAX_TEXT);
    assert_eq!(Finding::passed(&whole).check(), whole);
}

#[test]
fn allowed_values_beyond_the_limit_are_counted() {
    let finding = (0..20).fold(Finding::failed("x"), |finding, number| {
        finding.with_allowed(number, "")
    });
    assert_eq!(finding.allowed().len(), Finding::MAX_ALLOWED);
    assert_eq!(finding.further_allowed(), 12);
    let line = "x failed: allowed are 0, 1, 2, 3, 4, 5, 6, 7 and 12 more";
    assert_eq!(finding.to_string(), line);
}

#[test]
fn a_line_says_what_there_is() {
    assert_eq!(Finding::passed("a.b").to_string(), "a.b passed");
    let noted = Finding::warning("a.b").with_note("update it");
    assert_eq!(noted.to_string(), "a.b warning: update it");
    let seen = Finding::failed("a.b").with_seen(7).with_place("p.toml", 0);
    assert_eq!(seen.to_string(), "a.b failed: seen 7 (p.toml)");
}
