//! Evidence with collateral or a log, and devices that fail.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::AttestError;
use atls_core::Evidence;
use atls_core::Fault;
use atls_core::MediaType;
use atls_core::Refusal;
use atls_core::Verifier;
use atls_formats::dcap::EventLogWriter;
use atls_tdx::CollateralFromPeer;
use atls_tdx::CollateralToSend;
use atls_tdx::SgxEnclave;
use atls_tdx::SgxPolicy;
use atls_tdx::TdxAttester;
use atls_tdx::TdxClaims;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::testing::FakeConfigFs;
use atls_tsm::testing::Forged;
use proptest::prelude::*;
use test_support::Connection;
use test_support::at;
use test_support::ready;

use crate::halves::accept;
use crate::halves::attester;
use crate::halves::supplied;
use crate::halves::verifier;
use crate::support::NOW;
use crate::support::enclave_verifier;
use crate::support::own;

#[test]
fn an_attester_can_send_collateral_along() {
    let platform = Arc::new(ForgedPlatform::new(NOW).unwrap());
    let report = platform.td_report();
    let collateral = CollateralToSend::new();
    let mut attester = attester(&platform, &report).with_collateral(collateral.clone());
    let verifier = || verifier(&platform, &report, CollateralFromPeer::new());
    let none = Err(Refusal::Appraisal(AppraisalError::NoEndorsement {
        what: "collateral",
        due_from: Fault::Peer,
    }));
    assert_eq!(accept(verifier(), &mut attester).map(drop), none);
    collateral
        .replace(&platform.collateral(Tee::Tdx).unwrap())
        .unwrap();
    assert!(accept(verifier(), &mut attester).is_ok());
    collateral.clear();
    assert_eq!(accept(verifier(), &mut attester).map(drop), none);
}

#[test]
fn an_attester_can_send_its_event_log_along() {
    let platform = Arc::new(ForgedPlatform::new(NOW).unwrap());
    let log = EventLogWriter::new()
        .measured(1, 13, b"boot loader")
        .event(1, 0x8000_0003, &[7; 48], b"kernel")
        .measured(2, 13, b"quiet");
    let mut report = platform.td_report();
    report.rtmr = log.rtmr();
    let table = [log.bytes(), &[0xff; 1000]].concat();
    let with = |table: &[u8]| attester(&platform, &report).with_event_log(table).unwrap();
    let verifier = || verifier(&platform, &report, supplied(&platform));
    let peer = accept(verifier(), &mut with(&table)).unwrap();
    let events = &peer.claims::<TdxClaims>().unwrap().events;
    assert_eq!(events.len(), 3);
    assert_eq!(events[0].payload.as_deref(), Some(&b"boot loader"[..]));
    assert_eq!(events[1].payload, None);
    // A log that leads elsewhere is worse than none.
    let lie = log.measured(2, 13, b"debug");
    assert_eq!(
        accept(verifier(), &mut with(lie.bytes())).map(drop),
        Err(Refusal::Appraisal(AppraisalError::Malformed))
    );
    assert!(accept(verifier(), &mut attester(&platform, &report)).is_ok());
    let malformed = attester(&platform, &report).with_event_log(b"no log");
    assert!(matches!(malformed.map(drop), Err(AttestError::Device(_))));
}

#[test]
fn a_machine_without_the_device_is_no_td() {
    let device = || FakeConfigFs::new(Provider::SevGuest, |_| Forged::default());
    assert!(TdxAttester::over(Tsm::over(device())).unwrap().is_none());
    let none = device().without_provider();
    assert!(TdxAttester::over(Tsm::over(none)).unwrap().is_none());
    let denied = FakeConfigFs::new(Provider::TdxGuest, |_| Forged::default());
    denied.inject_errors(13, 10);
    assert!(TdxAttester::over(Tsm::over(denied)).is_err());
}

#[test]
fn a_device_that_gives_another_quote_is_not_believed() {
    let platform = Arc::new(ForgedPlatform::new(NOW).unwrap());
    let report = platform.td_report();
    let other = platform.tdx_quote(&report, &[1; 64]).unwrap();
    for outblob in [
        other.clone(),
        other[..other.len() - 1].to_vec(),
        vec![0; 8_000],
    ] {
        let device = FakeConfigFs::new(Provider::TdxGuest, move |_| Forged {
            outblob: outblob.clone(),
            auxblob: Vec::new(),
        });
        let mut attester = TdxAttester::over(Tsm::over(device)).unwrap().unwrap();
        let made = Connection::new().attest(&mut attester);
        assert!(matches!(made, Err(AttestError::Device(_))));
    }
}

#[test]
fn an_enclave_is_accepted_by_its_media_type() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.sgx_report();
    let known = SgxEnclave::exactly("forged", report.mrenclave);
    let policy = SgxPolicy::up_to_date(vec![known]);
    let verifier = enclave_verifier(&platform, policy, own(&platform, Tee::Sgx));
    let connection = Connection::new();
    let challenge = connection.bound().sha512();
    let quote = platform.sgx_quote(&report, challenge.bytes()).unwrap();
    let media_type: MediaType = "application/vnd.atls.sgx-quote".parse().unwrap();
    assert_eq!(verifier.media_types(), [media_type]);
    let appraise = |quote: &[u8]| connection.appraise(&verifier, quote, at(NOW));
    assert!(appraise(&quote).is_ok());
    let unbound = platform.sgx_quote(&report, &[0; 64]).unwrap();
    let refused = appraise(&unbound);
    assert_eq!(refused.map(drop), Err(AppraisalError::NotBound));
}

proptest! {
    #[test]
    fn arbitrary_evidence_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let platform = ForgedPlatform::new(NOW).unwrap();
        let verifier = verifier(&platform, &platform.td_report(), CollateralFromPeer::new());
        let connection = Connection::new();
        let bound = connection.bound();
        // Behind a header that is right, too; and cut out of CBOR.
        let quote = platform.tdx_quote(&platform.td_report(), &[0; 64]).unwrap();
        let behind = [&quote[..48], &bytes].concat();
        let in_cbor = [&[0x82, 0x59, 0x01, 0x00], &bytes[..]].concat();
        for bytes in [bytes, behind, in_cbor] {
            for media_type in verifier.media_types() {
                let evidence = Evidence::new(media_type, &bytes, bound);
                prop_assert!(ready(verifier.appraise(&evidence, at(NOW))).is_err());
            }
        }
    }
}
