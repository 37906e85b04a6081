//! Any file that somebody was given, as `atls inspect` shows it, and as `atls policy new` makes a policy of the Evidence in it; and any answer
//! that `atls get` prints. Nothing of it controls a terminal; the JSON says the same with its escapes as without; a policy is one, about its
//! platform alone.
#![no_main]
#![allow(dead_code, unused_imports, reason = "the commands use more of it")]

use std::sync::OnceLock;

use appraise::AttestationKeys;
use appraise::Evidence;
use atls_fuzz::policies;
use serde_json::Value;
use terminal::Color;
use terminal::Style;
use terminal::escape;

#[path = "../../atls-cli/src/clock.rs"]
mod clock;

#[path = "../../atls-cli/src/failure.rs"]
mod failure;

#[path = "../../atls-cli/src/seen/mod.rs"]
mod seen;

/// Without what wants options, services and files.
#[path = "../../atls-cli/src/inspect"]
mod inspect {
    mod authenticator;
    mod azure;
    mod cbor;
    mod certificate;
    mod claims;
    mod cmw;
    mod corim;
    mod corim_values;
    mod cose;
    mod dcap;
    mod event_log;
    mod found;
    mod json;
    mod policy_file;
    pub(crate) mod recognise;
    mod snp;
    mod tpm;
    pub(crate) mod tree;
}

#[path = "../../atls-cli/src/report"]
mod report {
    mod hexadecimal;

    pub(crate) use hexadecimal::hex;
}

#[path = "../../atls-cli/src/terminal"]
mod terminal {
    pub(crate) mod escape;
    mod style;

    pub(crate) use escape::Safe;
    pub(crate) use style::Style;

    pub(crate) enum Color {
        Always,
        Auto,
        Never,
    }
}

#[path = "../../atls-cli/src/appraise"]
mod appraise {
    mod evidence;

    use atls_reference::Table;

    use crate::failure::Failure;

    pub(crate) use evidence::Evidence;
    pub(crate) use evidence::is_whole;

    /// Those of `--dangerous-unverified`, any; or those of the tables of a file.
    pub(crate) enum AttestationKeys {
        Any,
        Of(String),
    }

    impl AttestationKeys {
        pub(crate) fn table<T: Table>(&self) -> Result<Option<T>, Failure> {
            match self {
                Self::Any => Ok(None),
                Self::Of(tables) => Ok(atls_reference::from_toml(tables).ok()),
            }
        }
    }
}

atls_fuzz::target!(|bytes: &[u8]| {
    // The answer of a server, on a terminal.
    let kept = escape::keep_lines(&String::from_utf8_lossy(bytes));
    assert!(kept.split(['\n', '\t']).all(is_harmless), "{kept:?}");
    if let Some(found) = inspect::recognise::recognise(bytes) {
        show(&found.tree);
        for item in &found.evidence {
            name(item);
        }
    }
});

fn show(tree: &inspect::tree::Node) {
    for line in tree.lines(Style::of(Color::Never, false)) {
        assert!(is_harmless(&line), "{line:?}");
        assert!(line.len() < MAX_LINE, "{}", line.len());
    }
    let document = format!("{:#}", tree.to_json());
    let shown = escape::json(&document);
    assert!(shown.split('\n').all(is_harmless), "{shown:?}");
    // What is too deep for the parser is so in both.
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    assert_eq!(read(&shown), read(&document));
}

fn name(item: &Evidence) {
    let _ = seen::measurements(item);
    for keys in [AttestationKeys::Any, AttestationKeys::Of(an_authority())] {
        if let Ok(text) = seen::policy_of(item, NAME, &keys) {
            assert!(text.split('\n').all(is_harmless), "{text:?}");
            let table = item.table().expect("a platform");
            policies::check(&text, table);
        }
    }
}

/// Keys of TPMs that anybody certified, so that certificates of keys are read.
fn an_authority() -> String {
    static ROOT: OnceLock<String> = OnceLock::new();
    let root = ROOT.get_or_init(|| {
        let certificate = &test_support::identity().cert[0];
        certificate
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    });
    format!("version = 1\n[[tpm-keys.authority]]\nname = \"any\"\nroot = \"{root}\"\n")
}

/// No character of it moves the cursor, hides, or turns text around.
fn is_harmless(line: &str) -> bool {
    let hides = |sign: char| {
        matches!(
            sign,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        )
    };
    !line.chars().any(|sign| sign.is_control() || hides(sign))
}

/// A user's own.
const NAME: &str = "as \"seen\"\n[tpm-keys]\u{1b}[2J\u{202e}\\";

/// Bytes: a name, a value and a meaning of 2000 characters each, and what stands before and between them.
const MAX_LINE: usize = 64 * 1024;
