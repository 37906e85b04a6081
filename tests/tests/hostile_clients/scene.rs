//! A real server, and the attackers that connect to it.

use std::sync::Arc;
use std::time::Duration;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use adversary::VERDICT;
use atls_core::Attester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Parameters;
use atls_core::exchange::Pending;
use atls_tower::ServerTerms;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::reqwest_client;
use end_to_end::time::PATIENCE;
use end_to_end::time::wait_settled;
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;

/// A server that requires attestation, and what an attacker needs to talk to it.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) server: Served,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let world = World::new();
        let terms = ServerTerms::new()
            .attester(world.server_device.clone())
            .require_peer(world.about_clients())
            .first_byte(LIMIT)
            .deadline(LIMIT);
        let server = world.serve(terms).await;
        Self { world, server }
    }

    pub(crate) async fn connect(&self) -> Link {
        self.connect_as(None).await
    }

    pub(crate) async fn connect_as(&self, identity: Option<Arc<CertifiedKey>>) -> Link {
        let socket = TcpStream::connect(self.server.address).await.unwrap();
        let tls = Arc::new(self.world.client_tls(&["http/1.1"]));
        Link::connect(tls, socket, identity).await.unwrap()
    }

    /// A request as an honest client would send it that can attest.
    pub(crate) fn request(&self, link: &Link) -> (Vec<u8>, Pending) {
        let formats: Vec<MediaType> = self.world.about_servers().media_types();
        let parameters = Parameters::client(formats, true, CanAttest::AfterServer);
        atls_core::exchange::request(link, &demo::provider(), Some(&parameters)).unwrap()
    }

    /// Evidence of the client's device for this challenge.
    pub(crate) async fn evidence(&self, challenge: &Challenge) -> Cmw {
        let request = challenge.to_attest().unwrap();
        self.world.client_device.attest(request).await.unwrap()
    }

    /// Everything up to where the client's authenticator is due; gives the server's challenge.
    pub(crate) async fn until_challenged(&self, link: &mut Link) -> Challenge {
        let (request, pending) = self.request(link);
        link.write(REQUEST, &request).await.unwrap();
        let (kind, asked) = link.read().await.unwrap();
        assert_eq!(kind, REQUEST);
        let challenge = Challenge::receive(link, &asked).unwrap();
        let (kind, authenticator) = link.read().await.unwrap();
        assert_eq!(kind, AUTHENTICATOR);
        pending.finish(&authenticator).unwrap();
        link.write(VERDICT, &[0, 0, 0, 14, 16]).await.unwrap();
        challenge
    }

    /// The same of one that waits for more, once his time has passed.
    pub(crate) async fn outlasts(&self, link: Link) {
        wait_settled(LIMIT).await;
        self.holds(link).await;
    }

    /// The attacker was closed, no handler saw him, and an honest client is served.
    pub(crate) async fn holds(&self, mut link: Link) {
        let rest = tokio::time::timeout(PATIENCE, link.drain()).await;
        let rest = rest.expect("the server closes");
        // A plain client is told why it is refused; nothing else is ever answered.
        assert!(
            !rest.starts_with(b"HTTP") || rest.starts_with(b"HTTP/1.1 4"),
            "he got an answer"
        );
        self.goes_on().await;
    }

    pub(crate) async fn goes_on(&self) {
        let before = self.server.hits();
        assert_eq!(before, 0);
        let client = reqwest_client(&self.world.mutual());
        assert!(client.get(self.server.url("/")).send().await.is_ok());
        assert_eq!(self.server.hits(), 1);
    }
}

/// A good authenticator of the client, for this connection.
pub(crate) async fn good_authenticator(scene: &Scene, link: &mut Link) -> Vec<u8> {
    let challenge = scene.until_challenged(link).await;
    let request = challenge.to_attest().unwrap();
    let cmw = scene.world.client_device.attest(request).await.unwrap();
    challenge.answer(&cmw).unwrap()
}

/// What the server gives its clients: more than an honest one needs, however busy the machine is.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);
