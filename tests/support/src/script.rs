//! An HTTP client that answers by itself.

use std::sync::Mutex;

use atls_core::BoxFuture;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use http::Request;
use http::Response;

type Answer = BoxFuture<'static, Result<Response<Vec<u8>>, HttpError>>;
type Write = dyn Fn(usize, &Request<Vec<u8>>) -> Answer + Send + Sync;

/// Gives each request to a closure, with its number from 0 on, and records it.
pub struct Script {
    answer: Box<Write>,
    seen: Mutex<Vec<(Request<Vec<u8>>, HttpLimits)>>,
}

impl Script {
    pub fn new(
        answer: impl Fn(usize, &Request<Vec<u8>>) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self {
            answer: Box::new(answer),
            seen: Mutex::default(),
        }
    }

    /// Answers at once.
    pub fn immediate(
        answer: impl Fn(usize, &Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self::new(move |number, request| Box::pin(std::future::ready(answer(number, request))))
    }

    /// Gives this answer to every request.
    pub fn answering(answer: Result<Response<Vec<u8>>, HttpError>) -> Self {
        Self::immediate(move |_, _| answer.clone())
    }

    /// Gives no request an answer.
    pub fn silent() -> Self {
        Self::new(|_, _| Box::pin(std::future::pending()))
    }

    /// The number of requests so far.
    pub fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// The requests so far, with their limits.
    pub fn seen(&self) -> Vec<(Request<Vec<u8>>, HttpLimits)> {
        self.seen.lock().unwrap().clone()
    }

    /// The last request and its limits.
    pub fn last(&self) -> (Request<Vec<u8>>, HttpLimits) {
        self.seen.lock().unwrap().last().unwrap().clone()
    }
}

impl HttpClient for Script {
    fn send(
        &self,
        request: Request<Vec<u8>>,
        limits: HttpLimits,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, HttpError>> {
        let number = {
            let mut seen = self.seen.lock().unwrap();
            seen.push((request.clone(), limits));
            seen.len() - 1
        };
        (self.answer)(number, &request)
    }
}
