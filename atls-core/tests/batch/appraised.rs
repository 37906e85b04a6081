//! The appraisal of a batch.

use std::sync::atomic::Ordering;

use atls_core::AppraisalError;
use atls_core::Refusal;
use atls_core::combine::Cached;
use atls_core::session::Side;
use test_support::ready;

use crate::connections::BATCH;
use crate::connections::Connection;
use crate::connections::Party;
use crate::connections::Plain;
use crate::connections::SHA256;
use crate::connections::attest;
use crate::connections::now;
use crate::connections::party;

#[test]
fn a_batch_costs_one_appraisal_and_a_stranger_another() {
    let connections: Vec<_> = (0..50).map(|_| Connection::new()).collect();
    let (verifier, asked) = Plain::counted();
    let party = party(Cached::new(verifier));
    let answers = attest(connections);
    let evidence = answers[0].1.clone().unwrap().encode().unwrap();
    for (connection, answer) in answers {
        let credential = connection.finish(&answer.unwrap());
        assert!(ready(party.appraise(credential, now())).is_ok());
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    // The same Evidence and a proof of the batch, on a connection that is not in it.
    let credential = Connection::new().presented(&evidence, BATCH).unwrap();
    let refused = ready(party.appraise(credential, now())).map(drop);
    assert_eq!(refused, Err(Refusal::Appraisal(AppraisalError::NotBound)));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn a_leaf_key_that_the_evidence_names_is_compared_for_each_connection() {
    // The batch mixes two keys, and the Evidence names that of the first.
    let (first, second) = (Party::new(), Party::new());
    let connections = vec![
        Connection::of(Side::Server, SHA256, &first),
        Connection::of(Side::Server, SHA256, &second),
    ];
    let named = connections[0].to_attest().as_request().leaf_key().to_vec();
    let party = party(Cached::new(Plain::naming(named)));
    let decisions: Vec<_> = attest(connections)
        .into_iter()
        .map(|(connection, answer)| {
            let credential = connection.finish(&answer.unwrap());
            ready(party.appraise(credential, now())).map(drop)
        })
        .collect();
    assert_eq!(decisions, [Ok(()), Err(Refusal::KeyMismatch)]);
}
