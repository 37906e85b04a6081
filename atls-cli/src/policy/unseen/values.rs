//! A list of names and values.

use std::fmt::Display;

use crate::report::hex;

/// Values of which a policy accepts any, under the names that they have in a policy.
#[derive(Clone, Debug, Default)]
pub(in crate::policy) struct Unseen(Vec<(String, String)>);

impl Unseen {
    pub(super) fn add(&mut self, name: impl Into<String>, value: impl Display) {
        self.0.push((name.into(), value.to_string()));
    }

    pub(super) fn add_bytes(&mut self, name: impl Into<String>, value: &[u8]) {
        self.add(name, hex(value));
    }

    pub(in crate::policy) fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        let values = self.0.iter();
        values.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
