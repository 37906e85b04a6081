//! The cases of a weaker mode against one peer.

use std::io;

use rustls::pki_types::CertificateDer;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Flaw;
use super::Mode;
use super::Weak;
use super::certificate;
use super::certificate::About;
use super::connection::Met;
use super::connection::Presenter;
use crate::breach::Breach;
use crate::kit::Kit;
use crate::kit::Target;
use crate::reply::Reply;
use crate::report::Finding;
use crate::report::Outcome;
use crate::report::Report;
use crate::tls;
use crate::twist::Duty;

/// Runs these cases, one after the other.
pub async fn run(kit: &Kit, target: &Target, mode: Mode, cases: &[Weak]) -> Report {
    let basis = visit(kit, target, &Presenter::new(kit, mode)).await;
    let mut findings = Vec::new();
    for case in cases {
        let limit = kit.limit.saturating_mul(8);
        let (outcome, seen) = match timeout(limit, one(kit, target, mode, &basis, *case)).await {
            Ok(found) => found,
            Err(_) => (Outcome::Fail, "the case took too long".to_owned()),
        };
        findings.push(Finding::new(Breach::Weak(*case), outcome, &seen));
    }
    Report {
        side: target.side(),
        findings,
    }
}

/// What was seen of the peer on one connection.
struct Visit {
    reply: Reply,
    peer: Option<(CertificateDer<'static>, About)>,
}

async fn one(
    kit: &Kit,
    target: &Target,
    mode: Mode,
    basis: &Visit,
    case: Weak,
) -> (Outcome, String) {
    match case {
        Weak::Sends(flaw) => sent(basis, flaw),
        Weak::Misjudges(flaw) => {
            if !matches!(basis.reply, Reply::Accepted(_)) {
                return (
                    Outcome::NotReached,
                    format!("with a good certificate: {:?}", basis.reply),
                );
            }
            let presenter = Presenter {
                flaw: Some(flaw),
                ..Presenter::new(kit, mode)
            };
            match (flaw.duty(), visit(kit, target, &presenter).await.reply) {
                (Duty::Accept, Reply::Accepted(seen)) | (Duty::Refuse, Reply::Ended(seen)) => {
                    (Outcome::Pass, seen)
                }
                (_, Reply::Accepted(seen) | Reply::Ended(seen)) => (Outcome::Fail, seen),
                (_, Reply::Open) => (Outcome::Fail, "it kept the connection open".to_owned()),
                (_, other) => (Outcome::NotReached, format!("{other:?}")),
            }
        }
        Weak::AnswersTwoNonces => nonces(kit, target, mode, basis, 2).await,
        Weak::AnswersNoNonce => nonces(kit, target, mode, basis, 0).await,
        Weak::TakesCutHello => match cut_hello(kit, target).await {
            Ok((outcome, seen)) => (outcome, seen.to_owned()),
            Err(error) => (Outcome::NotReached, error.to_string()),
        },
    }
}

fn sent(basis: &Visit, flaw: Flaw) -> (Outcome, String) {
    let none = || {
        (
            Outcome::NotSupported,
            "it does not attest in its certificate".to_owned(),
        )
    };
    let Some((certificate, about)) = &basis.peer else {
        return none();
    };
    let is_of_value = matches!(
        flaw,
        Flaw::OtherKeyHashed | Flaw::OtherNonce | Flaw::OtherRole | Flaw::KeyAlone
    );
    match certificate::read(certificate, about) {
        None => (
            Outcome::NotReached,
            "the CMW in its certificate cannot be read".to_owned(),
        ),
        Some(flaws) if flaws.contains(&Flaw::NoEvidence) => none(),
        Some(flaws) if flaws.contains(&flaw) => (Outcome::Fail, "it sent it".to_owned()),
        Some(_) if is_of_value && !certificate::is_readable(certificate) => (
            Outcome::NotSupported,
            "the kit cannot read the value in this Evidence".to_owned(),
        ),
        Some(_) => (Outcome::Pass, "it did not".to_owned()),
    }
}

async fn nonces(
    kit: &Kit,
    target: &Target,
    mode: Mode,
    basis: &Visit,
    nonces: usize,
) -> (Outcome, String) {
    if basis.peer.is_none() {
        return (
            Outcome::NotSupported,
            "it presents no certificate".to_owned(),
        );
    }
    let presenter = Presenter {
        nonces,
        ..Presenter::new(kit, mode)
    };
    match visit(kit, target, &presenter).await {
        Visit { peer: Some(_), .. } => (Outcome::Fail, "it presented a certificate".to_owned()),
        Visit {
            reply: Reply::Lost(why),
            ..
        } => (Outcome::NotReached, why),
        Visit { .. } => (Outcome::Pass, "it presented no certificate".to_owned()),
    }
}

/// One connection; the reply is about the certificate of the kit.
async fn visit(kit: &Kit, target: &Target, presenter: &Presenter) -> Visit {
    match timeout(kit.limit.saturating_mul(3), meet(kit, target, presenter)).await {
        Ok(Ok((reply, met))) => Visit {
            reply,
            peer: met.peer.map(|peer| (peer, met.about)),
        },
        // Who refuses a certificate may do so by an alert.
        Ok(Err(error)) if is_refusal(&error) => Visit {
            reply: Reply::Ended("it broke off the handshake".to_owned()),
            peer: None,
        },
        Ok(Err(error)) => Visit {
            reply: Reply::Lost(error.to_string()),
            peer: None,
        },
        Err(_) => Visit {
            reply: Reply::Open,
            peer: None,
        },
    }
}

fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::ConnectionReset;
    use io::ErrorKind::InvalidData;
    use io::ErrorKind::UnexpectedEof;
    matches!(error.kind(), InvalidData | UnexpectedEof | ConnectionReset)
}

