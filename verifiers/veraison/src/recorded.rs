//! Results that a real service signed, and the Evidence that they are about.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use atls_core::BoxFuture;
use atls_core::Origin;
use atls_core::ear::EarError;
use atls_core::ear::Tier;
use atls_core::ear::VerificationKeys;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_core::pki_types::UnixTime;
use atls_remote::Endpoint;
use atls_remote::EvidenceFormat;
use atls_remote::Failure;
use atls_remote::RemoteService;
use atls_remote::ResultCheck;
use http::Method;
use http::Request;
use http::Response;
use serde_json::Value;

use crate::api::SESSION_TYPE;
use crate::failures;
use crate::format::CcaToken;
use crate::format::PsaToken;
use crate::service::VeraisonService;

/// Answers every session with the recorded one, as the service of that day did.
struct Recording {
    session: Value,
    token: String,
}

impl HttpClient for Recording {
    fn send(
        &self,
        request: Request<Vec<u8>>,
        _: HttpLimits,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, HttpError>> {
        let mut session = self.session.clone();
        let opens = request.uri().path().ends_with("newSession");
        let answer = match (request.method(), opens) {
            (&Method::DELETE, _) => Response::builder().status(204),
            (_, true) => Response::builder()
                .status(201)
                .header("location", "session/1"),
            _ => Response::builder(),
        };
        if opens {
            session["status"] = "waiting".into();
        } else {
            session["result"] = self.token.clone().into();
        }
        let answer = answer.header("content-type", SESSION_TYPE);
        Box::pin(async move { Ok(answer.body(session.to_string().into_bytes()).unwrap()) })
    }
}

/// One second after the recording.
const AT: u64 = 1_795_468_100;

/// The recorded answer to this Evidence, read as the verifier reads it.
async fn appraise(
    folder: &Path,
    name: &str,
    format: impl EvidenceFormat<VeraisonService>,
    evidence: &str,
    seconds: u64,
) -> Result<(Tier, Origin), Failure> {
    let file = |name: String| std::fs::read_to_string(folder.join(name)).unwrap();
    let recording = Recording {
        session: serde_json::from_str(&file(format!("ear/{name}.session.json"))).unwrap(),
        token: file(format!("ear/{name}.ear.jwt")).trim().to_owned(),
    };
    let keys = VerificationKeys::from_jwk(&file("ear/veraison-ear-verification-key.jwk".into()));
    let endpoint = Endpoint::https("https://veraison.example").unwrap();
    let service = VeraisonService::new(&endpoint, Arc::new(recording)).unwrap();
    let evidence = std::fs::read(folder.join(evidence)).unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let reading = format.read(&evidence).unwrap();
    let media_type = format.media_type().parse().unwrap();
    let submitted = service.dangerous_submit_unchecked(&media_type, &evidence, reading.carried());
    let token = submitted.await?;
    let check = ResultCheck {
        keys: &keys.unwrap(),
        supported: &test_support::supported(),
        issuer: service.issuer(),
        max_age: Duration::from_secs(300),
        now,
    };
    let ear = service.read_about(&token, &check, &format.terms(), reading.carried())?;
    let local = reading.local_appraisal().unwrap().clone();
    Ok((ear.with_submod("local", local).status(), reading.origin()))
}

#[tokio::test]
async fn recorded_results_about_recorded_evidence_are_affirming() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let affirming = Ok((Tier::Affirming, Origin::Device));
    let psa = PsaToken::any_profile();
    let psa = appraise(
        &folder,
        "veraison-psa-affirming",
        psa,
        "corim/psa.good.cose",
        AT,
    )
    .await;
    assert_eq!(psa, affirming);
    let cca = CcaToken::new();
    let cca = appraise(
        &folder,
        "veraison-cca-affirming",
        cca,
        "corim/cca-good.cbor",
        AT,
    )
    .await;
    assert_eq!(cca, affirming);
}

#[tokio::test]
async fn a_recorded_result_is_of_its_time() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let refused = |error: EarError| Err(Failure::from(error));
    let affirming = Ok((Tier::Affirming, Origin::Device));
    // It was made one second before, and is taken for five minutes, or a minute too early.
    for (seconds, expected) in [
        (AT + 298, affirming.clone()),
        (AT + 299, refused(EarError::Expired)),
        (AT - 61, affirming),
        (AT - 62, refused(EarError::Future)),
    ] {
        let (psa, evidence) = (PsaToken::any_profile(), "corim/psa.good.cose");
        let appraised = appraise(&folder, "veraison-psa-affirming", psa, evidence, seconds).await;
        assert_eq!(appraised, expected, "{seconds}");
    }
}

/// The session had another nonce than the Evidence, so it answers another request.
#[tokio::test]
async fn a_recorded_result_of_another_nonce_is_refused() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let psa = PsaToken::any_profile();
    let name = "veraison-psa-wrong-nonce-contraindicated";
    let refused = appraise(&folder, name, psa, "corim/psa.good.cose", AT)
        .await
        .unwrap_err();
    assert_eq!(refused, failures::NONCE);
}
