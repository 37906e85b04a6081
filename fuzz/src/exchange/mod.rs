//! One live end of the exchange, in memory, and a hostile peer that the input drives.
//!
//! The peer has a genuine TLS connection, may ask the genuine device, and does with frames whatever its [`Script`] says. Time stands
//! still unless both ends wait, so every deadline passes at once.
//!
//! | must hold | whatever the peer does |
//! |---|---|
//! | the live end ends | within its deadlines |
//! | it accepts a peer | only after an authenticator of this very connection with Evidence of the device, and not a bit of it altered |
//! | it shows its own Evidence | where it shows it second, only after the same |
//! | what it reads afterwards | is what the peer sent last |
//! | it accepts an honest peer | always: otherwise this harness would prove nothing |

mod answers;
mod batches;
mod link;
mod peer;
mod script;
mod setting;

use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;

use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use atls_tower::Error;
use atls_tower::ServerAcceptor;
use tokio::io::AsyncReadExt;
use tokio::io::DuplexStream;

use peer::Peer;
use peer::Played;
use script::Script;
use setting::Setting;
use setting::Terms;

/// The end of a live server, with a hostile client.
pub fn acceptor(input: &[u8]) {
    let script = Script::new(input);
    let setting = Setting::get();
    let (acceptor, terms) = setting.server(script.terms());
    if !script.is_honest() {
        let (accepted, played) = against_server(script, foreign_frames());
        return judge(accepted, played, terms);
    }
    let connector = setting.client_of_server(script.terms());
    match script.place() {
        None => honest(acceptor, connector),
        Some(place) => {
            let steps = [&CLIENT_ATTESTS[..], &in_batch(place)].concat();
            let (accepted, _) = against_server(Script::new(&steps), &[]);
            assert!(accepted.is_ok_and(|accepted| accepted.peer), "in a batch");
        }
    }
}

/// The end of a live client, with a hostile server.
pub fn connector(input: &[u8]) {
    let script = Script::new(input);
    let setting = Setting::get();
    let (connector, terms) = setting.client(script.terms());
    if !script.is_honest() {
        let (accepted, played) = against_client(script, foreign_frames());
        return judge(accepted, played, terms);
    }
    let acceptor = setting.server_of_client(script.terms());
    match script.place() {
        None => honest(acceptor, connector),
        Some(place) => {
            let steps = [&SERVER_ATTESTS[..], &in_batch(place), &[READ]].concat();
            let (accepted, _) = against_client(Script::new(&steps), &[]);
            assert!(accepted.is_ok_and(|accepted| accepted.peer), "in a batch");
        }
    }
}

/// Bytes of a peer that does not even speak TLS, or not to its end: to a server of all modes.
pub fn socket(input: &[u8]) {
    let Some((piece, bytes)) = input.split_first() else {
        return;
    };
    let piece = usize::from(*piece).saturating_add(1);
    let setting = Setting::get();
    in_runtime(async {
        let (near, far) = tokio::io::duplex(PIPE);
        let accepting = async { setting.server_of_all_modes().accept(near).await };
        let playing = async { link::write_pieces(far, bytes, piece).await };
        let (accepted, _) = both(accepting, playing).await;
        assert!(accepted.is_err(), "no handshake was finished");
    });
}

type Ended = (Result<Accepted, Error>, Option<Played>);

fn against_server(script: Script<'_>, foreign: &[Vec<u8>]) -> Ended {
    let setting = Setting::get();
    let (acceptor, terms) = setting.server(script.terms());
    in_runtime(async {
        let (near, far) = tokio::io::duplex(PIPE);
        let accepting = async { read_on(acceptor.accept(near).await).await };
        let playing = async {
            let peer = Peer::client(setting, far, terms).await?;
            Some(peer.knowing(foreign).play(script).await)
        };
        both(accepting, playing).await
    })
}

