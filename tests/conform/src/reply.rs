//! What the peer did, in the words of a report.

use crate::kit::Kit;
use crate::party::Got;
use crate::party::Party;

/// What the peer did about something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It went on as after a good message.
    Accepted(String),
    /// It ended the connection.
    Ended(String),
    /// It did neither within the limit.
    Open,
    /// It kept the rule.
    Kept(String),
    /// It broke the rule.
    Broken(String),
    /// It does not do what the rule is about, or says that it cannot.
    Unable(String),
    /// The connection did not get so far.
    Lost(String),
}

/// Writes a request of HTTP, as a client that thinks that it was accepted.
pub async fn served(kit: &Kit, party: &mut Party) -> Reply {
    let request = format!(
        "GET / HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
        kit.name
    );
    party.write_bytes(request.as_bytes()).await;
    match party.next().await {
        Got::Other(b'H') => match party.rest_of_status().await.as_deref() {
            Some(b"TTP/1.1 403") => Reply::Ended("it refused HTTP with 403".to_owned()),
            _ => Reply::Accepted("it answered HTTP".to_owned()),
        },
        Got::Ended => Reply::Ended("it closed the connection".to_owned()),
        Got::Nothing => Reply::Open,
        Got::Verdict(verdict) => decided(&verdict),
        other => Reply::Lost(words(&other)),
    }
}

/// What a verdict says.
pub fn decided(verdict: &[u8]) -> Reply {
    match verdict {
        [0, ..] => Reply::Accepted("it sent an accepting verdict".to_owned()),
        [code, ..] => Reply::Ended(format!("it sent a refusing verdict of code {code}")),
        [] => Reply::Lost("it sent a verdict without a byte".to_owned()),
    }
}

/// What came, for a report.
pub fn words(got: &Got) -> String {
    match got {
        Got::Request(_) => "it sent a request".to_owned(),
        Got::Authenticator(_) => "it sent an authenticator".to_owned(),
        Got::Verdict(_) => "it sent a verdict".to_owned(),
        Got::Other(byte) => format!("it sent a byte {byte:#04x}, which begins no frame"),
        Got::TooLong => "it sent a frame that is too long".to_owned(),
        Got::Ended => "it closed the connection".to_owned(),
        Got::Nothing => "it sent nothing within the limit".to_owned(),
    }
}
