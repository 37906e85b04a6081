//! One submission to the fake service.

use atls_remote::Failure;
use http::Response;
use serde_json::Value;

use crate::support::Fake;
use crate::support::Step;
use crate::support::service;

pub(crate) const NONCE: &[u8] = b"this nonce has thirty-two bytes.";

pub(crate) const PSA: &str =
    "application/eat+cwt; eat_profile=\"tag:psacertified.org,2023:psa#tfm\"";

/// The word of the failure, if there is one.
pub(crate) async fn submit(fake: &Fake) -> Result<(), &'static str> {
    let outcome = submit_as(fake, PSA, NONCE).await;
    outcome.map_err(|failure| failure.reason())
}

pub(crate) async fn submit_as(fake: &Fake, media_type: &str, nonce: &[u8]) -> Result<(), Failure> {
    let media_type = media_type.parse().unwrap();
    let outcome = service(fake)
        .dangerous_submit_unchecked(&media_type, b"evidence", nonce)
        .await;
    // A task of its own deletes the session.
    tokio::task::yield_now().await;
    outcome.map(drop)
}

/// A service that answers like this at one step.
pub(crate) fn at(
    step: Step,
    change: impl Fn(Response<Vec<u8>>) -> Response<Vec<u8>> + Send + Sync + 'static,
) -> Fake {
    Fake::new().tampering(move |now, answer| if now == step { change(answer) } else { answer })
}

/// A service whose session says this at one step.
pub(crate) fn saying(step: Step, member: &'static str, value: impl Into<Value>) -> Fake {
    let value = value.into();
    at(step, move |answer| {
        let mut body: Value = serde_json::from_slice(answer.body()).unwrap();
        body[member] = value.clone();
        answer.map(|_| body.to_string().into_bytes())
    })
}

pub(crate) fn status(answer: Response<Vec<u8>>, status: u16) -> Response<Vec<u8>> {
    let (mut parts, body) = answer.into_parts();
    parts.status = status.try_into().unwrap();
    Response::from_parts(parts, body)
}
