//! The collection and its items.

use atls_azure::AzureEvidence;
use atls_core::AppraisalError;
use atls_core::MediaType;
use atls_core::Refusal;
use atls_core::cmw::Cmw;
use atls_core::cmw::Indicator;
use atls_core::cmw::Label;
use atls_core::cmw::Type;
use atls_formats::azure::AZURE_RUNTIME_DATA;
use end_to_end::azure::ForgedAzure;
use test_support::Connection;
use test_support::at;

use crate::setting::NOW;
use crate::setting::accept;
use crate::setting::appraise;
use crate::setting::evidence;
use crate::setting::outcome;
use crate::setting::vms;

#[test]
fn each_item_is_there_once_and_nothing_else_is() {
    let vm = ForgedAzure::snp();
    let connection = Connection::new();
    let whole = members(&evidence(&vm, &connection));
    assert_eq!(outcome(&vm, &connection, whole.clone()), Ok(()));
    let malformed = Err(AppraisalError::Malformed);
    for missing in 0..3 {
        let mut fewer = whole.clone();
        fewer.remove(missing);
        assert_eq!(outcome(&vm, &connection, fewer), malformed, "{missing}");
    }
    for twice in 0..3 {
        for label in [Label::from("again"), Label::Integer(1), "cpu/again".into()] {
            let mut more = whole.clone();
            more.push((label, whole[twice].1.clone()));
            assert_eq!(outcome(&vm, &connection, more), malformed, "{twice}");
        }
    }
    for (one, other) in [(0, 1), (1, 2), (0, 2)] {
        let mut swapped = whole.clone();
        let label = swapped[one].0.clone();
        swapped[one].0 = swapped[other].0.clone();
        swapped[other].0 = label;
        assert_eq!(outcome(&vm, &connection, swapped), malformed);
    }
    // One level deeper.
    let mut nested = whole.clone();
    let inner = Cmw::collection(None, vec![("cpu".into(), nested[0].1.clone())]).unwrap();
    nested[0].1 = inner;
    assert_eq!(outcome(&vm, &connection, nested), malformed);
    // Of another kind of message.
    for place in 0..3 {
        let mut mislabelled = whole.clone();
        let item = &mislabelled[place].1.items()[0];
        let (kind, value) = (item.kind().clone(), item.value().to_vec());
        for indicator in [Indicator::ATTESTATION_RESULTS, Indicator::ENDORSEMENTS] {
            mislabelled[place].1 = Cmw::record(kind.clone(), value.clone(), Some(indicator));
            assert_eq!(outcome(&vm, &connection, mislabelled.clone()), malformed);
        }
    }
}

#[test]
fn endorsements_may_stand_beside_the_items() {
    let vm = ForgedAzure::tdx(NOW);
    let connection = Connection::new();
    let mut evidence = evidence(&vm, &connection);
    let kind = Type::Media(media("application/pkix-crl"));
    let endorsement = Cmw::record(kind, vec![1], Some(Indicator::ENDORSEMENTS));
    evidence.endorsements = vec![endorsement.clone(), endorsement];
    let evidence = evidence.into_cmw().unwrap();
    assert_eq!(appraise(&connection, &vm.verifier(), &evidence), Ok(()));
}

#[test]
fn every_truncation_is_refused() {
    for vm in vms() {
        let connection = Connection::new();
        let verifier = vm.verifier();
        let whole = evidence(&vm, &connection).into_cmw().unwrap();
        let whole = whole.encode().unwrap();
        assert!(connection.appraise(&verifier, &whole, at(NOW)).is_ok());
        for length in 0..whole.len() {
            let cut = connection.appraise(&verifier, &whole[..length], at(NOW));
            assert_eq!(cut.map(drop), Err(AppraisalError::Malformed), "{length}");
        }
    }
}

/// The items of the chain are worth nothing outside of their collection.
#[test]
fn items_without_their_collection_are_refused() {
    let vm = ForgedAzure::snp();
    let connection = Connection::new();
    for kind in [None, Some("tag:example.com,2026:other".to_owned())] {
        let loose = Cmw::collection(kind, members(&evidence(&vm, &connection))).unwrap();
        let refused = accept(connection.again(), &loose, vm.verifier());
        assert_eq!(refused.map(drop), Err(Refusal::NoVerifier));
        // Under the same bytes, whatever their label says.
        let outcome = connection.appraise(&vm.verifier(), &loose.encode().unwrap(), at(NOW));
        assert_eq!(outcome.map(drop), Err(AppraisalError::Malformed));
    }
}

pub(crate) fn members(evidence: &AzureEvidence) -> Vec<(Label, Cmw)> {
    let data = Cmw::evidence(media(AZURE_RUNTIME_DATA), evidence.runtime_data.clone());
    vec![
        ("cpu".into(), evidence.cpu.clone()),
        ("runtime-data".into(), data),
        ("tpm".into(), evidence.quote.clone()),
    ]
}

pub(crate) fn media(text: &str) -> MediaType {
    text.parse().unwrap()
}
