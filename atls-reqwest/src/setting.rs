//! Settings of reqwest's builder that contradict ours.

use std::fmt::Debug;

use crate::http_version::Http;

/// A setting of reqwest's builder about HTTP versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Http1Only,
    Http2PriorKnowledge,
}

impl Setting {
    /// The setting of this builder that would be without effect beside `http`, if there is one.
    ///
    /// reqwest shows its settings in no other way than by `Debug`. A reqwest that no longer does fails the tests, and
    /// loses this check alone.
    pub(crate) fn contradicting(builder: &impl Debug, http: Http) -> Option<Self> {
        let shown = outside_of_strings(&format!("{builder:?}"));
        [Self::Http1Only, Self::Http2PriorKnowledge]
            .into_iter()
            .find(|setting| setting.says() != http && shown.contains(setting.shown()))
    }

    /// The method of reqwest's builder.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http1Only => "http1_only",
            Self::Http2PriorKnowledge => "http2_prior_knowledge",
        }
    }

    /// The same setting in [`Http`].
    pub(crate) fn says(self) -> Http {
        match self {
            Self::Http1Only => Http::One,
            Self::Http2PriorKnowledge => Http::Two,
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Self::Http1Only => "http1_only: true",
            Self::Http2PriorKnowledge => "http2_prior_knowledge: true",
        }
    }
}

/// The text without what is in quotation marks, such as a header that has the name of a setting in it.
fn outside_of_strings(text: &str) -> String {
    let mut outside = String::new();
    let mut quoted = false;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if quoted => drop(characters.next()),
            '"' => quoted = !quoted,
            _ if quoted => {}
            _ => outside.push(character),
        }
    }
    outside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_seen_and_its_name_in_a_header_is_not() {
        let set = reqwest::Client::builder().http1_only();
        let seen = |http| Setting::contradicting(&set, http);
        assert_eq!(seen(Http::Two), Some(Setting::Http1Only));
        assert_eq!(seen(Http::Auto), Some(Setting::Http1Only));
        assert_eq!(seen(Http::One), None);
        let set = reqwest::Client::builder().http2_prior_knowledge();
        let seen = |http| Setting::contradicting(&set, http);
        assert_eq!(seen(Http::One), Some(Setting::Http2PriorKnowledge));
        assert_eq!(seen(Http::Two), None);
        let named = reqwest::Client::builder().user_agent(r#"" http1_only: true"#);
        assert_eq!(Setting::contradicting(&named, Http::Two), None);
    }
}
