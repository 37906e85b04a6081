//! Veraison's verification API as release v0.0.2608 speaks it. Its appraisal affirms any Evidence and echoes the nonce: several of the
//! real schemes do no better.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;

use atls_core::BoxFuture;
use atls_core::ear::VerificationKeys;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Method;
use http::Request;
use http::Response;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair;
use serde_json::Value;
use serde_json::json;

use super::NOW;

type Answer = Response<Vec<u8>>;
type Tamper = dyn Fn(Step, Answer) -> Answer + Send + Sync;
type Claims = dyn Fn(&mut Value) + Send + Sync;

/// Which call of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Discover,
    Open,
    Submit,
    Poll,
    Delete,
}

pub fn request_step(request: &Request<Vec<u8>>) -> Step {
    match (request.method(), request.uri().path()) {
        (_, "/.well-known/veraison/verification") => Step::Discover,
        (_, "/challenge-response/v1/newSession") => Step::Open,
        (&Method::POST, _) => Step::Submit,
        (&Method::GET, _) => Step::Poll,
        _ => Step::Delete,
    }
}

#[derive(Clone)]
pub struct Fake {
    pub key: Arc<EcdsaKeyPair>,
    pub accept: Vec<String>,
    state: Arc<Mutex<State>>,
    tamper: Arc<Tamper>,
    claims: Arc<Claims>,
    /// How many polls pass before the result is there.
    pub processing: usize,
    /// A step that is never answered.
    pub stuck: Option<Step>,
}

#[derive(Default)]
struct State {
    sessions: BTreeMap<String, (Vec<u8>, usize)>,
    log: Vec<(Step, Request<Vec<u8>>)>,
}

