//! The requests of the verifier.

use atls_core::AppraisalError;
use atls_core::Fault;
use atls_core::Origin;
use atls_core::ear::Tier;
use serde_json::Value;
use test_support::Connection;
use test_support::at;

use crate::maa::ASK;
use crate::maa::Kind;
use crate::maa::Maa;
use crate::maa::NOW;
use crate::maa::VCEK;
use crate::maa::appraise;
use crate::maa::decode;
use crate::maa::snp_evidence;

#[tokio::test]
async fn a_token_about_this_connection_is_accepted() {
    for kind in [Kind::Snp, Kind::Tdx] {
        for connection in [Connection::new(), Connection::sha384()] {
            let maa = Maa::faithful().await;
            let appraised = maa.appraise(kind, &connection).await.unwrap();
            assert_eq!(appraised.ear().status(), Tier::Affirming, "{kind:?}");
            assert_eq!(appraised.origin(), Origin::Device);
            assert_eq!(appraised.ear().expires_at(), Some(at(NOW + 28_800)));
            let (uri, request) = maa.last_request();
            assert_eq!(uri.query(), Some("api-version=2025-06-01"));
            assert!(request.get("runtimeData").is_none());
            assert!(request.get("nonce").is_none());
        }
    }
}

#[tokio::test]
async fn the_report_and_its_chain_are_sent_as_the_service_wants_them() {
    let maa = Maa::faithful().await;
    let connection = Connection::new();
    maa.appraise(Kind::Snp, &connection).await.unwrap();
    let (uri, request) = maa.last_request();
    assert_eq!(uri.path(), "/attest/SevSnpVm");
    let inner = decode(&request["report"]);
    let inner: Value = serde_json::from_slice(&inner).unwrap();
    assert_eq!(decode(&inner["SnpReport"]).len(), 1184);
    let chain = String::from_utf8(decode(&inner["VcekCertChain"])).unwrap();
    let vcek = "-----BEGIN CERTIFICATE-----\nMHZjZWs=\n-----END CERTIFICATE-----\n";
    assert!(chain.starts_with(vcek), "{chain}");
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
    assert!(chain.lines().all(|line| line.len() <= 64));
}

#[tokio::test]
async fn evidence_of_another_connection_is_not_even_sent() {
    let maa = Maa::faithful().await;
    let verifier = maa.verifier();
    let (one, other) = (Connection::new(), Connection::new());
    for kind in [Kind::Snp, Kind::Tdx] {
        let refused = appraise(&verifier, kind, &one, &kind.evidence(&other)).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::NotBound);
        let refused = appraise(&verifier, kind, &one, b"nothing").await;
        assert_eq!(refused.unwrap_err(), AppraisalError::Malformed);
    }
    // A report on Azure's confidential VMs: 32 bytes of the paravisor's, and zeros.
    let mut paravisors = vec![9; 32];
    paravisors.resize(64, 0);
    let evidence = snp_evidence(&paravisors, &[("0vcek", VCEK)]);
    let refused = appraise(&verifier, Kind::Snp, &one, &evidence).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::NotBound);
    assert!(maa.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_report_without_its_vcek_is_not_sent() {
    let maa = Maa::faithful().await;
    let connection = Connection::new();
    let challenge = connection.bound().sha512().bytes().to_vec();
    for certificates in [&[][..], &[("0ask", ASK)]] {
        let evidence = snp_evidence(&challenge, certificates);
        let refused = appraise(&maa.verifier(), Kind::Snp, &connection, &evidence).await;
        let missing = AppraisalError::NoEndorsement {
            what: "VCEK",
            due_from: Fault::Peer,
        };
        assert_eq!(refused.unwrap_err(), missing);
    }
    assert!(maa.requests.lock().unwrap().is_empty());
}
