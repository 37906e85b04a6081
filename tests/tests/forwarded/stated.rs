//! What a statement says, compared with what the service in front knows.

use atls_core::Fault;
use atls_core::Origin;
use atls_core::ear::Ear;
use atls_core::ear::Tier;
use atls_sim::SimAttester;
use atls_tower::forward::ForwardError;
use atls_tower::forward::HEADER;
use atls_tower::forward::ReceiveError;
use atls_tower::forward::ResultReceiver;
use atls_tower::forward::Shortfall;
use atls_tower::forward::VERIFIER_HEADER;
use serde_json::Value;

use crate::hop::Hop;
use crate::hop::claims;
use crate::saying::Saying;

#[tokio::test]
async fn a_device_is_stated_as_one_and_needs_no_danger_to_be_accepted() {
    for (origin, is_of_devices) in [(Origin::Device, true), (Origin::Simulated, false)] {
        let hop = Hop::appraising(|verifier| Saying {
            verifier,
            origin,
            says: Ear::clone,
        });
        let sent = hop.headers(hop.forwarder()).await;
        let result = hop.receiver().receive(&sent).unwrap();
        assert_eq!(result.is_of_devices(), is_of_devices);
        let strict = ResultReceiver::new(hop.keys(), &demo::provider(), "gateway", "orders");
        let strict = strict.with_clock(hop.world.clock.clone());
        assert_eq!(strict.receive(&sent).is_ok(), is_of_devices);
    }
}

#[tokio::test]
async fn the_software_is_named_to_the_service_behind() {
    let hop = Hop::new();
    let sent = hop.headers(hop.forwarder()).await;
    let result = hop.receiver().receive(&sent).unwrap();
    let images: Vec<_> = result.images().collect();
    assert_eq!(images, ["SimAttester::SOFTWARE"]);
    let unnamed =
        Hop::appraising(|verifier| verifier.with_reference_values(vec![SimAttester::SOFTWARE]));
    let sent = unnamed.headers(unnamed.forwarder()).await;
    let result = unnamed.receiver().receive(&sent).unwrap();
    assert_eq!(result.images().count(), 0);
}

#[tokio::test]
async fn the_parts_of_each_of_several_devices_are_stated() {
    let hop = Hop::of_two_devices(b"a.b.c");
    let sent = hop.headers(hop.forwarder()).await;
    let result = hop.receiver().receive(&sent).unwrap();
    let parts: Vec<_> = result.ear().submods().map(|(name, _)| name).collect();
    assert_eq!(parts, ["0/sim", "1/sim"]);
}

/// A verifier may know of the whole what it says of no part.
#[tokio::test]
async fn a_result_that_is_worse_than_its_parts_is_not_stated_as_a_better_one() {
    let worse = worse_than_its_parts().await;
    assert_eq!(worse.submod("sim").unwrap().status(), Tier::Affirming);
    let hop = Hop::appraising(|verifier| Saying {
        verifier,
        origin: Origin::Simulated,
        says: move |_: &Ear| worse.clone(),
    });
    let sent = hop.headers(hop.forwarder()).await;
    let refused = hop.receiver().receive(&sent).map(|_| ());
    let short = Shortfall::Status {
        seen: Tier::Warning,
        worst: Tier::Affirming,
    };
    assert_eq!(refused, Err(ReceiveError::Insufficient(short)));
    let result = hop.receiver().accept_warning().receive(&sent).unwrap();
    let part = result.ear().submod("sim").unwrap();
    assert_eq!(part.status(), Tier::Warning);
}

#[tokio::test]
async fn no_header_of_a_statement_is_printed() {
    let hop = Hop::with_token(b"a.b.c");
    let sent = hop.headers(hop.forwarder().with_verifier_tokens()).await;
    for name in [HEADER, VERIFIER_HEADER] {
        assert!(sent[&name].is_sensitive(), "{name}");
    }
}

#[test]
fn an_attestation_that_ended_is_the_fault_of_the_peer_and_nothing_else_is() {
    assert_eq!(ForwardError::Expired.fault(), Fault::Peer);
    for error in [
        ForwardError::NoTime,
        ForwardError::Random,
        ForwardError::TooLarge,
    ] {
        assert_eq!(error.fault(), Fault::Local);
    }
}

/// A result whose one part is affirming, and which is a warning as a whole: as the token of a service says it.
async fn worse_than_its_parts() -> Ear {
    let hop = Hop::new();
    let sent = hop.headers(hop.forwarder()).await;
    let mut claims: Value = serde_json::from_str(&claims(&sent[&HEADER])).unwrap();
    let whole = claims.get_mut("ear_status").unwrap();
    *whole = "warning".into();
    let worse = hop.claiming(&sent[&HEADER], &claims.to_string());
    let result = hop.receiver().accept_warning().receive(&worse).unwrap();
    result.ear().clone()
}
