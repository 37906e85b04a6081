//! Tables that are replaced while they are read.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod changing;

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_reference::Format;
use atls_reference::Live;
use atls_reference::MAX_FILE;
use atls_reference::ReferenceError;
use support::Example;
use support::GOOD;
use support::GOOD_JSON;
use support::folder;

#[test]
fn a_file_is_put_in_force_again_only_when_it_changed() {
    let file = folder("changed").join("reference.toml");
    write(&file, "one");
    let live = Live::<Example>::open(&file).unwrap();
    assert_eq!((name(&live), live.generation()), ("one".to_owned(), 0));
    assert!(!live.reload_if_changed().unwrap());
    write(&file, "two");
    assert!(!live.reload_if_changed().unwrap(), "it may change further");
    assert!(live.reload_if_changed().unwrap());
    assert_eq!((name(&live), live.generation()), ("two".to_owned(), 1));
    assert!(!live.reload_if_changed().unwrap());
    assert_eq!(live.generation(), 1);
    live.reload().unwrap();
    assert_eq!(live.generation(), 2);
    assert!(!live.reload_if_changed().unwrap());
}

#[test]
fn a_table_in_use_stays_as_it_is() {
    let file = folder("held").join("reference.toml");
    write(&file, "one");
    let live = Live::<Example>::open(&file).unwrap();
    let held = live.current();
    write(&file, "two");
    live.reload().unwrap();
    assert_eq!(held.image[0].name, "one");
    assert_eq!(name(&live), "two");
}

#[test]
fn the_old_table_stays_in_force_while_the_file_is_wrong() {
    let file = folder("wrong").join("reference.toml");
    write(&file, "one");
    let live = Live::<Example>::open(&file).unwrap();
    let wrong = GOOD.replace("debug = false", "debug = 1");
    for (text, expected) in [
        (wrong, "line 4, column 9: example.debug: "),
        (
            "version = 1\n[example]\ndebug = true".to_owned(),
            "line 2, column 1: table [example]: ",
        ),
        ("version = 1".to_owned(), "file has no table"),
        ("version = 3".to_owned(), "file has version 3"),
        (
            "#".repeat(MAX_FILE + 1),
            "file of reference values is larger",
        ),
    ] {
        fs::write(&file, text).unwrap();
        assert!(!live.reload_if_changed().unwrap());
        // Each call repeats the error while the file is bad.
        for _ in 0..2 {
            let error = live.reload_if_changed().unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
        }
        let error = live.reload().unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        assert_eq!((name(&live), live.generation()), ("one".to_owned(), 0));
    }
    fs::write(&file, [0xff, 0xfe]).unwrap();
    let unreadable = live.reload().unwrap_err();
    assert!(matches!(&unreadable, ReferenceError::Io { path, .. } if *path == file));
    let path = file.display().to_string();
    assert!(unreadable.to_string().contains(&path), "{unreadable}");
    fs::remove_file(&file).unwrap();
    for absent in [
        live.reload_if_changed().unwrap_err(),
        live.reload().unwrap_err(),
    ] {
        assert!(matches!(&absent, ReferenceError::Absent(path) if *path == file));
        assert!(absent.to_string().contains(&path), "{absent}");
    }
    assert_eq!(live.generation(), 0);
    write(&file, "three");
    assert!(looked_at_twice(&live));
    assert_eq!(name(&live), "three");
}

#[test]
fn a_file_that_is_wrong_or_absent_is_not_opened() {
    let folder = folder("absent");
    assert!(matches!(
        Live::<Example>::open(folder.join("none.toml")),
        Err(ReferenceError::Absent(path)) if path == folder.join("none.toml")
    ));
    let file = folder.join("wrong.toml");
    fs::write(&file, "version = 1").unwrap();
    assert!(matches!(
        Live::<Example>::open(file),
        Err(ReferenceError::Missing("example"))
    ));
}

#[test]
fn a_name_that_ends_in_json_is_json() {
    let file = folder("json").join("reference.json");
    fs::write(&file, GOOD_JSON).unwrap();
    assert_eq!(name(&Live::open(&file).unwrap()), "payments");
    fs::write(&file, GOOD).unwrap();
    assert!(Live::<Example>::open(&file).is_err());
}

#[test]
fn a_table_that_is_not_in_use_is_told_at_once_and_at_each_reload() {
    let file = folder("expecting").join("reference.toml");
    write(&file, "one");
    let live = Live::<Example>::open(&file)
        .unwrap()
        .expecting(&["example", "other"])
        .unwrap();
    fs::write(&file, format!("{GOOD}\n[otehr]\n")).unwrap();
    assert!(!live.reload_if_changed().unwrap());
    let error = live.reload_if_changed().unwrap_err();
    assert!(
        matches!(&error, ReferenceError::UnknownTable { table, .. } if table == "otehr"),
        "{error}"
    );
    assert_eq!(name(&live), "one");
    let opened = Live::<Example>::open(&file).unwrap();
    assert!(opened.expecting(&["example", "other"]).is_err());
}

