//! The target of a request.

use http::Uri;
use url::Url;

use crate::failure::Failure;

/// An `https` URL with a host.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    uri: Uri,
}

impl Target {
    /// # Errors
    /// A usage failure, with the cure.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |what: &str| Failure::usage(format!("{text}: {what}"));
        let url = Url::parse(text).map_err(|error| {
            wrong("it is no URL")
                .because(&error)
                .with_help("write it as https://HOST:PORT/PATH")
        })?;
        if url.scheme() != "https" {
            return Err(
                wrong("only https is attested").with_help("write it as https://HOST:PORT/PATH")
            );
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                wrong("it holds a password, which others on this machine see")
                    .with_help("send one as a header: -H 'Authorization: …'"),
            );
        }
        let mut url = url;
        url.set_fragment(None);
        let uri: Uri = url
            .as_str()
            .parse()
            .map_err(|error: http::uri::InvalidUri| wrong("it is no URL").because(&error))?;
        Ok(Self { uri })
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Host, and port where it is not 443.
    pub(crate) fn authority(&self) -> String {
        self.uri
            .authority()
            .map(ToString::to_string)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Outcome;

    #[test]
    fn a_url_without_tls_or_with_a_password_is_refused() {
        for text in [
            "http://a/",
            "a.example",
            "https://u:p@a/",
            "https://",
            "ftp://a",
            "",
        ] {
            let failure = Target::parse(text).unwrap_err();
            assert_eq!(failure.outcome(), Outcome::Usage, "{text}");
            assert!(failure.help().is_some(), "{text}");
        }
    }

    #[test]
    fn names_of_any_script_become_what_dns_has() {
        let target = Target::parse("https://grün.example:8443/a b?q#part").unwrap();
        let written = "https://xn--grn-ioa.example:8443/a%20b?q";
        assert_eq!(target.uri().to_string(), written);
    }
}
