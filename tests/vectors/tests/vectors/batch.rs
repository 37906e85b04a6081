//! Evidence of a batch.

use atls_core::cmw::Cmw;
use atls_core::exchange::Challenge;
use atls_core::exchange::batch;
use atls_core::exchange::batch::Batches;
use atls_core::exchange::batch::InclusionProof;
use vectors::Hex;
use vectors::batch::Page;

use crate::authenticators::refuse_all;
use crate::ends;
use crate::load;
use crate::reason;

#[test]
fn every_connection_of_a_batch_folds_to_its_root() {
    let page: Page = load("batch.json");
    for provider in ends::providers() {
        for connection_batch in &page.batches {
            for case in &connection_batch.connections {
                let (secret, sender) = (&case.exporter_secret, case.sender);
                let asker = ends::asker(&provider, &case.suite, secret, sender, Some(&case.key));
                let pending = ends::asked(&provider, &asker, &case.request);
                let credential = pending.finish(&case.authenticator).unwrap();
                assert_eq!(
                    Hex::from(credential.bound().as_bytes()),
                    connection_batch.root
                );
                assert_eq!(
                    Hex(credential.cmw().encode().unwrap()),
                    connection_batch.evidence
                );
                assert_eq!(credential.selection().unwrap().batches, Batches::Yes);
                let held = reason::of_evidence(credential.cmw(), credential.bound());
                assert_eq!(held, "accepted", "{}", connection_batch.name);
            }
        }
    }
}

#[test]
fn the_project_makes_every_batch_byte_by_byte() {
    let page: Page = load("batch.json");
    for provider in ends::providers() {
        for connections in &page.batches {
            let challenges = connections.connections.iter().map(|case| {
                let (secret, sender) = (&case.exporter_secret, case.sender);
                let end = ends::answerer(&provider, &case.suite, secret, sender, &case.key);
                let challenge = Challenge::receive(&end, &case.request).unwrap();
                let to_attest = challenge.to_attest().unwrap();
                assert_eq!(Hex::from(to_attest.bound().as_bytes()), case.binder);
                (to_attest.to_owned(), (challenge, case))
            });
            let batch = batch::Batch::new(challenges.collect()).unwrap();
            assert_eq!(
                Hex::from(batch.request().bound().as_bytes()),
                connections.root
            );
            let evidence = Cmw::decode(&connections.evidence).unwrap();
            for ((challenge, case), cmw) in batch.answer(Ok(evidence)) {
                let cmw = cmw.unwrap();
                assert_eq!(Hex(cmw.encode().unwrap()), case.cmw);
                assert_eq!(Hex(challenge.answer(&cmw).unwrap()), case.authenticator);
            }
        }
    }
}

#[test]
fn every_proof_is_read_and_written() {
    let page: Page = load("batch.json");
    for case in page.batches.iter().flat_map(|batch| &batch.connections) {
        let proof = InclusionProof::decode(&case.proof).unwrap();
        assert_eq!(u64::from(proof.index()), case.index);
        assert_eq!(u64::from(proof.size()), case.size);
        assert_eq!(Hex(proof.encode()), case.proof);
    }
}

#[test]
fn every_other_proof_is_refused_for_its_reason() {
    let page: Page = load("batch.json");
    for case in &page.refused_proofs {
        let refused = InclusionProof::decode(&case.proof).unwrap_err();
        assert_eq!(reason::of_proof(&refused), case.reason, "{}", case.name);
    }
}

#[test]
fn every_other_answer_of_a_batch_is_refused_for_its_reason() {
    let page: Page = load("batch.json");
    refuse_all(&page.refused);
}
