//! The verifier half: the chain of the three items.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::ConfigError;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::cmw::Item;
use atls_core::combine::chain::Chain;
use atls_core::combine::chain::ChainItem;
use atls_core::combine::chain::ChainLink;
use atls_core::combine::chain::SignedVerifier;
use atls_core::combine::chain::UnboundEvidence;
use atls_core::combine::chain::UnboundVerifier;
use atls_core::expected::ExpectedValue;
use atls_core::pki_types::UnixTime;
use atls_formats::azure::AZURE_RUNTIME_DATA;
use atls_formats::azure::RuntimeData;
use atls_formats::snp;
use atls_formats::snp::SnpEvidence;
use atls_formats::tsm::TSM_REPORT;
use atls_reference::Live;

use crate::evidence;
use crate::evidence::Items;
use crate::policy::AzurePolicy;
use crate::runtime;

/// Appraises Evidence of Azure's confidential VMs, in this order. Nothing is fetched for Evidence that fails before step 4:
///
/// 1. the collection has its three items, once each, and no other but Endorsements; the runtime data is well-formed;
/// 2. the quote's signature verifies under its own key, its registers fit, and the TPM's policy is checked, by the [`SignedVerifier`];
/// 3. the quote carries the value of this connection;
/// 4. the processor's Evidence is genuine and its policy is checked, by the [`UnboundVerifier`] of its media type;
/// 5. its report data is the SHA-256 of the runtime data and 32 zero bytes, whole. An SNP report is the paravisor's own (VMPL 0);
/// 6. the quote's key is that of the runtime data.
///
/// The result has three items. A policy of the application may ask for them by a [`Composition`](atls_core::policy::Composition).
pub struct AzureVerifier {
    policy: Arc<Live<AzurePolicy>>,
    processors: Vec<Arc<dyn UnboundVerifier>>,
    tpm: Arc<dyn SignedVerifier>,
    media_types: [MediaType; 1],
}

impl AzureVerifier {
    /// Appraises VMs of these kinds of processor, each by its own verifier, and their virtual TPM by another.
    ///
    /// # Errors
    /// [`ConfigError`] without a processor, or where two verifiers take the same media type.
    pub fn new(
        policy: Arc<Live<AzurePolicy>>,
        processors: Vec<Arc<dyn UnboundVerifier>>,
        tpm: Arc<dyn SignedVerifier>,
    ) -> Result<Self, ConfigError> {
        let mut known = BTreeSet::new();
        for media_type in processors.iter().flat_map(|part| part.media_types()) {
            if !known.insert(media_type) {
                return Err(ConfigError::AmbiguousVerifier(media_type.clone()));
            }
        }
        if known.is_empty() || tpm.media_types().is_empty() {
            return Err(ConfigError::NoVerifier);
        }
        let media_type = evidence::media_type().map_err(|_| ConfigError::IdleVerifier)?;
        Ok(Self {
            policy,
            processors,
            tpm,
            media_types: [media_type],
        })
    }

    /// Appraises a recorded collection as [`Verifier::appraise`] does, **but for its binding**: the quote's `qualifyingData`, which is
    /// [`Chain::challenge`], is compared with nothing. For trying policies on Evidence out of a file.
    ///
    /// # Errors
    /// [`AppraisalError`]: no result.
    pub async fn appraise_recorded(
        &self,
        collection: &[u8],
        now: UnixTime,
    ) -> Result<Chain, AppraisalError> {
        self.chain(collection, &[], None, now).await
    }

    async fn appraise_now(
        &self,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        let expected = self.tpm.expected_value(evidence.bound());
        let endorsements = evidence.endorsements();
        let chain = self.chain(evidence.bytes(), endorsements, Some(&expected), now);
        chain.await?.bind(&expected)
    }

    async fn chain(
        &self,
        collection: &[u8],
        endorsements: &[Item<'_>],
        expected: Option<&ExpectedValue>,
        now: UnixTime,
    ) -> Result<Chain, AppraisalError> {
        let collection = Cmw::decode(collection).map_err(|_| AppraisalError::Malformed)?;
        let items = Items::of(&collection)?;
        let endorsements = [&items.endorsements[..], endorsements].concat();
        let data_type = media_type_of(&items.runtime_data)?;
        if MediaType::parse(AZURE_RUNTIME_DATA).as_ref() != Ok(&data_type) {
            return Err(AppraisalError::Malformed);
        }
        let data = RuntimeData::decode(items.runtime_data.value())?;

        let tpm_type = media_type_of(&items.tpm)?;
        if !self.tpm.media_types().contains(&tpm_type) {
            return Err(AppraisalError::Malformed);
        }
        let quote = UnboundEvidence::new(&tpm_type, items.tpm.value());
        let signed = self.tpm.appraise_signed(&quote, now).await?;
        // Before anything is fetched. The chain compares it once more, for its result.
        if let Some(expected) = expected {
            drop(expected.compare(signed.appraisal().challenge())?);
        }

        let cpu_type = media_type_of(&items.cpu)?;
        let mut processors = self.processors.iter();
        let processor = processors
            .find(|part| part.media_types().contains(&cpu_type))
            .ok_or(AppraisalError::Malformed)?;
        refuse_report_of_guest(&cpu_type, items.cpu.value())?;
        let report = UnboundEvidence::new(&cpu_type, items.cpu.value());
        let report = report.with_endorsements(&endorsements);
        let root = processor.appraise_unbound(&report, now).await?;

        // The rule of this platform.
        let link = ChainLink::new(data.report_data(), data.attestation_key.clone());
        let root = ChainItem::new(items.cpu.label(), cpu_type, root);
        let signed = ChainItem::new(items.tpm.label(), tpm_type, signed);
        let result = runtime::appraise(&data, &self.policy, now);
        let result = ChainItem::new(items.runtime_data.label(), data_type, result);
        Ok(Chain::join(root, &link, signed)?.with_link_item(result))
    }
}

impl Verifier for AzureVerifier {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    /// Each grows alone, so the sum is another one whenever any is.
    fn generation(&self) -> u64 {
        let parts = self.processors.iter().map(|part| part.generation());
        let own = [self.policy.generation(), self.tpm.generation()];
        parts.chain(own).fold(0, u64::wrapping_add)
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(self.appraise_now(evidence, now))
    }
}

impl fmt::Debug for AzureVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureVerifier")
            .field("policy", &self.policy)
            .field("processors", &self.processors.len())
            .finish_non_exhaustive()
    }
}

fn media_type_of(item: &Item<'_>) -> Result<MediaType, AppraisalError> {
    item.media_type().ok_or(AppraisalError::Malformed)
}

/// The paravisor runs at VMPL 0. Software of the guest at another level may request reports too, over whatever it likes, a key of its own
/// included.
fn refuse_report_of_guest(media_type: &MediaType, evidence: &[u8]) -> Result<(), AppraisalError> {
    if MediaType::parse(TSM_REPORT).as_ref() != Ok(media_type) {
        return Ok(());
    }
    let evidence = SnpEvidence::decode(evidence)?;
    match snp::Report::decode(evidence.report())?.vmpl {
        0 => Ok(()),
        _ => Err(AppraisalError::NotChained),
    }
}
