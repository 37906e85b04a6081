//! The order of the checks.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use atls_azure::AzureEvidence;
use atls_azure::AzurePolicy;
use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::RecordedAppraisal;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::combine::chain::UnboundEvidence;
use atls_core::combine::chain::UnboundVerifier;
use atls_core::pki_types::UnixTime;
use atls_formats::tpm::qualifying_data;
use atls_tpm::TpmPolicy;
use atls_tpm::testing::ForgedTpm;
use end_to_end::azure::ForgedAzure;
use end_to_end::azure::azure_verifier;
use test_support::Connection;
use test_support::at;

const NOW: u64 = 1_796_000_000;

/// It may have to fetch what the Evidence lacks, and nobody makes it do so by an old quote or a bad one.
#[test]
fn the_processors_verifier_is_asked_about_quotes_of_this_connection_alone() {
    let vm = ForgedAzure::snp();
    let asked = Arc::new(AtomicUsize::new(0));
    let processor = Counted {
        inner: vm.processor_verifier(),
        asked: asked.clone(),
    };
    let tpm = TpmPolicy::new(vec![ForgedTpm::image()]);
    let verifier = azure_verifier(AzurePolicy::default(), vec![Arc::new(processor)], tpm);
    let connection = Connection::new();
    let value = qualifying_data(connection.bound());
    let good = vm.evidence(value.bytes());
    let appraise = |evidence: &AzureEvidence| {
        let bytes = evidence.clone().into_cmw().unwrap().encode().unwrap();
        let appraised = connection.appraise(&verifier, &bytes, at(NOW)).map(drop);
        (appraised, asked.swap(0, Ordering::Relaxed))
    };
    assert_eq!(appraise(&good), (Ok(()), 1));
    let replayed = vm.evidence(b"another connection");
    assert_eq!(appraise(&replayed), (Err(AppraisalError::NotBound), 0));
    let mut altered = good.clone();
    altered.runtime_data.pop();
    assert_eq!(appraise(&altered), (Err(AppraisalError::Malformed), 0));
    let mut other = ForgedAzure::snp();
    other.key = ForgedAzure::other_key();
    let mut quote = other.quote(value.bytes());
    quote.ak = vm.quote(&[]).ak;
    let mut unsigned = good;
    let media_type = unsigned.quote.items()[0].media_type().unwrap();
    unsigned.quote = Cmw::evidence(media_type, quote.encode().unwrap());
    assert_eq!(appraise(&unsigned), (Err(AppraisalError::BadSignature), 0));
}

struct Counted {
    inner: Arc<dyn UnboundVerifier>,
    asked: Arc<AtomicUsize>,
}

impl Verifier for Counted {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        self.inner.appraise(evidence, now)
    }
}

impl UnboundVerifier for Counted {
    fn appraise_unbound<'a>(
        &'a self,
        evidence: &'a UnboundEvidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<RecordedAppraisal, AppraisalError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.inner.appraise_unbound(evidence, now)
    }
}
