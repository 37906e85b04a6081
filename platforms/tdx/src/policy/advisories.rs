//! Security advisories that a policy accepts.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de;

/// Those of Intel's security advisories that may apply to the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "all or some: there is no third")]
pub enum Advisories {
    /// `"any-known"`: every advisory that Intel lists for a level with an accepted status.
    AnyKnown,
    /// These, such as `["INTEL-SA-00615"]`; with none, no advisory may apply.
    Only(Vec<String>),
}

impl Advisories {
    pub(crate) fn accept(&self, advisories: &[String]) -> bool {
        match self {
            Self::AnyKnown => true,
            Self::Only(known) => advisories.iter().all(|advisory| known.contains(advisory)),
        }
    }

    /// The accepted ones; `None` for all.
    pub(crate) fn named(&self) -> Option<&[String]> {
        match self {
            Self::AnyKnown => None,
            Self::Only(known) => Some(known),
        }
    }

    /// Those that are not accepted, in one text; `None` where there is none.
    pub(crate) fn unaccepted(&self, advisories: &[String]) -> Option<String> {
        let known = self.named()?;
        let others = advisories
            .iter()
            .filter(|advisory| !known.contains(advisory));
        let others: Vec<&str> = others.map(String::as_str).collect();
        (!others.is_empty()).then(|| others.join(", "))
    }
}

impl Serialize for Advisories {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AnyKnown => serializer.serialize_str(ANY_KNOWN),
            Self::Only(known) => known.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Advisories {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AdvisoriesVisitor)
    }
}

struct AdvisoriesVisitor;

impl<'de> de::Visitor<'de> for AdvisoriesVisitor {
    type Value = Advisories;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of advisories, or `{ANY_KNOWN}`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Advisories, E> {
        if text == ANY_KNOWN {
            Ok(Advisories::AnyKnown)
        } else {
            Err(E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Advisories, A::Error> {
        let mut known = Vec::new();
        while let Some(advisory) = seq.next_element()? {
            known.push(advisory);
        }
        Ok(Advisories::Only(known))
    }
}

const ANY_KNOWN: &str = "any-known";
