//! Evidence of Azure's own VMs: affirmed at its time, and refused with any link of the chain broken.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod parts;
mod sample;
mod samples;
mod snp_guest;
mod trust_domain;

use atls_azure::AzureClaims;
use atls_azure::AzurePolicy;
use atls_azure::AzureVerifier;
use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::combine::chain::Chain;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_formats::azure::AzureFormatError;
use atls_formats::azure::HclReport;
use atls_formats::azure::RuntimeData;
use atls_tpm::TpmClaims;
use sample::Sample;
use samples::samples;
use test_support::Connection;
use test_support::at;
use test_support::ready;

#[test]
fn genuine_evidence_is_affirmed_at_its_time() {
    for sample in samples() {
        let chain = sample.appraise().unwrap();
        let ear = chain.ear().unwrap();
        assert_eq!(ear.status(), Tier::Affirming, "{} {ear:?}", sample.name);
        let submods: Vec<_> = ear.submods().map(|(name, _)| name).collect();
        assert_eq!(submods, ["azure", sample.kind, "tpm"]);
        let azure = ear.submod("azure").unwrap();
        assert_eq!(azure.vector().get(Category::Configuration).value(), 2);
        for item in chain.items() {
            assert_eq!(item.result().origin(), Origin::Device);
        }
        assert!(chain.items()[1].result().claims::<AzureClaims>().is_some());
        // The public area that the samples lack is the one that Azure's keys have: the quote names it, a primary key of the
        // endorsement hierarchy.
        let tpm = chain.items()[2].result().claims::<TpmClaims>().unwrap();
        assert!(tpm.has_plain_counters, "{}", sample.name);
    }
}

#[test]
fn the_challenge_is_what_the_quote_carries() {
    for sample in samples() {
        assert_eq!(sample.appraise().unwrap().challenge(), sample.nonce());
    }
}

#[test]
fn genuine_evidence_is_bound_to_no_connection_of_ours() {
    for sample in samples() {
        let bytes = sample.collection();
        for connection in [Connection::new(), Connection::sha384()] {
            let refused = connection.appraise(&sample.verifier(), &bytes, at(sample.time));
            let refused = refused.map(drop);
            assert_eq!(refused, Err(AppraisalError::NotBound), "{}", sample.name);
        }
    }
}

#[test]
fn genuine_evidence_is_refused_outside_of_its_time() {
    for sample in samples() {
        for time in [0, 1_600_000_000, 2_100_000_000] {
            let refused = sample.appraise_at(time).map(drop);
            assert!(
                matches!(
                    refused,
                    Err(AppraisalError::Expired | AppraisalError::StaleCollateral(_))
                ),
                "{} {time} {refused:?}",
                sample.name
            );
        }
    }
}

#[test]
fn flipped_bits_of_the_runtime_data_are_refused() {
    for sample in samples() {
        let verifier = sample.verifier();
        for index in (0..sample.runtime_data.len()).step_by(7) {
            let mut altered = sample.clone();
            altered.runtime_data[index] ^= 1 << (index % 7);
            let outcome = altered.appraise_by(&verifier, sample.time).map(drop);
            assert!(
                matches!(
                    outcome,
                    Err(AppraisalError::Malformed | AppraisalError::NotChained)
                ),
                "{} {index} {outcome:?}",
                sample.name
            );
        }
    }
}

#[test]
fn no_link_of_one_vm_fits_into_the_chain_of_another() {
    let samples = samples();
    for one in &samples {
        let verifier = everybodys(&samples);
        assert!(one.appraise_by(&verifier, one.time).is_ok(), "{}", one.name);
        for other in &samples {
            let alike = |part: fn(&Sample) -> &[u8]| part(one) == part(other);
            let refused = |mixed: Sample| {
                let outcome = mixed.appraise_by(&verifier, one.time).map(drop);
                let expected = Err(AppraisalError::NotChained);
                assert_eq!(outcome, expected, "{} {}", one.name, other.name);
            };
            if !alike(|sample| &sample.runtime_data) {
                let mut mixed = one.clone();
                mixed.runtime_data.clone_from(&other.runtime_data);
                refused(mixed);
                let mut mixed = one.clone();
                mixed.quote.clone_from(&other.quote);
                refused(mixed);
                if one.time == other.time {
                    let mut mixed = one.clone();
                    (mixed.cpu, mixed.cpu_type) = (other.cpu.clone(), other.cpu_type);
                    refused(mixed);
                }
            }
        }
    }
}

#[test]
fn every_byte_of_the_quote_is_covered() {
    for sample in samples() {
        let verifier = sample.verifier();
        let fields: [fn(&mut Sample) -> &mut Vec<u8>; 3] = [
            |sample| &mut sample.quote.attest,
            |sample| &mut sample.quote.signature,
            |sample| &mut sample.quote.pcrs,
        ];
        for field in fields {
            for index in 0..field(&mut sample.clone()).len() {
                let mut altered = sample.clone();
                field(&mut altered)[index] ^= 1 << (index % 8);
                let outcome = altered.appraise_by(&verifier, sample.time);
                assert!(outcome.is_err(), "{} {index}", sample.name);
            }
        }
    }
}

#[test]
fn genuine_hcl_reports_are_read_whole() {
    for (name, report) in samples::hcl_reports() {
        let read = HclReport::decode(&report).unwrap();
        let data = RuntimeData::decode(read.runtime_data()).unwrap();
        assert_eq!(read.hardware().report_data(), data.report_data());
        for length in 0..report.len() {
            assert!(
                HclReport::decode(&report[..length]).is_err(),
                "{name} {length}"
            );
        }
        // Each byte of both headers, of the report data, of the runtime data and of the zeros at the end.
        let report_data = read.hardware().report_data();
        let place = report.windows(64).position(|bytes| bytes == report_data);
        let place = place.unwrap();
        for index in (0..32).chain(place..place + 64).chain(1216..report.len()) {
            let mut altered = report.clone();
            altered[index] ^= 1 << (index % 7);
            assert!(HclReport::decode(&altered).is_err(), "{name} {index}");
        }
        // SNP runtime data behind a TDREPORT, and the other way round.
        let mut other = report.clone();
        other[1224] ^= 6;
        assert_eq!(
            HclReport::decode(&other),
            Err(AzureFormatError::Hardware),
            "{name}"
        );
    }
}

/// A verifier that knows the images of all samples.
fn everybodys(samples: &[Sample]) -> AzureVerifier {
    let snp = samples.iter().find(|sample| sample.kind == "snp").unwrap();
    let tdx = samples.iter().find(|sample| sample.kind == "tdx").unwrap();
    end_to_end::azure::azure_verifier(
        AzurePolicy::default(),
        vec![snp_guest::snp(samples, snp), tdx.processor()],
        sample::tpm(samples),
    )
}

trait Appraise {
    fn appraise(&self) -> Result<Chain, AppraisalError>;
    fn appraise_at(&self, time: u64) -> Result<Chain, AppraisalError>;
    fn appraise_by(&self, verifier: &AzureVerifier, time: u64) -> Result<Chain, AppraisalError>;
}

impl Appraise for Sample {
    fn appraise(&self) -> Result<Chain, AppraisalError> {
        self.appraise_at(self.time)
    }

    fn appraise_at(&self, time: u64) -> Result<Chain, AppraisalError> {
        self.appraise_by(&self.verifier(), time)
    }

    fn appraise_by(&self, verifier: &AzureVerifier, time: u64) -> Result<Chain, AppraisalError> {
        ready(verifier.appraise_recorded(&self.collection(), at(time)))
    }
}
