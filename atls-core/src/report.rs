//! An error with all its causes, in one line.

use std::error::Error;
use std::fmt;

/// The error and each of its causes, outermost first, separated by `: `. Log this text rather than the error, since the
/// `Display` of an error does not repeat its [`source`](Error::source).
///
/// ```
/// # use atls_core::AppraisalError;
/// # use atls_core::Refusal;
/// # use atls_core::report;
/// let refusal = Refusal::Appraisal(AppraisalError::UnknownKey);
/// let line = report(&refusal).to_string();
/// assert!(line.starts_with("appraisal failed: evidence is signed by an unknown key"));
/// ```
pub fn report<'a>(error: &'a (dyn Error + 'static)) -> impl fmt::Debug + fmt::Display + 'a {
    Report(error)
}

#[derive(Debug)]
struct Report<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = self.0.to_string();
        f.write_str(&last)?;
        let causes = std::iter::successors(self.0.source(), |&error| error.source());
        for cause in causes.take(MAX_CAUSES) {
            let text = cause.to_string();
            // Errors of other crates may repeat their source.
            if !last.ends_with(&text) {
                write!(f, ": {text}")?;
                last = text;
            }
        }
        Ok(())
    }
}

/// Most causes of one error. A longer chain is a mistake.
const MAX_CAUSES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Link(&'static str, Option<Box<Self>>);

    impl fmt::Display for Link {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Link {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1
                .as_deref()
                .map(|link| -> &(dyn Error + 'static) { link })
        }
    }

    fn chain(texts: &[&'static str]) -> Link {
        let (first, rest) = texts.split_first().unwrap();
        let rest = (!rest.is_empty()).then(|| Box::new(chain(rest)));
        Link(first, rest)
    }

    #[test]
    fn every_cause_is_said_once() {
        assert_eq!(report(&chain(&["a", "b", "c"])).to_string(), "a: b: c");
        assert_eq!(report(&chain(&["a: b", "b", "c"])).to_string(), "a: b: c");
        assert_eq!(report(&chain(&["a"])).to_string(), "a");
    }
}
