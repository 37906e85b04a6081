//! Media types as CMW and verifiers use them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A media type with its parameters, compared as RFC 9110 §8.3.1 says: type, subtype and parameter
/// names without regard to case, parameters without regard to order, parameter values exactly.
///
/// A verifier is chosen by this value alone, so a parameter is significant: `application/eat+cwt`
/// and `application/eat+cwt; eat_profile="tag:…"` are different types.
///
/// ```
/// # use atls_core::MediaType;
/// let a: MediaType = "Application/EAT+CWT;eat_profile=\"tag:x\"".parse().unwrap();
/// let b: MediaType = "application/eat+cwt; eat_profile=tag:x".parse().unwrap();
/// assert_eq!(a, b);
/// assert_eq!(a.essence(), "application/eat+cwt");
/// assert_eq!(a.parameter("eat_profile"), Some("tag:x"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType {
    /// Shared, since each connection holds the media type of its Evidence.
    parts: Arc<Parts>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Parts {
    essence: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Parses `type "/" subtype *( ";" name "=" value )`. The text is printable ASCII, and at most 255 bytes as given and as
    /// printed.
    ///
    /// # Errors
    /// [`MediaTypeError`] where the text is not of that form or names a parameter twice.
    pub fn parse(text: &str) -> Result<Self, MediaTypeError> {
        if text.len() > MAX_LENGTH || !text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return Err(MediaTypeError);
        }
        let (essence, mut rest) = text.split_once(';').unwrap_or((text, ""));
        let essence = essence.trim();
        let (kind, subtype) = essence.split_once('/').ok_or(MediaTypeError)?;
        if !is_token(kind) || !is_token(subtype) {
            return Err(MediaTypeError);
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        while !rest.trim().is_empty() {
            let (name, after) = rest.split_once('=').ok_or(MediaTypeError)?;
            let name = name.trim().to_ascii_lowercase();
            let (value, after) = parameter_value(after)?;
            if !is_token(&name) || parameters.iter().any(|(known, _)| *known == name) {
                return Err(MediaTypeError);
            }
            parameters.push((name, value));
            rest = after;
        }
        parameters.sort();
        let parts = Parts {
            essence: essence.to_ascii_lowercase(),
            parameters,
        };
        let parsed = Self {
            parts: Arc::new(parts),
        };
        // Quotes make the text longer. The printed text must be one that this function reads.
        if parsed.to_string().len() > MAX_LENGTH {
            return Err(MediaTypeError);
        }
        Ok(parsed)
    }

    /// The media type of a CMW collection of this type (`__cmwc_t`), in CBOR (RFC 9999): `application/cmw+cbor; cmwc_t="…"`. The type
    /// is compared without regard to case, so it is in lower case here.
    ///
    /// # Errors
    /// [`MediaTypeError`] for a type that is too long, or is no URI and no OID.
    pub fn of_collection(kind: &str) -> Result<Self, MediaTypeError> {
        if kind.contains(['"', '\\']) {
            return Err(MediaTypeError);
        }
        let kind = kind.to_ascii_lowercase();
        Self::parse(&format!("application/cmw+cbor; cmwc_t=\"{kind}\""))
    }

    /// `type/subtype` in lower case, without parameters.
    pub fn essence(&self) -> &str {
        &self.parts.essence
    }

    /// The value of a parameter, quotes removed.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parts
            .parameters
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl FromStr for MediaType {
    type Err = MediaTypeError;

    fn from_str(text: &str) -> Result<Self, MediaTypeError> {
        Self::parse(text)
    }
}

/// Prints the canonical text: lower case, parameters sorted and quoted.
impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.essence())?;
        for (name, value) in &self.parts.parameters {
            write!(f, "; {name}=\"")?;
            for c in value.chars() {
                if matches!(c, '"' | '\\') {
                    f.write_str("\\")?;
                }
                write!(f, "{c}")?;
            }
            f.write_str("\"")?;
        }
        Ok(())
    }
}

/// The text is no media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a media type")]
#[non_exhaustive]
pub struct MediaTypeError;

/// One parameter value, quoted or a token, and the text after its `;`.
fn parameter_value(text: &str) -> Result<(String, &str), MediaTypeError> {
    let text = text.trim_start();
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        // RFC 9110 wants a token here. Deployed services also send bare URIs, which are as harmless.
        let value = value.trim();
        let plain = !value.is_empty() && !value.contains(['"', '\\', ' ']);
        return if plain {
            Ok((value.to_owned(), rest))
        } else {
            Err(MediaTypeError)
        };
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next().ok_or(MediaTypeError)? {
            '"' => break,
            '\\' => value.push(chars.next().ok_or(MediaTypeError)?),
            c => value.push(c),
        }
    }
    let rest = chars.as_str().trim_start();
    match rest.strip_prefix(';') {
        Some(rest) => Ok((value, rest)),
        None if rest.is_empty() => Ok((value, rest)),
        None => Err(MediaTypeError),
    }
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// In bytes. RFC 6838 §4.2 allows 127 for each half of a type's name; profiles are URIs of similar length.
const MAX_LENGTH: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_without_regard_to_case_spacing_quoting_and_order() {
        let a = MediaType::parse("Application/X+cbor; b=2;A=\"1\"").unwrap();
        let b = MediaType::parse("application/x+cbor;a=1 ; B=\"2\"").unwrap();
        assert_eq!(a, b);
        assert_eq!(a.to_string(), "application/x+cbor; a=\"1\"; b=\"2\"");
    }

    #[test]
    fn a_parameter_makes_another_type() {
        let bare = MediaType::parse("application/eat+cwt").unwrap();
        let profiled = MediaType::parse("application/eat+cwt; eat_profile=\"tag:x\"").unwrap();
        assert_ne!(bare, profiled);
    }

    #[test]
    fn display_is_parsed_back() {
        let a = MediaType::parse("a/b; c=\"d\\\"e\\\\f;g\"").unwrap();
        assert_eq!(a.parameter("c"), Some("d\"e\\f;g"));
        assert_eq!(MediaType::parse(&a.to_string()), Ok(a));
    }

    #[test]
    fn what_is_parsed_is_parsed_back_however_long() {
        for count in 1..=22 {
            let parameters = (0..count).map(|n| format!(";p{n:02}=123456"));
            let text = format!("a/b{}", parameters.collect::<String>());
            let printed_length = 3 + count * "; p00=\"123456\"".len();
            let parsed = MediaType::parse(&text);
            assert_eq!(parsed.is_ok(), printed_length <= MAX_LENGTH, "{count}");
            if let Ok(parsed) = parsed {
                assert_eq!(parsed.to_string().len(), printed_length);
                assert_eq!(MediaType::parse(&parsed.to_string()), Ok(parsed));
            }
        }
    }

    #[test]
    fn refuses_what_is_no_media_type() {
        for text in [
            "",
            "a",
            "/",
            "a/",
            "/b",
            "a/b/c",
            "a b/c",
            "a/b;",
            "a/b; c",
            "a/b; c=",
            "a/b; c=\"d",
            "a/b; c=1; C=2",
            "a/b; c=\"d\"e",
            "a/b; c=\"d\" e=f",
            "a/b\n",
            "ä/b",
        ] {
            let parsed = MediaType::parse(text);
            if text == "a/b;" {
                assert!(
                    parsed.is_ok(),
                    "an empty trailing parameter list is harmless"
                );
            } else {
                assert_eq!(parsed, Err(MediaTypeError), "{text:?}");
            }
        }
        assert_eq!(
            MediaType::parse(&format!("a/{}", "b".repeat(254))),
            Err(MediaTypeError)
        );
    }
}
