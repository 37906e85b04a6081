//! Says step by step what happens, for `-v`.

use std::io;
use std::io::Write;
use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::ConceptualMessage;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::pki_types::UnixTime;

use crate::terminal::Safe;
use crate::terminal::Style;

/// The listener to the steps.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Narration {
    /// The standard error.
    Aloud(Style),
    /// Nobody.
    Silent,
}

impl Narration {
    /// Writes one step. `who` is the end that does it.
    pub(crate) fn say(&self, who: &str, what: &str) {
        let Self::Aloud(style) = self else {
            return;
        };
        let who = style.dim(&format!("{who:8}"));
        // Nobody is left to hear of a failure of this.
        let _ = writeln!(io::stderr().lock(), "{who} {}", Safe(what));
    }
}

/// An attester that says when it is asked.
pub(crate) struct NarratingAttester {
    inner: Arc<dyn Attester>,
    narration: Narration,
}

impl NarratingAttester {
    pub(crate) fn around(inner: Arc<dyn Attester>, narration: &Narration) -> Arc<dyn Attester> {
        match narration {
            Narration::Silent => inner,
            Narration::Aloud(_) => Arc::new(Self {
                inner,
                narration: *narration,
            }),
        }
    }
}

impl Attester for NarratingAttester {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn names_leaf_key(&self) -> bool {
        self.inner.names_leaf_key()
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            let bound = format!(
                "is asked to attest; value of this connection {}",
                request.bound()
            );
            self.narration.say("client", &bound);
            let cmw = self.inner.attest(request).await?;
            for item in cmw.items() {
                let size = item.value().len();
                let made = match item.media_type() {
                    Some(media_type) => format!("made {size} bytes of {media_type}"),
                    None => format!("made {size} bytes"),
                };
                self.narration.say("client", &made);
            }
            Ok(cmw)
        })
    }
}

/// A verifier that says what it appraises, and what it finds.
pub(crate) struct NarratingVerifier {
    inner: Arc<dyn Verifier>,
    narration: Narration,
}

impl NarratingVerifier {
    pub(crate) fn around(inner: Arc<dyn Verifier>, narration: &Narration) -> Arc<dyn Verifier> {
        match narration {
            Narration::Silent => inner,
            Narration::Aloud(_) => Arc::new(Self {
                inner,
                narration: *narration,
            }),
        }
    }

    fn narrate(&self, appraised: &Appraised) {
        let ear = appraised.ear();
        for (name, appraisal) in ear.submods() {
            let by = format!("{} {}", ear.verifier().developer(), ear.verifier().build());
            let status = format!("says {name} is {}, by {by}", appraisal.status());
            self.narration.say("verifier", &status);
        }
        for finding in appraised.findings() {
            self.narration.say("verifier", &format!("  {finding}"));
        }
    }
}

impl Verifier for NarratingVerifier {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn conceptual_message(&self) -> ConceptualMessage {
        self.inner.conceptual_message()
    }

    fn generation(&self) -> u64 {
        self.inner.generation()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            let carries = "verified the authenticator; value of this connection";
            let bound = format!("{carries} {}", evidence.bound());
            self.narration.say("client", &bound);
            let (size, media_type) = (evidence.bytes().len(), evidence.media_type());
            let has = format!("has {size} bytes of {media_type} appraised");
            self.narration.say("client", &has);
            let appraised = self.inner.appraise(evidence, now).await;
            match &appraised {
                Ok(appraised) => self.narrate(appraised),
                Err(error) => self
                    .narration
                    .say("verifier", &format!("gives no result: {error}")),
            }
            appraised
        })
    }
}