fn against_client(script: Script<'_>, foreign: &[Vec<u8>]) -> Ended {
    let setting = Setting::get();
    let (connector, terms) = setting.client(script.terms());
    in_runtime(async {
        let (near, far) = tokio::io::duplex(PIPE);
        let connecting = async { read_on(connector.connect(setting.name(), near).await).await };
        let playing = async {
            let peer = Peer::server(setting, far, terms).await?;
            Some(peer.knowing(foreign).play(script).await)
        };
        both(connecting, playing).await
    })
}

/// What the live end made of the connection: the peer's attestation was accepted or not, and what was read afterwards.
struct Accepted {
    peer: bool,
    read: Vec<u8>,
}

async fn read_on(outcome: Result<AttestedStream<DuplexStream>, Error>) -> Result<Accepted, Error> {
    let mut stream = outcome?;
    let mut read = Vec::new();
    // However the connection ends, what came before was sent. Nothing bounds the wait of an application that reads.
    let mut limited = (&mut stream).take(1 << 20);
    let _ = tokio::time::timeout(PATIENCE, limited.read_to_end(&mut read)).await;
    Ok(Accepted {
        peer: stream.peer().is_some(),
        read,
    })
}

fn judge(accepted: Result<Accepted, Error>, played: Option<Played>, terms: Terms) {
    let Ok(accepted) = accepted else {
        return;
    };
    let played = played.expect("a handshake was finished");
    assert!(
        !accepted.peer || played.genuine,
        "accepted what no device attested for this connection"
    );
    assert!(
        accepted.peer || !terms.demands_peer,
        "accepted without attestation"
    );
    assert!(
        !played.wrote_all || played.sent.ends_with(&accepted.read),
        "read what was not sent"
    );
}

/// Two live ends.
fn honest(acceptor: &ServerAcceptor, connector: &ClientConnector) {
    in_runtime(async {
        let (near, far) = tokio::io::duplex(PIPE);
        let connecting = connector.connect(Setting::get().name(), far);
        let (accepted, connected) = both(acceptor.accept(near), connecting).await;
        accepted.expect("a server that takes an honest client");
        connected.expect("a client that takes an honest server");
    });
}

/// Frames of another connection, as its client sent and received them. Its server and client attested.
fn foreign_frames() -> &'static [Vec<u8>] {
    static FRAMES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FRAMES.get_or_init(|| {
        let steps = [&CLIENT_ATTESTS[..], &ALONE].concat();
        let (accepted, played) = against_server(Script::new(&steps), &[]);
        assert!(accepted.expect("a server that takes an honest script").peer);
        let played = played.expect("a connection");
        let mut frames = played.received;
        frames.extend(played.frames);
        frames
    })
}

/// Both at once, as long as the longer one takes; neither may take for ever.
async fn both<A, B>(live: impl Future<Output = A>, peer: impl Future<Output = B>) -> (A, B) {
    let (live, peer) = (pin!(live), pin!(peer));
    let both = async { tokio::join!(live, peer) };
    let ended = tokio::time::timeout(FOR_EVER, both).await;
    ended.expect("both ends end")
}

/// Time passes only where everything waits.
fn in_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(work)
}

/// The step of an honest peer that attests, with Evidence of a batch of this place.
fn in_batch(place: u8) -> [u8; 5] {
    [2, 8, place, 0, 0]
}

/// The same with Evidence of this connection alone.
const ALONE: [u8; 4] = [2, 0, 0, 0];

/// An honest client of the first server, up to that step: it asks, reads the request and the server's answer, and accepts it.
const CLIENT_ATTESTS: [u8; 12] = [0, 1, 0, 0, READ, READ, 3, 0, 0, 0, 0, 60];

/// An honest server of the first client: it reads the request.
const SERVER_ATTESTS: [u8; 2] = [0, READ];

const READ: u8 = 0;

/// Bytes that one end may send ahead of the other.
const PIPE: usize = 64 * 1024;

/// Beyond all waits that a script can hold, which are 32 hours.
const PATIENCE: Duration = Duration::from_secs(48 * 60 * 60);

/// Beyond all deadlines too.
const FOR_EVER: Duration = Duration::from_secs(100 * 24 * 60 * 60);
