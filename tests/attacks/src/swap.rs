//! Between the time of check and the time of use.

use std::net::SocketAddr;
use std::sync::Arc;

use atls_sim::SimVerifier;
use atls_tower::weaker::Mode;
use end_to_end::Gate;
use end_to_end::Gated;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::lenient;
use crate::lifetime::client;
use crate::lifetime::impostor;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn row(lab: &Lab) -> Row {
    let [pre, intra, post] = MODES;
    Row {
        id: "T5",
        title: "the server changes between check and use",
        text: "While the victim appraises the genuine server, which then passes, the attacker cuts that connection and leads \
               whatever comes next to somebody who has the server's certificate and does not attest. The request of a client \
               of reqwest dies with the connection that was decided on; sent again, it meets a decision of its own.",
        cells: [
            swapped(lab, pre).await,
            swapped(lab, intra).await,
            swapped(lab, post).await,
        ],
    }
}

async fn swapped(lab: &Lab, mode: Mode) -> Cell {
    let genuine = lab.genuine(mode).await;
    let impostor = impostor(lab, TcpListener::bind("127.0.0.1:0").await.unwrap());
    let gate = Gate::new();
    let verifier = Gated {
        inner: SimVerifier::new(lab.world.server_device.trust_anchor()),
        gate: gate.clone(),
    };
    let party = lenient().verifier(Arc::new(verifier)).build().unwrap();
    let client = client(lab, mode, Arc::new(party));
    let network = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = network.local_addr().unwrap().port();
    let send = || client.get(format!("https://localhost:{port}/")).send();

    let attack = async {
        let first = lead(&network, genuine.address);
        tokio::select! {
            () = first => panic!("the connection ended before it was decided on"),
            () = gate.reached_by(1) => {}
        }
        gate.open();
        loop {
            lead(&network, impostor.address).await;
        }
    };
    let victim = async {
        let first = send().await;
        assert!(first.is_err(), "nobody answered: {first:?}");
        send().await
    };
    let answered = tokio::select! {
        answered = Box::pin(victim) => answered,
        () = Box::pin(attack) => panic!("it never ends"),
    };
    assert_eq!(genuine.hits(), 0);
    if impostor.hits() > 0 {
        return Cell::Succeeds;
    }
    Cell::by(&end_to_end::exchange_error(&answered.unwrap_err()))
}

/// Takes one connection to this server. Dropped, it cuts it.
async fn lead(network: &TcpListener, server: SocketAddr) {
    let (mut near, _) = network.accept().await.unwrap();
    let mut far = TcpStream::connect(server).await.unwrap();
    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
}
