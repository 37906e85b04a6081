//! Scripts about TLS, beneath the exchange.

use std::io;
use std::sync::Arc;

use rustls::HandshakeKind;
use rustls::client::Resumption;
use rustls::server::ServerSessionMemoryCache;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::TlsConnector;

use super::common::broken;
use super::common::kept;
use super::common::went_on;
use crate::habit::Habit;
use crate::kit::Kit;
use crate::kit::Target;
use crate::party::Got;
use crate::reply::Reply;
use crate::reply::words;
use crate::tls;
use crate::tls::Tls;
use crate::wire::AUTHENTICATOR;
use crate::wire::REQUEST;

/// `None` where the habit is about something else.
pub(super) async fn play(kit: &Kit, target: &Target, habit: Habit) -> Option<io::Result<Reply>> {
    let is_server = matches!(target, Target::Server(_));
    Some(match habit {
        Habit::TakesTls12 if is_server => old_client(kit, target).await,
        Habit::TakesTls12 => old_server(kit, target).await,
        Habit::SendsTickets | Habit::Resumes | Habit::TakesEarlyData => {
            second_visit(kit, target, habit).await
        }
        Habit::EndsOnTicket => tickets(kit, target).await,
        Habit::OffersResumption | Habit::SendsEarlyData => offers(kit, target, habit).await,
        Habit::TakesUntrusted => {
            let key = kit.keys.untrusted();
            certificate(kit, target, key.map_err(|error| text(&*error))).await
        }
        Habit::TakesOtherName => {
            let key = kit.keys.named("elsewhere.example");
            certificate(kit, target, key.map_err(|error| text(&*error))).await
        }
        _ => return None,
    })
}

async fn old_client(kit: &Kit, target: &Target) -> io::Result<Reply> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = tls::client(provider, &rustls::version::TLS12).map_err(io::Error::other)?;
    let socket = kit.socket(target).await?;
    let connecting = TlsConnector::from(Arc::new(config)).connect(kit.server_name()?, socket);
    let Ok(Ok(mut stream)) = timeout(kit.limit, connecting).await else {
        return Ok(kept("it completed no handshake"));
    };
    let request = format!(
        "GET / HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
        kit.name
    );
    let speaking = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        stream.read_u8().await
    };
    Ok(match timeout(kit.limit, speaking).await {
        Ok(Ok(_)) => broken("it answered HTTP"),
        Ok(Err(_)) => kept("it closed the connection after the handshake"),
        Err(_) => broken("it kept the connection open"),
    })
}

async fn old_server(kit: &Kit, target: &Target) -> io::Result<Reply> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = kit.keys.server.clone();
    let config = tls::server(provider, &rustls::version::TLS12, key).map_err(io::Error::other)?;
    let socket = kit.socket(target).await?;
    let accepting = TlsAcceptor::from(Arc::new(config)).accept(socket);
    let Ok(Ok(mut stream)) = timeout(kit.limit, accepting).await else {
        return Ok(kept("it completed no handshake"));
    };
    // The request of the exchange may have left with the handshake.
    let mut sent = Vec::new();
    let mut limited = (&mut stream).take(4096);
    Ok(
        match timeout(kit.limit, limited.read_to_end(&mut sent)).await {
            Ok(_) if matches!(sent.first(), None | Some(&REQUEST)) => {
                kept("it closed the connection after the handshake")
            }
            Ok(_) => broken("it sent data"),
            Err(_) => broken("it kept the connection open"),
        },
    )
}

/// Two visits to a server by a client that keeps what it gets, and sends early data where it may.
async fn second_visit(kit: &Kit, target: &Target, habit: Habit) -> io::Result<Reply> {
    let mut config = Tls::default().client().map_err(io::Error::other)?;
    config.resumption = Resumption::in_memory_sessions(8);
    config.enable_early_data = true;
    let connector = TlsConnector::from(Arc::new(config)).early_data(true);
    let mut seen = kept("it gave no ticket");
    for visit in 0..2 {
        let socket = kit.socket(target).await?;
        let connecting = connector.connect(kit.server_name()?, socket);
        let mut stream = timeout(kit.limit, connecting).await??;
        let _ = stream
            .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .await;
        let _ = stream.flush().await;
        let mut answer = Vec::new();
        let _ = timeout(kit.limit, (&mut stream).take(4096).read_to_end(&mut answer)).await;
        let tls = stream.get_ref().1;
        let is_resumed = tls.handshake_kind() == Some(HandshakeKind::Resumed);
        match habit {
            Habit::SendsTickets if tls.tls13_tickets_received() > 0 => {
                return Ok(broken("it sent a ticket"));
            }
            Habit::Resumes if is_resumed => return Ok(broken("it resumed a session")),
            Habit::TakesEarlyData if tls.is_early_data_accepted() => {
                return Ok(broken("it took early data"));
            }
            Habit::Resumes if visit == 1 => seen = kept("its second handshake was a full one"),
            Habit::TakesEarlyData if visit == 1 => seen = kept("it took no early data"),
            _ => {}
        }
    }
    Ok(seen)
}

