//! Files are short: at most 300 lines of code, or 400 where the file says why.

use crate::sources;

/// Lines of code that a file has at most: lines that are neither blank nor a comment.
const USUAL: usize = 300;

/// The same, of a file whose documentation gives a reason in a line that begins with [`REASON`].
const WITH_REASON: usize = 400;

const REASON: &str = "//! The file is longer than others: ";

#[test]
fn files_are_short_or_say_why() {
    let files = sources::all();
    assert!(files.len() > 500, "all files are found");
    let mut long: Vec<String> = files
        .iter()
        .filter(|(_, text)| code_lines(text) > allowed(text))
        .map(|(path, _)| path.display().to_string())
        .collect();
    long.sort();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn blank_lines_and_comments_are_not_counted() {
    let text = "//! A file.\n\n/// A function.\nfn f() {\n    // Nothing.\n}\n";
    assert_eq!(code_lines(text), 2);
}

#[test]
fn a_reason_makes_room_and_is_not_without_end() {
    let long = "f();\n".repeat(USUAL + 1);
    let longest = "f();\n".repeat(WITH_REASON + 1);
    assert!(code_lines(&long) > allowed(&long));
    let long = format!("{REASON}it is one list.\n{long}");
    assert!(code_lines(&long) <= allowed(&long));
    let longest = format!("{REASON}it is one list.\n{longest}");
    assert!(code_lines(&longest) > allowed(&longest));
}

fn allowed(text: &str) -> usize {
    if text.lines().any(|line| line.starts_with(REASON)) {
        WITH_REASON
    } else {
        USUAL
    }
}

fn code_lines(text: &str) -> usize {
    let lines = text.lines().map(str::trim_start);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}
