//! A tree of the fields that were found.

use std::fmt;

use serde_json::Value;
use serde_json::json;

use crate::report::hex;
use crate::terminal::Safe;
use crate::terminal::Style;

/// A field, or a group of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    name: String,
    value: Option<String>,
    meaning: Option<String>,
    seal: Option<Seal>,
    children: Vec<Self>,
}

/// The cover of a signature over a field. It says nothing about that signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seal {
    /// By this key.
    SignedBy(&'static str),
    /// Anybody may have written it.
    Unsigned,
}

impl Node {
    /// A group.
    pub(crate) fn branch(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: None,
            meaning: None,
            seal: None,
            children: Vec::new(),
        }
    }

    /// A field with a value for people.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "callers hand over what they formatted"
    )]
    pub(crate) fn leaf(name: impl Into<String>, value: impl fmt::Display) -> Self {
        Self {
            value: Some(value.to_string()),
            ..Self::branch(name)
        }
    }

    /// A field of bytes.
    pub(crate) fn bytes(name: impl Into<String>, bytes: &[u8]) -> Self {
        let shown = match bytes.get(..MAX_BYTES) {
            Some(first) if bytes.len() > MAX_BYTES => {
                format!("{}… ({} bytes)", hex(first), bytes.len())
            }
            _ => hex(bytes),
        };
        Self::leaf(name, shown)
    }

    /// Says what the value means.
    pub(crate) fn meaning(mut self, meaning: impl Into<String>) -> Self {
        self.meaning = Some(meaning.into());
        self
    }

    /// Says that a signature covers this and all below it.
    pub(crate) fn signed_by(mut self, key: &'static str) -> Self {
        self.seal = Some(Seal::SignedBy(key));
        self
    }

    /// Says that no signature covers this.
    pub(crate) fn unsigned(mut self) -> Self {
        self.seal = Some(Seal::Unsigned);
        self
    }

    /// A signature around this covers it: the mark that it has none of its own is left out.
    pub(crate) fn covered(mut self) -> Self {
        self.seal = self.seal.filter(|seal| *seal != Seal::Unsigned);
        self
    }

    /// Adds a child.
    pub(crate) fn with(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// Adds children.
    pub(crate) fn with_all(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// The same under another name.
    pub(crate) fn renamed(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The tree in lines, each ready for a terminal.
    pub(crate) fn lines(&self, style: Style) -> Vec<String> {
        let mut lines = vec![self.line("", style)];
        self.add_below("", style, &mut lines);
        lines
    }

    pub(crate) fn to_json(&self) -> Value {
        let seal = self.seal.as_ref().map(|seal| match seal {
            Seal::SignedBy(key) => json!({ "signed_by": key }),
            Seal::Unsigned => json!("unsigned"),
        });
        let mut object = serde_json::Map::new();
        let mut add = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                object.insert(name.to_owned(), value);
            }
        };
        add("name", Some(self.name.clone().into()));
        add("value", self.value.clone().map(Value::from));
        add("meaning", self.meaning.clone().map(Value::from));
        add("signature", seal);
        let fields: Vec<_> = self.children.iter().map(Self::to_json).collect();
        add("fields", (!fields.is_empty()).then(|| fields.into()));
        Value::Object(object)
    }

    // Recursion: trees are built of inputs whose nesting is bounded.
    fn add_below(&self, indent: &str, style: Style, lines: &mut Vec<String>) {
        for (position, child) in self.children.iter().enumerate() {
            let is_last = position.saturating_add(1) == self.children.len();
            let (branch, below) = match is_last {
                true => ("└─ ", "   "),
                false => ("├─ ", "│  "),
            };
            lines.push(child.line(&format!("{indent}{branch}"), style));
            child.add_below(&format!("{indent}{below}"), style, lines);
        }
    }

    fn line(&self, lead: &str, style: Style) -> String {
        let mut line = format!(
            "{}{}",
            style.dim(lead),
            style.strong(&Safe(&self.name).to_string())
        );
        if let Some(value) = &self.value {
            line.push_str(&format!("  {}", Safe(value)));
        }
        if let Some(meaning) = &self.meaning {
            line.push_str(&format!("  {}", style.dim(&format!("— {}", Safe(meaning)))));
        }
        match &self.seal {
            Some(Seal::SignedBy(key)) => {
                line.push_str(&format!("  {}", style.good(&format!("[signed by {key}]"))));
            }
            Some(Seal::Unsigned) => {
                line.push_str(&format!("  {}", style.warning("[not signed]")));
            }
            None => {}
        }
        line
    }
}

/// Bytes of a field that are shown: those of the largest digest.
const MAX_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_drawn_with_what_is_signed() {
        let tree = Node::branch("report").signed_by("the chip").with(
            Node::branch("body")
                .with(Node::leaf("VERSION", 2).meaning("the second"))
                .with(Node::bytes("DATA", &[0xab; 2])),
        );
        let tree = tree.with(Node::leaf("after", "x\u{1b}[31m").unsigned());
        let drawn = [
            "report  [signed by the chip]",
            "├─ body",
            "│  ├─ VERSION  2  — the second",
            "│  └─ DATA  abab",
            r"└─ after  x\u{1b}[31m  [not signed]",
        ];
        assert_eq!(tree.lines(Style::plain()), drawn);
    }

    #[test]
    fn long_values_are_cut_and_their_length_is_told() {
        let node = Node::bytes("x", &[0; 100]);
        assert!(node.value.unwrap().ends_with("… (100 bytes)"));
    }
}