/// A good server that gives tickets behind its handshake.
async fn tickets(kit: &Kit, target: &Target) -> io::Result<Reply> {
    let tls = Tls {
        tickets: 2,
        ..Tls::default()
    };
    let mut party = kit.meet(target, &tls).await?;
    match party.next().await {
        Got::Request(bytes) => {
            let answer = party
                .receive(&bytes)
                .and_then(|request| party.answer(&request, None).ok());
            party
                .write(AUTHENTICATOR, &answer.unwrap_or_default())
                .await;
            Ok(went_on(&mut party).await)
        }
        other => Ok(broken(&words(&other))),
    }
}

/// Two visits of the client to a server that gives tickets and takes early data; its second ClientHello is looked at.
async fn offers(kit: &Kit, target: &Target, habit: Habit) -> io::Result<Reply> {
    let mut config = Tls::default()
        .server(kit.keys.server.clone())
        .map_err(io::Error::other)?;
    config.session_storage = ServerSessionMemoryCache::new(16);
    config.send_tls13_tickets = 2;
    config.max_early_data_size = 1000;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    for _ in 0..2 {
        let socket = kit.socket(target).await?;
        let hello = timeout(kit.limit, tls::first_record(&socket)).await??;
        match habit {
            Habit::OffersResumption if offers_extension(&hello, PRE_SHARED_KEY) => {
                return Ok(broken("its ClientHello offers a session"));
            }
            Habit::SendsEarlyData if offers_extension(&hello, EARLY_DATA) => {
                return Ok(broken("its ClientHello announces early data"));
            }
            _ => {}
        }
        let Ok(Ok(mut stream)) = timeout(kit.limit, acceptor.accept(socket)).await else {
            return Ok(Reply::Lost("no TLS handshake".to_owned()));
        };
        // A request of it is enough for the tickets to have arrived; no answer comes.
        let _ = timeout(kit.limit, stream.read_u8()).await;
        let _ = stream.shutdown().await;
    }
    Ok(kept("its ClientHello offers nothing of the kind"))
}

/// Whether the ClientHello in this record has the extension.
fn offers_extension(record: &[u8], wanted: u16) -> bool {
    let find = || {
        let mut reader = crate::wire::Reader::new(record.get(5..)?);
        reader.take(1)?;
        let mut hello = crate::wire::Reader::new(reader.vec24()?);
        hello.take(2 + 32)?;
        hello.vec8()?;
        hello.vec16()?;
        hello.vec8()?;
        let mut extensions = crate::wire::Reader::new(hello.vec16()?);
        while !extensions.rest().is_empty() {
            let code = extensions.u16()?;
            extensions.vec16()?;
            if code == wanted {
                return Some(());
            }
        }
        None
    };
    find().is_some()
}

/// A server with a certificate that PKIX refuses.
async fn certificate(
    kit: &Kit,
    target: &Target,
    key: io::Result<Arc<rustls::sign::CertifiedKey>>,
) -> io::Result<Reply> {
    let tls = Tls {
        key: Some(key?),
        ..Tls::default()
    };
    let Ok(mut party) = kit.meet(target, &tls).await else {
        return Ok(kept("it completed no handshake"));
    };
    Ok(match party.next().await {
        Got::Ended => kept("it closed the connection"),
        other => broken(&words(&other)),
    })
}

fn text(error: &dyn std::error::Error) -> io::Error {
    io::Error::other(error.to_string())
}

const PRE_SHARED_KEY: u16 = 41;
const EARLY_DATA: u16 = 42;
