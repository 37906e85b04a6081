//! Clients of these tests.

use atls_reqwest::Attested;
use atls_reqwest::Http;
use atls_reqwest::rustls;
use end_to_end::World;

pub(crate) fn configured(world: &World, http: Http) -> Attested {
    let builder = world.client().require_peer(world.about_servers());
    builder.http(http).build().unwrap()
}

pub(crate) fn http1(world: &World) -> rustls::ServerConfig {
    let mut tls = world.server_tls();
    tls.alpn_protocols = Vec::new();
    tls
}
