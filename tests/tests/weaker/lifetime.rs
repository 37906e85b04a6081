//! Certificates end, and are renewed.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use atls_core::Attester;
use atls_core::Binding;
use atls_core::Fault;
use atls_core::Refusal;
use atls_core::limits::CLOCK_LOOK;
use atls_reqwest::Http;
use atls_reqwest::ResponseExt;
use atls_tower::weaker::CertificateProfile;
use atls_tower::weaker::InCertificate;
use atls_tower::weaker::Mode;
use end_to_end::World;
use end_to_end::reqwest_client;
use end_to_end::weak;
use rustls::client::ResolvesClientCert;
use rustls::time_provider::TimeProvider;

use crate::support::LIFETIME;
use crate::support::attesting_plainly;
use crate::support::expecting;
use crate::support::in_certificate;
use crate::support::present;
use crate::support::serve;
use crate::support::server_tls;
use crate::support::terms;
use crate::support::tls;

#[tokio::test]
async fn a_result_ends_with_the_certificate_that_carried_it() {
    let world = World::new();
    let server = serve(&world, Mode::InCertificate).await;
    let party = weak(&world.server_device, Binding::Key);
    let attested = expecting(&world, Mode::InCertificate, party, Http::Two);
    let response = reqwest_client(&attested).get(server.url("/")).send().await;
    let peer = response.unwrap().attestation(&attested).unwrap();
    let now = world.clock.current_time().unwrap();
    assert_eq!(peer.valid_for(now), LIFETIME);
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let world = World::new();
    let identity = in_certificate(&world, world.server_device.clone()).await;
    let key = ResolvesClientCert::resolve(&*identity, &[], &[]).unwrap();
    world.clock.advance(LIFETIME);
    let error = present(&world, Mode::InCertificate, key).await;
    assert_eq!(error.refusal(), Some(&Refusal::Expired(Fault::Peer)));
}

#[tokio::test]
async fn a_server_whose_certificate_ended_serves_nobody() {
    let world = World::new();
    let device = Arc::new(FailingDevice::into(world.server_device.clone()));
    let identity = in_certificate(&world, device.clone()).await;
    device.now(State::Fails);
    let terms = terms(&world, Mode::InCertificate);
    let server = world.serve_with(terms, server_tls(&world, identity)).await;
    world.clock.advance(LIFETIME);
    let party = weak(&world.server_device, Binding::Key);
    let attested = expecting(&world, Mode::InCertificate, party, Http::Two);
    let refused = reqwest_client(&attested).get(server.url("/")).send().await;
    assert!(refused.unwrap_err().is_connect());
    assert!(
        attesting_plainly(&world, None)
            .get(server.url("/"))
            .send()
            .await
            .is_err()
    );
    assert_eq!(server.hits(), 0);
}

/// A device that can be made to fail.
pub(crate) struct FailingDevice {
    device: Arc<dyn Attester>,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum State {
    Works,
    Fails,
    Hangs,
    Panics,
}

impl FailingDevice {
    pub(crate) fn into(device: Arc<dyn Attester>) -> Self {
        Self {
            device,
            state: Mutex::new(State::Works),
        }
    }

    pub(crate) fn now(&self, state: State) {
        *self.state.lock().unwrap() = state;
    }
}

impl Attester for FailingDevice {
    fn media_types(&self) -> &[atls_core::MediaType] {
        self.device.media_types()
    }

    fn attest<'a>(
        &'a self,
        request: atls_core::AttestRequest<'a>,
    ) -> atls_core::BoxFuture<'a, Result<atls_core::cmw::Cmw, atls_core::AttestError>> {
        match *self.state.lock().unwrap() {
            State::Works => self.device.attest(request),
            State::Fails => Box::pin(async { Err(atls_core::AttestError::Busy) }),
            State::Hangs => Box::pin(std::future::pending()),
            State::Panics => Box::pin(async { panic!("a panic on purpose, inside of a device") }),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_renewed_half_way_and_keeps_serving_while_the_device_fails() {
    for failing in [State::Fails, State::Hangs, State::Panics] {
        renewed_around(failing).await;
    }
}

async fn renewed_around(failing: State) {
    let world = World::new();
    let device = Arc::new(FailingDevice::into(world.server_device.clone()));
    let identity = in_certificate(&world, device.clone()).await;
    let current = || ResolvesClientCert::resolve(&*identity, &[], &[]);
    let pass = async |time: Duration| {
        world.clock.advance(time);
        // The task's timer is behind this one by what it takes to be scheduled.
        tokio::time::sleep(time + Duration::from_millis(1)).await;
    };
    let first = current().unwrap();
    pass(LIFETIME / 2 - Duration::from_secs(10)).await;
    assert!(Arc::ptr_eq(&first, &current().unwrap()));
    pass(Duration::from_secs(10)).await;
    let second = current().unwrap();
    assert_ne!(first.cert, second.cert);
    assert_ne!(
        first.key.public_key().unwrap().as_ref(),
        second.key.public_key().unwrap().as_ref()
    );
    // The device fails: the old one serves to its end,
    device.now(failing);
    pass(LIFETIME - Duration::from_secs(10)).await;
    assert!(Arc::ptr_eq(&second, &current().unwrap()));
    pass(Duration::from_secs(10)).await;
    // then none,
    assert!(current().is_none(), "{failing:?}");
    // until the device works again: the attempt under way ends within an eighth, and the next is as far off.
    device.now(State::Works);
    pass(LIFETIME / 8).await;
    pass(LIFETIME / 8).await;
    assert!(current().is_some(), "{failing:?}");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_renewed_where_the_clock_jumps() {
    let jumps: [fn(&World); 2] = [
        |world| world.clock.advance(LIFETIME),
        |world| world.clock.set_back(LIFETIME),
    ];
    for jump in jumps {
        let world = World::new();
        let identity = in_certificate(&world, world.server_device.clone()).await;
        let current = || ResolvesClientCert::resolve(&*identity, &[], &[]);
        let first = current().unwrap();
        // The task waits already.
        tokio::time::sleep(Duration::from_millis(1)).await;
        jump(&world);
        tokio::time::sleep(CLOCK_LOOK + Duration::from_millis(1)).await;
        let second = current().unwrap();
        assert_ne!(first.cert, second.cert);
        // Once is enough.
        tokio::time::sleep(CLOCK_LOOK + Duration::from_millis(1)).await;
        assert!(Arc::ptr_eq(&second, &current().unwrap()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_nobody_has_lets_go_of_its_device() {
    let world = World::new();
    let identity = in_certificate(&world, world.server_device.clone()).await;
    let held = Arc::strong_count(&world.server_device);
    // The task waits already.
    tokio::time::sleep(Duration::from_millis(1)).await;
    drop(identity);
    tokio::time::sleep(CLOCK_LOOK + Duration::from_millis(1)).await;
    assert!(Arc::strong_count(&world.server_device) < held);
}

#[tokio::test]
async fn a_lifetime_too_short_to_be_renewed_is_refused() {
    let world = World::new();
    let short = CertificateProfile::new(InCertificate::SHORTEST - Duration::from_secs(1));
    let refused = InCertificate::new(world.server_device.clone(), tls(&world), short).await;
    assert!(refused.unwrap_err().is_local());
}
