//! An HTTP client whose answers are the input.

use std::sync::Mutex;

use atls_core::BoxFuture;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use http::Request;
use http::Response;
use http::StatusCode;

use crate::tape::Tape;

/// One answer for each request, in order; then none.
pub struct Answers(Mutex<Vec<Response<Vec<u8>>>>);

impl Answers {
    /// Reads at most this many. `fill` may put into bodies what an input cannot know, such as the nonce of a request.
    pub fn of(tape: &mut Tape<'_>, at_most: usize, fill: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        let mut answers = Vec::new();
        while !tape.is_empty() && answers.len() < at_most {
            answers.push(answer(tape, &fill));
        }
        answers.reverse();
        Self(Mutex::new(answers))
    }
}

impl HttpClient for Answers {
    fn send(
        &self,
        _: Request<Vec<u8>>,
        limits: HttpLimits,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, HttpError>> {
        let answer = self.0.lock().expect("no panic").pop();
        let gone = || HttpError::Unreachable("no more answers".to_owned());
        let answer = match answer.ok_or_else(gone) {
            Ok(answer) if answer.body().len() > limits.max_body => Err(HttpError::TooLarge),
            other => other,
        };
        Box::pin(std::future::ready(answer))
    }
}

/// A status, headers and a body. The headers of a chain of certificates are all of the same bytes, and so are those of a word or two.
fn answer(tape: &mut Tape<'_>, fill: &impl Fn(&[u8]) -> Vec<u8>) -> Response<Vec<u8>> {
    let status = match tape.byte() {
        0 => 200,
        1 => 201,
        2 => 202,
        3 => 415,
        4 => 429,
        5 => 503,
        other => 100 + u16::from(other) * 2,
    };
    let content_type = match tape.byte() {
        0 => "application/json",
        1 => "application/vnd.veraison.challenge-response-session+json",
        2 => "application/vnd.veraison.discovery+json",
        3 => "application/problem+json",
        _ => "",
    };
    let mut answer = Response::new(Vec::new());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let (location, chain) = (tape.bytes(), tape.bytes());
    for (name, value) in [
        ("content-type", content_type.as_bytes()),
        ("accept", location),
        ("location", location),
        ("retry-after", location),
        ("sgx-enclave-identity-issuer-chain", chain),
        ("sgx-pck-crl-issuer-chain", chain),
        ("tcb-info-issuer-chain", chain),
    ] {
        // hyper lets no other bytes through.
        if let (false, Ok(value)) = (value.is_empty(), http::HeaderValue::from_bytes(value)) {
            answer.headers_mut().insert(name, value);
        }
    }
    *answer.body_mut() = fill(tape.bytes());
    answer
}

/// Puts `by` in the place of each `mark`.
pub fn replaced(text: &[u8], mark: &[u8], by: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.first() {
        match rest.strip_prefix(mark) {
            Some(after) => {
                replaced.extend_from_slice(by);
                rest = after;
            }
            None => {
                replaced.push(*first);
                rest = &rest[1..];
            }
        }
    }
    replaced
}
