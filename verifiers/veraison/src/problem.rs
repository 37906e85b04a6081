//! Problem details of HTTP APIs, RFC 9457.

use http::Response;
use http::header::CONTENT_TYPE;
use serde::Deserialize;

/// What the service says about its refusal. Its text is for people, may quote what it was sent, and stays out of
/// [`Display`](std::fmt::Display) and logs above `trace`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// `type`, a URI.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// `title`: the kind of problem.
    #[serde(default)]
    pub title: Option<String>,
    /// `detail`: this occurrence.
    #[serde(default)]
    pub detail: Option<String>,
}

impl Problem {
    pub(crate) fn of(response: &Response<Vec<u8>>) -> Option<Self> {
        let content_type = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
        let essence = content_type.split(';').next()?.trim();
        if !essence.eq_ignore_ascii_case("application/problem+json") {
            return None;
        }
        let problem: Self = serde_json::from_slice(response.body()).ok()?;
        Some(Self {
            kind: problem.kind.map(shortened),
            title: problem.title.map(shortened),
            detail: problem.detail.map(shortened),
        })
    }
}

fn shortened(text: String) -> String {
    if text.chars().count() <= MAX_TEXT {
        return text;
    }
    text.chars().take(MAX_TEXT).collect()
}

/// Characters that are kept of each text.
const MAX_TEXT: usize = 512;
