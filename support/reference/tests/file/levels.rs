//! Tables of a made-up platform.

use atls_reference::ReferenceError;
use atls_reference::SyntaxError;
use atls_reference::from_toml;

use crate::support::Example;

pub(crate) fn syntax(text: &str) -> SyntaxError {
    match from_toml::<Example>(text) {
        Err(ReferenceError::Syntax(error)) => error,
        other => panic!("{other:?}"),
    }
}
