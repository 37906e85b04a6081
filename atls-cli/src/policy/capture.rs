//! A verifier that makes a policy of the first Evidence that it sees, and appraises the Evidence under it.

use std::sync::Mutex;
use std::sync::PoisonError;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_core::finding::Finding;
use atls_core::pki_types::UnixTime;
use atls_formats::azure::AZURE_COLLECTION;
use atls_formats::psa::Profile;

use crate::appraise;
use crate::appraise::AttestationKeys;
use crate::appraise::Evidence;
use crate::appraise::Policy;
use crate::failure::Failure;
use crate::seen;
use crate::trust;
use crate::trust::AppraisalOptions;

pub(crate) struct Capture {
    name: String,
    keys: AttestationKeys,
    trust: AppraisalOptions,
    media_types: Vec<MediaType>,
    seen: Mutex<Option<Result<Captured, Failure>>>,
}

/// The policy of what was seen, and what came of appraising it.
pub(super) struct Captured {
    pub(super) text: String,
    pub(super) appraised: Result<CapturedResult, AppraisalError>,
}

pub(super) struct CapturedResult {
    pub(super) status: Tier,
    pub(super) findings: Vec<Finding>,
    pub(super) origin: Origin,
}

impl Capture {
    pub(crate) fn new(name: &str, keys: AttestationKeys, trust: AppraisalOptions) -> Self {
        let psa = [Profile::Tfm, Profile::Predecessor, Profile::Legacy];
        let known = [
            atls_formats::dcap::TDX_QUOTE,
            atls_formats::dcap::TDX_EVIDENCE,
            atls_formats::dcap::SGX_QUOTE,
            atls_formats::tsm::TSM_REPORT,
            atls_formats::psa::CCA_TOKEN,
            atls_formats::tpm::TPM_EVIDENCE,
            appraise::NITRO,
        ];
        let known = known.into_iter().chain(psa.map(Profile::media_type));
        let azure = MediaType::of_collection(AZURE_COLLECTION);
        let media_types = known.map(MediaType::parse).chain([azure]);
        Self {
            name: name.to_owned(),
            keys,
            trust,
            media_types: media_types.filter_map(Result::ok).collect(),
            seen: Mutex::new(None),
        }
    }

    /// Asks for Evidence of the platforms of these tables alone.
    pub(crate) fn of_tables(mut self, tables: &[&str]) -> Self {
        self.media_types.retain(|media_type| {
            let table = appraise::table_of(&media_type.to_string());
            table.is_some_and(|table| tables.contains(&table))
        });
        self
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
        let item = Evidence::alone(evidence.media_type().to_string(), evidence.bytes());
        let text = seen::policy_of(&item, &self.name, &self.keys)?;
        let policy = self.keys.over(Policy::written(&text));
        let table = item.table().unwrap_or_default();
        let verifier = trust::verifier(table, &policy, &self.trust)?;
        Ok((text, verifier.appraise(evidence, now).await))
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
                        Ok(result) => Ok(CapturedResult {
                            status: result.ear().status(),
                            findings: result.findings().to_vec(),
                            origin: result.origin(),
                        }),
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
