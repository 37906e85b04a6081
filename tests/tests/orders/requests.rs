//! The requests of these tests.

use atls_reqwest::Attested;
use atls_tower::ServerTerms;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::reqwest_client;

pub(crate) fn both(world: &World) -> ServerTerms {
    ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(world.about_clients())
}

pub(crate) async fn get(
    attested: &Attested,
    server: &Served,
    path: &str,
) -> Result<String, reqwest::Error> {
    let response = reqwest_client(attested)
        .get(server.url(path))
        .send()
        .await?;
    response.text().await
}