#[test]
fn a_fixed_table_is_checked_and_replaced_only_by_one_that_is() {
    let bad = Example {
        debug: false,
        image: Vec::new(),
    };
    let error = Live::fixed(bad.clone()).unwrap_err();
    assert!(matches!(error, ReferenceError::Meaning { .. }), "{error}");
    let live = Live::fixed(example("one")).unwrap();
    live.replace(bad).unwrap_err();
    assert_eq!((name(&live), live.generation()), ("one".to_owned(), 0));
    live.replace(example("two")).unwrap();
    assert_eq!((name(&live), live.generation()), ("two".to_owned(), 1));
    live.reload().unwrap();
    assert!(!live.reload_if_changed().unwrap());
    assert_eq!(live.generation(), 1);
}

#[test]
fn a_finding_has_the_line_of_the_first_allowed_value_that_the_file_names() {
    let more = "[[example.image]]\nname = 'web 1'\nmeasurement = '0000000000000000'\n";
    let toml = (format!("{GOOD}\n{more}"), Format::Toml);
    let json = (GOOD_JSON.to_owned(), Format::Json);
    for ((text, format), allowed, line) in [
        (&toml, &["web 1", "payments"][..], 10),
        (&toml, &["elsewhere", "payments"], 6),
        (&toml, &["debug"], 4),
        (&toml, &["elsewhere"], 3),
        (&toml, &[], 3),
        (&json, &["payments"], 5),
        (&json, &["debug"], 4),
        (&json, &[], 3),
    ] {
        let live = Live::<Example>::of_text("policy", text.as_str(), *format).unwrap();
        let finding = allowed
            .iter()
            .fold(Finding::failed("example.image"), |finding, name| {
                finding.with_allowed(name, "")
            });
        let expected = Some(("policy".to_owned(), line));
        assert_eq!(place(&live, finding), expected, "{allowed:?}");
    }
}

#[test]
fn a_finding_that_passed_or_has_a_place_or_is_of_no_file_stays_as_it_is() {
    let live = Live::<Example>::of_text("policy", GOOD, Format::Toml).unwrap();
    let passed = Finding::new("example.image", Outcome::Passed).with_allowed("payments", "");
    assert_eq!(place(&live, passed), None);
    let placed = Finding::failed("example.image").with_place("other", 7);
    assert_eq!(place(&live, placed), Some(("other".to_owned(), 7)));
    let fixed = Live::fixed(example("one")).unwrap();
    assert_eq!(place(&fixed, Finding::failed("example.image")), None);
}

#[test]
fn a_finding_of_a_table_that_was_replaced_gets_no_line_of_the_new_one() {
    let file = folder("located").join("reference.toml");
    write(&file, "one");
    let live = Live::<Example>::open(&file).unwrap();
    let old = live.current();
    let failed = || Finding::failed("example.image").with_allowed("one", "");
    let path = file.display().to_string();
    assert_eq!(place(&live, failed()), Some((path.clone(), 6)));
    fs::write(
        &file,
        format!("# moved\n{}", GOOD.replace("payments", "one")),
    )
    .unwrap();
    live.reload().unwrap();
    assert_eq!(place(&live, failed()), Some((path, 7)));
    let found = live.located(&old, vec![failed()]);
    assert_eq!(found, [failed()]);
}

/// File and line that the table of now gives to a finding.
fn place(live: &Live<Example>, finding: Finding) -> Option<(String, usize)> {
    let mut found = live.located(&live.current(), vec![finding]);
    let found = found.remove(0);
    let place = found.place()?;
    Some((place.file().to_owned(), place.line()))
}

/// The rule that caches rest on: a table that is read after a generation is of that generation or a later one.
#[test]
fn a_table_is_never_older_than_a_generation_read_before() {
    let live = Live::fixed(example("0")).unwrap();
    let start = Barrier::new(5);
    thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            for number in 1..=500 {
                live.replace(example(&number.to_string())).unwrap();
            }
        });
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                let (mut last, mut table) = (0, 0);
                while table < 500 {
                    let generation = live.generation();
                    table = name(&live).parse().unwrap();
                    assert!(table >= generation && generation >= last);
                    last = generation;
                }
            });
        }
    });
    assert_eq!(live.generation(), 500);
}

#[test]
fn reloads_at_once_never_put_an_older_file_over_a_newer_one() {
    let file = folder("at-once").join("reference.toml");
    write(&file, "0");
    let live = Live::<Example>::open(&file).unwrap();
    thread::scope(|scope| {
        for reader in 0..3 {
            let (live, file) = (&live, &file);
            scope.spawn(move || {
                let mut last = 0;
                for number in 0..100 {
                    if reader == 0 {
                        write(file, &number.to_string());
                    }
                    live.reload_if_changed().unwrap();
                    let seen: u32 = name(live).parse().unwrap();
                    assert!(seen >= last, "{seen} after {last}");
                    last = seen;
                }
            });
        }
    });
    for _ in 0..2 {
        live.reload_if_changed().unwrap();
    }
    assert_eq!(name(&live), "99");
}

/// Whether the file was put in force, once it stood still.
fn looked_at_twice(live: &Live<Example>) -> bool {
    assert!(!live.reload_if_changed().unwrap());
    live.reload_if_changed().unwrap()
}

/// Files are replaced by renaming: two within one tick of the clock still differ.
fn write(file: &Path, name: &str) {
    let next = file.with_extension("next");
    fs::write(&next, GOOD.replace("payments", name)).unwrap();
    fs::rename(next, file).unwrap();
}

fn example(name: &str) -> Example {
    atls_reference::from_toml(&GOOD.replace("payments", name)).unwrap()
}

fn name(live: &Live<Example>) -> String {
    live.current().image[0].name.clone()
}
