//! The table `[composition]`: of which items a peer's attestation consists.

use atls_core::MediaType;
use atls_core::PolicyViolation;
use atls_core::policy::Candidate;
use atls_core::policy::Composition;
use atls_core::policy::ExpectedItem;
use atls_core::policy::Policy;
use serde::Deserialize;
use serde::Deserializer;
use serde::de;

use crate::live::Live;
use crate::problem::FieldProblem;
use crate::table::Table;

/// A [`Composition`] in a file, for machines with several roots of trust:
///
/// ```
/// let table: atls_reference::CompositionTable = atls_reference::from_toml(r#"
/// version = 1
///
/// [[composition.item]]                 # must be there, once
/// media-type = "application/vnd.veraison.tsm-report+cbor"
/// chained-to = "tpm"                   # vouches for the key of that item: both are of one machine
///
/// [[composition.item]]
/// media-type = "application/vnd.atls.tpm-evidence+cbor"
/// label = "tpm"
///
/// [[composition.extra]]                # may be there; any other item is refused
/// media-type = "application/vnd.atls.azure-runtime-data+json"
/// "#)?;
/// # let _ = table;
/// # Ok::<(), atls_reference::ReferenceError>(())
/// ```
///
/// A [`Live`] over it is a policy of a relying party, so a file that is replaced holds from then on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct CompositionTable {
    /// Each must be there once.
    #[serde(rename = "item")]
    pub items: Vec<CompositionItem>,
    /// May be there, any number of times.
    #[serde(default, rename = "extra")]
    pub extras: Vec<CompositionItem>,
}

/// An item, by platform and label.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct CompositionItem {
    /// Names the platform.
    #[serde(deserialize_with = "media_type")]
    pub media_type: MediaType,
    /// The path of labels to it. Default: any.
    #[serde(default)]
    pub label: Option<String>,
    /// The path of labels to the item for whose key it must vouch. Default: it need not.
    #[serde(default)]
    pub chained_to: Option<String>,
}

impl CompositionTable {
    /// The policy.
    pub fn composition(&self) -> Composition {
        let required = self.items.iter();
        let extras = self.extras.iter().map(CompositionItem::expected);
        let composition = Composition::of(required.map(CompositionItem::expected));
        extras.fold(composition, Composition::allow)
    }

    /// The field that refuses.
    fn rule_of(&self, violation: &PolicyViolation) -> String {
        let missing = match violation {
            PolicyViolation::MissingItem(bad) => {
                let mut items = self.items.iter();
                items.position(|item| item.expected() == *bad.item())
            }
            _ => None,
        };
        format!("item[{}]", missing.unwrap_or(0))
    }
}

impl CompositionItem {
    fn expected(&self) -> ExpectedItem {
        let mut expected = ExpectedItem::new(self.media_type.clone());
        if let Some(label) = &self.label {
            expected = expected.labelled(label);
        }
        match &self.chained_to {
            Some(label) => expected.chained_to(label),
            None => expected,
        }
    }

    fn check(&self) -> Result<(), FieldProblem> {
        let labels = [("label", &self.label), ("chained-to", &self.chained_to)];
        for (field, label) in labels {
            if label.as_ref().is_some_and(String::is_empty) {
                let problem = "no item has an empty label; leave the field out to accept any";
                return Err(FieldProblem::new(field, problem));
            }
        }
        match &self.chained_to {
            Some(label) if self.label.as_ref() == Some(label) => {
                let problem = "an item is not chained to itself; name the one that carries the value of the connection";
                Err(FieldProblem::new("chained-to", problem))
            }
            _ => Ok(()),
        }
    }
}

impl Table for CompositionTable {
    const NAME: &'static str = "composition";

    fn check(&self) -> Result<(), FieldProblem> {
        if self.items.is_empty() {
            let problem = "no item: nothing would have to be there; add [[composition.item]]";
            return Err(FieldProblem::new("item", problem));
        }
        for (list, items) in [("item", &self.items), ("extra", &self.extras)] {
            for (index, item) in items.iter().enumerate() {
                let at = format!("{list}[{index}]");
                item.check().map_err(|found| found.within(&at))?;
            }
        }
        for (index, item) in self.items.iter().enumerate() {
            let mut before = self.items.iter().take(index);
            if item.label.is_some() && before.any(|other| other.label == item.label) {
                let problem = "another item has this label, and no two of a peer's items have one";
                let found = FieldProblem::new("label", problem);
                return Err(found.within(&format!("item[{index}]")));
            }
        }
        Ok(())
    }
}

/// By the table as it is at that moment. A refusal has the place of the item that is missing, or of the list that the item is not in.
impl Policy for Live<CompositionTable> {
    fn check(&self, candidate: &Candidate) -> Result<(), PolicyViolation> {
        let table = self.current();
        table.composition().check(candidate).map_err(|violation| {
            match self.place(&table, &table.rule_of(&violation)) {
                Some(place) => violation.with_place(place),
                None => violation,
            }
        })
    }
}

fn media_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<MediaType, D::Error> {
    let text = String::deserialize(deserializer)?;
    MediaType::parse(&text)
        .map_err(|_| de::Error::custom("not a media type, such as application/eat+cwt"))
}
