//! One sample, as this project's attester would send it.

use std::sync::Arc;

use atls_azure::AzureEvidence;
use atls_azure::AzurePolicy;
use atls_azure::AzureVerifier;
use atls_core::cmw::Cmw;
use atls_core::combine::chain::UnboundVerifier;
use atls_formats::tpm::Attest;
use atls_formats::tpm::PcrValues;
use atls_formats::tpm::TPM_EVIDENCE;
use atls_formats::tpm::TpmEvidence;
use atls_tpm::Measurement;
use atls_tpm::PcrIndex;
use atls_tpm::TpmImage;
use atls_tpm::TpmPolicy;
use end_to_end::azure::azure_verifier;

#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    /// A time at which all of it is valid, in seconds.
    pub(crate) time: u64,
    pub(crate) cpu: Vec<u8>,
    pub(crate) cpu_type: &'static str,
    pub(crate) runtime_data: Vec<u8>,
    pub(crate) quote: TpmEvidence,
    pub(crate) processor: Arc<dyn UnboundVerifier>,
}

impl Sample {
    pub(crate) fn collection(&self) -> Vec<u8> {
        let record = |text: &str, bytes| Cmw::evidence(text.parse().unwrap(), bytes);
        let quote = record(TPM_EVIDENCE, self.quote.clone().encode().unwrap());
        let cpu = record(self.cpu_type, self.cpu.clone());
        let evidence = AzureEvidence::new(cpu, self.runtime_data.clone(), quote);
        evidence.into_cmw().unwrap().encode().unwrap()
    }

    pub(crate) fn nonce(&self) -> Vec<u8> {
        Attest::decode(&self.quote.attest).unwrap().extra_data
    }

    pub(crate) fn processor(&self) -> Arc<dyn UnboundVerifier> {
        self.processor.clone()
    }

    /// It knows this sample's paravisor and guest, and no other.
    pub(crate) fn verifier(&self) -> AzureVerifier {
        azure_verifier(
            AzurePolicy::default(),
            vec![self.processor()],
            tpm(std::slice::from_ref(self)),
        )
    }
}

/// The boots of all samples.
pub(crate) fn tpm(samples: &[Sample]) -> TpmPolicy {
    let images = samples.iter().enumerate().map(|(number, sample)| {
        let selections = Attest::decode(&sample.quote.attest).unwrap().selections;
        let banks = PcrValues::split(&selections, &sample.quote.pcrs).unwrap();
        let value = Measurement::new(&banks[0].values[&4]).unwrap();
        TpmImage::measured(
            format!("boot {number}"),
            [(PcrIndex::new(4).unwrap(), value)],
        )
    });
    TpmPolicy::new(images.collect())
}