impl Fake {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        let accept = [
            "application/psa-attestation-token",
            "application/eat+cwt; eat_profile=\"tag:psacertified.org,2023:psa#tfm\"",
            "application/eat-collection; profile=\"http://arm.com/CCA-SSD/1.0.0\"",
        ];
        Self {
            key: Arc::new(key),
            accept: accept.map(str::to_owned).to_vec(),
            state: Arc::default(),
            tamper: Arc::new(|_, answer| answer),
            claims: Arc::new(|_| {}),
            processing: 0,
            stuck: None,
        }
    }

    /// Changes what it answers.
    pub fn tampering(
        mut self,
        tamper: impl Fn(Step, Answer) -> Answer + Send + Sync + 'static,
    ) -> Self {
        self.tamper = Arc::new(tamper);
        self
    }

    /// Changes the claims before they are signed.
    pub fn claiming(mut self, claims: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        self.claims = Arc::new(claims);
        self
    }

    pub fn jwk(&self) -> Value {
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        let encode = |bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        json!({ "alg": "ES256", "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
    }

    pub fn keys(&self) -> VerificationKeys {
        VerificationKeys::from_jwk(&self.jwk().to_string()).unwrap()
    }

    /// The steps of its requests, in order.
    pub fn steps(&self) -> Vec<Step> {
        let state = self.state.lock().unwrap();
        state.log.iter().map(|(step, _)| *step).collect()
    }

    /// The first request of this step.
    pub fn request(&self, wanted: Step) -> Request<Vec<u8>> {
        let state = self.state.lock().unwrap();
        let found = state.log.iter().find(|(step, _)| *step == wanted);
        found.unwrap().1.clone()
    }

    pub fn open_sessions(&self) -> usize {
        self.state.lock().unwrap().sessions.len()
    }

    pub fn token(&self, claims: &Value) -> String {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({ "alg": "ES256", "typ": "JWT" });
        let message = format!("{}.{}", part(&header), part(claims));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes());
        format!(
            "{message}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(signature.unwrap())
        )
    }

    pub fn handle(&self, request: &Request<Vec<u8>>) -> Answer {
        let step = request_step(request);
        let mut state = self.state.lock().unwrap();
        state.log.push((step, request.clone()));
        let header = |name: &str| {
            let value = request.headers().get(name);
            value.map_or("", |value| value.to_str().unwrap())
        };
        let id = request.uri().path().rsplit('/').next().unwrap().to_owned();
        let answer = match step {
            Step::Discover => answer(
                200,
                "application/vnd.veraison.discovery+json",
                &json!({
                    "ear-verification-key": self.jwk(),
                    "media-types": self.accept,
                    "version": "v0.0.2608",
                    "service-state": "READY",
                    "api-endpoints": { "newChallengeResponseSession": "/challenge-response/v1/newSession" },
                }),
            ),
            Step::Open | Step::Submit | Step::Poll if header("accept") != SESSION => {
                problem(406, "the only supported output format is …")
            }
            Step::Open => {
                let query = request.uri().query().unwrap_or("").replace("%3D", "=");
                let nonce = query.strip_prefix("nonce=").unwrap();
                match BASE64_URL_SAFE.decode(nonce) {
                    Ok(nonce) if (8..=64).contains(&nonce.len()) => {
                        let id = format!("8f25dffc-e7fa-11f1-9ec2-{:012}", state.log.len());
                        state.sessions.insert(id.clone(), (nonce.clone(), 0));
                        let mut opened = self.session("waiting", &nonce, 201);
                        let location = format!("session/{id}").parse().unwrap();
                        opened.headers_mut().insert("location", location);
                        opened
                    }
                    _ => problem(
                        400,
                        "failed handling nonce request: nonce must be valid base64",
                    ),
                }
            }
            Step::Delete => {
                state.sessions.remove(&id);
                Response::builder().status(204).body(Vec::new()).unwrap()
            }
            _ => match state.sessions.get_mut(&id) {
                None => problem(404, "session not found"),
                Some((nonce, polls)) => {
                    let content_type = header("content-type");
                    let known = self.accept.iter().any(|known| known == content_type);
                    if step == Step::Submit
                        && !known
                        && !content_type.starts_with("application/cmw+")
                    {
                        let mut refused = problem(415, "no active plugin found");
                        let list = self.accept.join(", ").parse().unwrap();
                        refused.headers_mut().insert("accept", list);
                        refused
                    } else if *polls < self.processing {
                        *polls += 1;
                        self.session(
                            "processing",
                            nonce,
                            if step == Step::Submit { 202 } else { 200 },
                        )
                    } else {
                        self.session("complete", nonce, 200)
                    }
                }
            },
        };
        (self.tamper)(step, answer)
    }

    fn session(&self, status: &str, nonce: &[u8], code: u16) -> Answer {
        let mut session = json!({
            "status": status,
            // Not base64url as in its query and its results.
            "nonce": BASE64_STANDARD.encode(nonce),
            "expiry": "2027-01-15T08:02:30.466075439Z",
            "accept": self.accept,
        });
        if status == "complete" {
            session["evidence"] = json!({ "type": "…", "value": "0oRDoQEm" });
            session["result"] = self.result(nonce).into();
        }
        answer(code, SESSION, &session)
    }

    fn result(&self, nonce: &[u8]) -> String {
        let mut claims = json!({
            "eat_profile": "tag:github.com,2023:veraison/ear",
            "iat": NOW,
            "eat_nonce": BASE64_URL_SAFE.encode(nonce),
            "ear.verifier-id": { "build": "N/A", "developer": "Veraison Project" },
            "submods": { "PSA_IOT": {
                "ear.status": "affirming",
                "ear.trustworthiness-vector": {
                    "configuration": 0, "executables": 2, "file-system": 0, "hardware": 2, "instance-identity": 2,
                    "runtime-opaque": 2, "sourced-data": 0, "storage-opaque": 2
                },
                "ear.appraisal-policy-id": "policy:PSA_IOT",
            } },
        });
        (self.claims)(&mut claims);
        self.token(&claims)
    }
}

impl HttpClient for Fake {
    fn send(
        &self,
        request: Request<Vec<u8>>,
        _: HttpLimits,
    ) -> BoxFuture<'_, Result<Answer, HttpError>> {
        Box::pin(async move {
            if self.stuck == Some(request_step(&request)) {
                self.state
                    .lock()
                    .unwrap()
                    .log
                    .push((request_step(&request), request));
                return std::future::pending().await;
            }
            Ok(self.handle(&request))
        })
    }
}

fn answer(status: u16, content_type: &str, body: &Value) -> Answer {
    let answer = Response::builder().status(status);
    let answer = answer.header("content-type", content_type);
    answer.body(body.to_string().into_bytes()).unwrap()
}

fn problem(status: u16, detail: &str) -> Answer {
    let body = json!({ "type": "about:blank", "title": "…", "status": status, "detail": detail });
    answer(status, "application/problem+json", &body)
}

const SESSION: &str = "application/vnd.veraison.challenge-response-session+json";