async fn meet(kit: &Kit, target: &Target, presenter: &Presenter) -> io::Result<(Reply, Met)> {
    let socket = kit.socket(target).await?;
    let mut met = match target {
        Target::Server(_) => {
            let mut met = presenter.connect(socket).await?;
            let get = format!(
                "GET / HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
                kit.name
            );
            // A server that refused is gone.
            let _ = met.tls.write_all(get.as_bytes()).await;
            let _ = met.tls.flush().await;
            met
        }
        _ => presenter.accept(socket).await?,
    };
    let mut first = [0; 12];
    let reading = timeout(kit.limit, read_some(&mut met, &mut first));
    let reply = match reading.await {
        Err(_) => Reply::Open,
        Ok(0) => Reply::Ended("it closed the connection".to_owned()),
        Ok(_) if first.starts_with(b"HTTP/1.1 403") => {
            Reply::Ended("it refused HTTP with 403".to_owned())
        }
        Ok(_) if first.first().is_some_and(u8::is_ascii_uppercase) => {
            Reply::Accepted("HTTP began".to_owned())
        }
        Ok(_) => Reply::Lost("it does not speak HTTP".to_owned()),
    };
    Ok((reply, met))
}

/// The first bytes, or fewer where the peer closes.
async fn read_some(met: &mut Met, out: &mut [u8; 12]) -> usize {
    let mut read = 0;
    while let Some(room) = out.get_mut(read..).filter(|room| !room.is_empty()) {
        match met.tls.read(room).await {
            Ok(0) | Err(_) => break,
            Ok(more) => read = read.saturating_add(more),
        }
    }
    read
}

/// A ClientHello whose first record ends before the `random` does.
async fn cut_hello(kit: &Kit, target: &Target) -> io::Result<(Outcome, &'static str)> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = tls::client(provider, &rustls::version::TLS13).map_err(io::Error::other)?;
    let config = std::sync::Arc::new(config);
    let mut client =
        rustls::ClientConnection::new(config, kit.server_name()?).map_err(io::Error::other)?;
    let mut record = Vec::new();
    client.write_tls(&mut record)?;
    let (head, body) = record
        .split_at_checked(5)
        .ok_or(io::ErrorKind::InvalidData)?;
    let (first, rest) = body
        .split_at_checked(20)
        .ok_or(io::ErrorKind::InvalidData)?;
    let version = head.get(..3).unwrap_or_default();
    let length = |part: &[u8]| u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes();
    let cut = [version, &length(first), first, version, &length(rest), rest].concat();
    let mut socket: TcpStream = kit.socket(target).await?;
    socket.write_all(&cut).await?;
    Ok(match timeout(kit.limit, socket.read_u8()).await {
        Ok(Ok(22)) => (Outcome::Fail, "it went on with the handshake"),
        Ok(_) => (Outcome::Pass, "it ended the connection"),
        Err(_) => (Outcome::Fail, "it kept the connection open"),
    })
}
