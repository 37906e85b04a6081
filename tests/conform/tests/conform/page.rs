//! Page and kit do not drift apart.

use std::collections::BTreeSet;

use atls_core::session::Side;
use conform::breach::Breach;
use conform::rules::UNTESTED;
use conform::rules::rules_of;
use conform::weaker::Mode;
use conform::weaker::Weak;

const PAGE: &str = include_str!("../../../../docs/protocol.md");

#[test]
fn every_sentence_with_must_has_one_number() {
    let (rules, rests) = rules_of(PAGE);
    for rule in &rules {
        let musts = rule.text.matches("MUST").count();
        assert_eq!(musts, 1, "{}: {}", rule.number, rule.text);
    }
    for rest in rests {
        assert!(!rest.contains("MUST"), "a sentence without number: {rest}");
    }
    assert!(rules.len() > 60, "the page was read");
}

#[test]
fn a_number_is_that_of_its_section_and_stands_once() {
    let (rules, _) = rules_of(PAGE);
    let mut seen = BTreeSet::new();
    for rule in rules {
        let place = rule.number.rsplit_once('.').unwrap().0;
        assert_eq!(place, format!("P{}", rule.section), "{}", rule.text);
        assert!(
            seen.insert(rule.number.clone()),
            "{} is repeated",
            rule.number
        );
    }
}

#[test]
fn every_sentence_has_a_case_or_a_reason_and_no_case_is_without_sentence() {
    let (rules, _) = rules_of(PAGE);
    let stated: BTreeSet<String> = rules.into_iter().map(|rule| rule.number).collect();
    let cases = [Side::Client, Side::Server].map(Breach::cases).concat();
    let mut tested: BTreeSet<String> = cases.iter().map(|case| case.rule().to_owned()).collect();
    for side in [Side::Client, Side::Server] {
        for mode in [Mode::InCertificate, Mode::InHandshake] {
            tested.extend(
                Weak::cases(side, mode)
                    .iter()
                    .map(|case| case.rule().to_owned()),
            );
        }
    }
    let excused: BTreeSet<String> = UNTESTED
        .iter()
        .map(|(rule, _)| (*rule).to_owned())
        .collect();
    assert_eq!(
        tested.intersection(&excused).next(),
        None,
        "excused and tested"
    );
    let known: BTreeSet<String> = tested.union(&excused).cloned().collect();
    assert_eq!(stated, known);
}

#[test]
fn a_page_with_a_sentence_too_many_is_noticed() {
    let (rules, rests) = rules_of(
        "## 1. A\nIt MUST be [P1.1]. It\nMUST go.\n### Why\nno\n### 1.1 B\nMUST [P1.1.1]\n",
    );
    assert_eq!(rules.len(), 2);
    assert_eq!(rules[1].section, "1.1");
    assert!(rests[0].contains("MUST go"));
}

#[test]
fn names_of_cases_are_different() {
    for side in [Side::Client, Side::Server] {
        let cases = Breach::cases(side);
        let names: BTreeSet<String> = cases.iter().map(Breach::to_string).collect();
        assert_eq!(names.len(), cases.len());
    }
}
