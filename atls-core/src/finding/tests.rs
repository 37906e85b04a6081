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

#[test]
fn bytes_are_written_in_hexadecimal() {
    let finding = Finding::failed("x")
        .with_seen_bytes(&[0x0a, 0xff])
        .with_allowed_bytes("web 1.4", &[0xcd, 0]);
    assert_eq!(finding.seen(), Some("0aff"));
    assert_eq!(finding.allowed()[0].value(), "cd00");
    assert_eq!(
        finding.to_string(),
        "x failed: seen 0aff, allowed are web 1.4 (cd00)"
    );
}

#[test]
fn a_place_has_the_line_of_the_rule() {
    let finding = Finding::failed("x").with_place("p.toml", 12);
    assert_eq!(finding.place().map(Place::line), Some(12));
    assert_eq!(finding.to_string(), "x failed (p.toml, line 12)");
}

#[test]
fn as_many_findings_as_there_may_be_keep_their_order() {
    let mut findings = vec![Finding::passed("first")];
    let more = vec![Finding::failed("later"); MAX_FINDINGS - 1];
    add(&mut findings, more);
    assert_eq!(findings.len(), MAX_FINDINGS);
    assert_eq!(findings[0], Finding::passed("first"));
    add(&mut findings, vec![Finding::failed("one more")]);
    assert_eq!(findings.len(), MAX_FINDINGS);
    assert_eq!(findings[0], Finding::failed("later"));
    assert_eq!(findings[MAX_FINDINGS - 1], Finding::failed("one more"));
}
