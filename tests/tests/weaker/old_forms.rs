//! The old forms of RA-TLS: forged TDX and SGX machines quote the digest of a key, the platforms' own verifiers appraise it.

use std::sync::Arc;

use atls_core::Binding;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::StandardPolicy;
use atls_core::exchange::certificate::TAGGED_EVIDENCE;
use atls_core::exchange::certificate::claims_for_key;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use end_to_end::DcapDevice;
use end_to_end::ForgedKey;
use end_to_end::World;
use end_to_end::weak;
use ring::digest;

use crate::support::FixedCertificate;
use crate::support::accept_one;
use crate::support::asking_tls;
use crate::support::attesting_plainly;
use crate::support::not_bound;
use crate::support::present_to;
use crate::tagged::TEES;

const SGX_SDK: &[u64] = &[1, 2, 840, 113_741, 1, 13, 1];
const RATS_TLS: &[u64] = &[1, 2, 840, 113_741, 1337, 6];
/// With tag and length of the OID in it.
const GRAMINE_AS_SENT: &[u64] = &[0, 6, 9, 42, 840, 113_741, 1337, 6];
const OLD_FORMS: [&[u64]; 3] = [SGX_SDK, RATS_TLS, GRAMINE_AS_SENT];

/// The value that an honest machine quotes for this key.
fn report_data(key: &ForgedKey) -> [u8; 64] {
    let mut report_data = [0; 64];
    let (first, _) = report_data.split_at_mut(32);
    first.copy_from_slice(digest::digest(&digest::SHA256, &key.spki()).as_ref());
    report_data
}

/// How a peer that trusts this machine refuses the certificate: as a client, and as a server.
async fn refused_for(
    world: &World,
    device: &DcapDevice,
    certify: impl Fn() -> Arc<rustls::sign::CertifiedKey>,
    expected: &Refusal,
) {
    let party = device.weakly_trusted();
    let as_server = present_to(world, Mode::InCertificate, party.clone(), certify()).await;
    assert_eq!(as_server.refusal(), Some(expected), "{as_server:?}");
    let terms = ServerTerms::new()
        .clients_attest(Mode::InCertificate)
        .require_peer(party);
    let as_client = accept_one(world, terms, Some(Arc::new(FixedCertificate(certify()))))
        .await
        .unwrap_err();
    assert_eq!(as_client.refusal(), Some(expected), "{as_client:?}");
}

#[tokio::test]
async fn each_is_accepted_from_a_machine_that_quotes_its_key() {
    let world = World::new();
    for tee in TEES {
        let device = DcapDevice::new(&world, tee);
        let key = ForgedKey::new();
        for oid in OLD_FORMS {
            let certified = key.certify_with([(oid, device.quote(&report_data(&key)))]);
            let terms = ServerTerms::new()
                .clients_attest(Mode::InCertificate)
                .require_peer(device.weakly_trusted());
            let server = world.serve_with(terms, asking_tls(&world)).await;
            let client = attesting_plainly(&world, Some(Arc::new(FixedCertificate(certified))));
            let response = client.get(server.url("/binding")).send().await.unwrap();
            let binding = response.text().await.unwrap();
            assert_eq!(binding, Binding::Key.to_string(), "{tee:?} {oid:?}");
        }
    }
}

#[tokio::test]
async fn a_quote_over_anything_but_the_digest_of_the_key_and_zeros_is_refused() {
    let world = World::new();
    let (key, other) = (ForgedKey::new(), ForgedKey::new());
    for tee in TEES {
        let device = DcapDevice::new(&world, tee);
        let mut wrong = vec![[0; 64], report_data(&other)];
        for flipped in [0, 31, 32, 63] {
            let mut report_data = report_data(&key);
            report_data[flipped] ^= 1;
            wrong.push(report_data);
        }
        // The claims that the interoperable form demands for this key.
        wrong.push(claims_for_key(&key.spki()).unwrap().1);
        for oid in OLD_FORMS {
            for report_data in &wrong {
                let quote = device.quote(report_data);
                let certify = || key.certify_with([(oid, quote.clone())]);
                refused_for(&world, &device, certify, &not_bound()).await;
            }
        }
    }
}

/// Beside the newer form an old one says nothing, good as it may be.
#[tokio::test]
async fn a_good_old_form_does_not_repair_the_newer_one() {
    let world = World::new();
    let key = ForgedKey::new();
    for tee in TEES {
        let device = DcapDevice::new(&world, tee);
        let (claims, _) = claims_for_key(&key.spki()).unwrap();
        let good = device.quote(&report_data(&key));
        let bad = device.tagged_beside(&[0; 64], &claims);
        for oid in OLD_FORMS {
            let certify =
                || key.certify_with([(oid, good.clone()), (TAGGED_EVIDENCE, bad.clone())]);
            refused_for(&world, &device, certify, &not_bound()).await;
        }
    }
}

#[tokio::test]
async fn they_need_consent_have_no_room_for_a_nonce_and_a_verifier_of_quotes() {
    let world = World::new();
    let key = ForgedKey::new();
    for tee in TEES {
        let device = DcapDevice::new(&world, tee);
        for oid in OLD_FORMS {
            let certified = key.certify_with([(oid, device.quote(&report_data(&key)))]);
            let present =
                async |mode, party| present_to(&world, mode, party, certified.clone()).await;
            let strict = device.trusted(StandardPolicy::new());
            let error = present(Mode::InCertificate, strict).await;
            let violation = PolicyViolation::Binding(Binding::Key);
            assert_eq!(error.refusal(), Some(&Refusal::Policy(violation)));
            let error = present(Mode::InHandshake, device.weakly_trusted()).await;
            assert!(error.is_peer_unattested());
            let others = weak(&world.server_device, Binding::Key);
            let error = present(Mode::InCertificate, others).await;
            assert_eq!(error.refusal(), Some(&Refusal::NoVerifier));
        }
    }
}
