//! Results that a real Trustee signed, recorded.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::ear::BinaryText;
use atls_core::ear::Ear;
use atls_core::ear::Tier;
use atls_core::ear::VerificationKeys;
use atls_remote::Endpoint;
use atls_remote::EvidenceFormat;
use atls_remote::RemoteService;
use atls_remote::ResultCheck;
use stand_in::Loopback;
use stand_in::Signer;
use test_support::at;
use test_support::supported;
use test_support::vectors;

use crate::format::SampleEvidence;
use crate::format::SnpReport;
use crate::format::TdxQuote;
use crate::service::TrusteeService;

/// Seconds since the epoch, within the five minutes of every recorded result.
const RECORDED_AT: u64 = 1_795_468_300;

const SAMPLE: &[u8] = b"0123456789abcdef0123456789abcdef";

#[test]
fn a_recorded_snp_result_is_about_the_report_data_that_it_states() {
    let Some(recorded) = Recorded::open("trustee-snp-genoa-affirming", "mine") else {
        return;
    };
    let challenge = report_data();
    let ear = recorded.read(&SnpReport::new(), &challenge, RECORDED_AT);
    assert_eq!(ear.unwrap().status(), Tier::Affirming);

    // The result is about the 32 bytes of its request and 32 zeros. A shorter value is bound to no field.
    let mut other = challenge.clone();
    other[0] ^= 1;
    for challenge in [&challenge[..32], &other, &[], SAMPLE] {
        let refused = recorded.read(&SnpReport::new(), challenge, RECORDED_AT);
        assert_eq!(refused, Err(AppraisalError::BadResult));
    }
    // The result is not about another TEE.
    let refused = recorded.read(&TdxQuote::new(), &challenge, RECORDED_AT);
    assert_eq!(refused, Err(AppraisalError::BadResult));
}

#[test]
fn a_recorded_sample_result_spells_in_another_way() {
    let Some(recorded) = Recorded::open("trustee-sample-raw", "default") else {
        return;
    };
    let ear = recorded.read(&SampleEvidence::new(), SAMPLE, RECORDED_AT);
    assert_eq!(ear.unwrap().status(), Tier::Contraindicated);
}

#[test]
fn a_recorded_result_ends_and_has_one_policy_and_one_key() {
    let Some(mut recorded) = Recorded::open("trustee-snp-genoa-affirming", "mine") else {
        return;
    };
    let challenge = report_data();
    for (now, expected) in [
        (1_795_468_594, Err(AppraisalError::ResultExpired)),
        (1_795_468_233, Err(AppraisalError::ResultExpired)),
    ] {
        let verified = recorded.read(&SnpReport::new(), &challenge, now);
        assert_eq!(verified.map(drop), expected, "{now}");
    }
    let lenient = Recorded::open("trustee-snp-genoa-affirming", "default").unwrap();
    let refused = lenient.read(&SnpReport::new(), &challenge, RECORDED_AT);
    assert_eq!(refused, Err(AppraisalError::BadResult));
    // Its header still names the key that signed it.
    recorded.keys = Signer::es256().keys();
    let refused = recorded.read(&SnpReport::new(), &challenge, RECORDED_AT);
    assert_eq!(refused, Err(AppraisalError::BadResult));
}

struct Recorded {
    service: TrusteeService,
    keys: VerificationKeys,
    token: String,
}

impl Recorded {
    fn open(name: &str, policy: &str) -> Option<Self> {
        let folder = vectors()?.join("ear");
        let keys = std::fs::read_to_string(folder.join("trustee-jwks.json")).unwrap();
        let keys = VerificationKeys::from_jwk_set(&keys).unwrap();
        let token = std::fs::read_to_string(folder.join(format!("{name}.ear.jwt"))).unwrap();
        let service = Endpoint::https("https://trustee.example").unwrap();
        let service = TrusteeService::new(&service, Loopback::client()).unwrap();
        Some(Self {
            service: service.with_policy(policy),
            keys,
            token: token.trim().to_owned(),
        })
    }

    fn read(
        &self,
        format: &dyn EvidenceFormat<TrusteeService>,
        report_data: &[u8],
        now: u64,
    ) -> Result<Ear, AppraisalError> {
        let check = ResultCheck {
            keys: &self.keys,
            supported: &supported(),
            issuer: self.service.issuer(),
            max_age: Duration::from_secs(3600),
            now: at(now),
        };
        let read = self
            .service
            .read_about(&self.token, &check, format.terms(), report_data);
        Ok(read?)
    }
}

/// The report data of the recorded report.
fn report_data() -> Vec<u8> {
    let text = "8100555af0ad8e7525be6dffeed0af83e30bbacbf03b76e175e6894d1ed057ce";
    let mut report_data = BinaryText::Hex.decode(text).unwrap();
    report_data.resize(64, 0);
    report_data
}
