//! Files that change while they are looked at.

use std::fs;

use atls_reference::Live;
use atls_reference::ReferenceError;
use atls_reference::is_cut_short;

use crate::looked_at_twice;
use crate::name;
use crate::support::Example;
use crate::support::GOOD;
use crate::support::folder;
use crate::write;

/// The half that is there already may be a good file, which demands less.
#[test]
fn a_file_that_is_being_written_is_not_put_in_force() {
    let file = folder("being-written").join("reference.toml");
    write(&file, "one");
    let live = Live::<Example>::open(&file).unwrap();
    let whole = GOOD.replace("payments", "two");
    for number in 1..10 {
        let part = format!("{whole}{}\n", "#".repeat(number));
        fs::write(&file, part).unwrap();
        assert!(!live.reload_if_changed().unwrap());
    }
    assert_eq!(name(&live), "one");
    assert!(live.reload_if_changed().unwrap());
    assert_eq!(name(&live), "two");
}

#[test]
fn a_file_that_is_cut_short_is_put_in_force_by_name_alone() {
    let file = folder("cut-short").join("reference.toml");
    let end = "[[example.image]]\nname = 'web 1'\nmeasurement = '0000000000000000'\n[other]\n";
    fs::write(&file, format!("{GOOD}\n{end}")).unwrap();
    let live = Live::<Example>::open(&file).unwrap();
    fs::write(&file, GOOD).unwrap();
    assert!(!live.reload_if_changed().unwrap());
    for _ in 0..2 {
        let error = live.reload_if_changed().unwrap_err();
        assert!(matches!(error, ReferenceError::CutShort(path) if path == file));
    }
    assert_eq!(live.current().image.len(), 2);
    live.reload().unwrap();
    assert_eq!(live.current().image.len(), 1);
}

#[test]
fn the_last_image_is_withdrawn_by_removing_its_lines() {
    let file = folder("withdrawn").join("reference.toml");
    let last = "[[example.image]]\nname = 'web 1'\nmeasurement = '0000000000000000'\n";
    fs::write(&file, format!("{GOOD}\n{last}")).unwrap();
    let live = Live::<Example>::open(&file).unwrap();
    fs::write(&file, GOOD).unwrap();
    assert!(looked_at_twice(&live));
    assert_eq!(live.current().image.len(), 1);
}

#[test]
fn the_same_text_and_another_one_are_not_cut_short() {
    for (before, now, cut) in [
        ("a = 1\nb = 2\n", "a = 1\n", true),
        ("a = 1\nb = 2\n", "a = 1\nb", true),
        ("a = 1\n", "", true),
        ("a = 1\n", "a = 1", false),
        ("a = 1", "a = 1\n\n", false),
        ("a = 1\n", "a = 1\nb = 2\n", false),
        ("a = 1\nb = 2\n", "a = 2\n", false),
        ("", "a = 1\n", false),
    ] {
        assert_eq!(is_cut_short(before, now), cut, "{before:?} {now:?}");
    }
}

/// Content of the same length and time, as of files from an image that can be made again.
#[cfg(unix)]
#[test]
fn a_file_whose_content_is_replaced_with_the_time_of_before_has_changed() {
    use std::os::unix::fs::MetadataExt;
    let folder = folder("same-time");
    let file = folder.join("reference.toml");
    fs::write(&file, GOOD.replace("payments", "one")).unwrap();
    let time = fs::metadata(&file).unwrap().modified().unwrap();
    let live = Live::<Example>::open(&file).unwrap();
    let tick = || {
        let other = folder.join("other");
        fs::write(&other, "").unwrap();
        let about = fs::metadata(other).unwrap();
        (about.ctime(), about.ctime_nsec())
    };
    // The clock of files goes in steps.
    while tick() == tick() {}
    fs::write(&file, GOOD.replace("payments", "two")).unwrap();
    let opened = fs::File::options().write(true).open(&file).unwrap();
    opened.set_modified(time).unwrap();
    assert!(looked_at_twice(&live));
    assert_eq!(name(&live), "two");
}
