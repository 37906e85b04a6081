//! A verifier that makes a policy of the first Evidence that it sees, and appraises the Evidence under it.

use std::sync::Mutex;
use std::sync::PoisonError;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_core::finding::Finding;
use atls_core::pki_types::UnixTime;

use crate::appraise::Evidence;
use crate::appraise::Policy;
use crate::failure::Failure;
use crate::seen;
use crate::trust;
use crate::trust::AppraisalOptions;

pub(crate) struct Capture {
    name: String,
    trust: AppraisalOptions,
    media_types: Vec<MediaType>,
    seen: Mutex<Option<Result<Captured, Failure>>>,
}

/// The policy of what was seen, and what came of appraising it.
pub(super) struct Captured {
    pub(super) text: String,
    pub(super) appraised: Result<(Tier, Vec<Finding>), AppraisalError>,
}

impl Capture {
    pub(crate) fn new(name: &str, trust: AppraisalOptions) -> Self {
        let known = [
            atls_formats::dcap::TDX_QUOTE,
            atls_formats::dcap::TDX_EVIDENCE,
            atls_formats::dcap::SGX_QUOTE,
            atls_formats::tsm::TSM_REPORT,
            crate::appraise::NITRO,
        ];
        let media_types = known.into_iter().map(MediaType::parse);
        Self {
            name: name.to_owned(),
            trust,
            media_types: media_types.filter_map(Result::ok).collect(),
            seen: Mutex::new(None),
        }
    }

    pub(super) fn take(&self) -> Option<Result<Captured, Failure>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.take()
    }

    fn keep(&self, captured: Result<Captured, Failure>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Some(captured);
    }

    async fn appraise_as_seen(
        &self,
        evidence: &atls_core::Evidence<'_>,
        now: UnixTime,
    ) -> Result<(String, Result<Appraised, AppraisalError>), Failure> {
        let item = Evidence {
            media_type: evidence.media_type().to_string(),
            bytes: evidence.bytes().to_vec(),
        };
        let text = seen::policy_of(&item, &self.name)?;
        let policy = Policy::written(&text);
        let appraised = match item.table() {
            Some("nitro") => {
                let verifier = trust::nitro(policy.live()?, &self.trust)?;
                verifier.appraise(evidence, now).await
            }
            Some("sgx") => {
                let verifier = trust::sgx(policy.live()?, &self.trust)?;
                verifier.appraise(evidence, now).await
            }
            Some("snp") => {
                let verifier = trust::snp(policy.live()?, &self.trust)?;
                verifier.appraise(evidence, now).await
            }
            _ => {
                let verifier = trust::tdx(policy.live()?, &self.trust)?;
                verifier.appraise(evidence, now).await
            }
        };
        Ok((text, appraised))
    }
}

impl Verifier for Capture {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a atls_core::Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            match self.appraise_as_seen(evidence, now).await {
                Ok((text, appraised)) => {
                    let kept = match &appraised {
                        Ok(result) => Ok((result.ear().status(), result.findings().to_vec())),
                        Err(error) => Err(error.clone()),
                    };
                    self.keep(Ok(Captured {
                        text,
                        appraised: kept,
                    }));
                    appraised
                }
                Err(failure) => {
                    self.keep(Err(failure));
                    Err(AppraisalError::Local("no policy can be made of it"))
                }
            }
        })
    }
}
