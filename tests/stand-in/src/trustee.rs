//! A stand-in for Trustee's `restful-as`: it reads requests, looks for the runtime data in the Evidence, and signs results. It
//! verifies no signatures of Evidence, and knows the TEEs `sample` and `tdx`.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use axum::routing::post;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;

use crate::signer::Signer;

/// Answers like the real one: an affirming result where the Evidence is about the runtime data, an error of the server
/// otherwise.
pub fn trustee(
    signer: Arc<Signer>,
    now: impl Fn() -> u64 + Clone + Send + Sync + 'static,
) -> Router {
    trustee_with(signer, now, |signer, claims| Some(signer.token(&claims?)))
}

/// Answers as the closure says.
pub fn trustee_with(
    signer: Arc<Signer>,
    now: impl Fn() -> u64 + Clone + Send + Sync + 'static,
    answer: impl Fn(&Signer, Option<Value>) -> Option<String> + Send + Sync + 'static,
) -> Router {
    let (set, answer) = (signer.jwk_set(), Arc::new(answer));
    let attest = async move |Json(request): Json<Value>| {
        let error = (
            StatusCode::INTERNAL_SERVER_ERROR,
            "An internal error occured: \n0: attestation report evaluate",
        );
        answer(&signer, appraise(&request, now())).ok_or(error)
    };
    Router::new().route("/attestation", post(attest)).route(
        "/.well-known/jwks.json",
        get(async move || Json(set.clone())),
    )
}

fn appraise(request: &Value, now: u64) -> Option<Value> {
    let asked = request["verification_requests"].as_array()?;
    let [asked] = &asked[..] else { return None };
    let decode = |text: &Value| BASE64_URL_SAFE_NO_PAD.decode(text.as_str()?).ok();
    let evidence: Value = serde_json::from_slice(&decode(&asked["evidence"])?).ok()?;
    let mut expected = decode(&asked["runtime_data"]["raw"])?;
    let tee = asked["tee"].as_str()?;
    let (found, spelled) = match tee {
        "sample" => {
            let text = evidence["report_data"].as_str()?.to_owned();
            (BASE64_STANDARD.decode(&text).ok()?, text)
        }
        "tdx" => {
            let quote = BASE64_STANDARD.decode(evidence["quote"].as_str()?).ok()?;
            let found = quote.get(568..632)?.to_vec();
            // A shorter value is padded, a longer one is cut.
            expected.resize(64, 0);
            let spelled = found.iter().map(|byte| format!("{byte:02x}")).collect();
            (found, spelled)
        }
        _ => return None,
    };
    if found != expected {
        return None;
    }
    Some(json!({
        "eat_profile": "tag:github.com,2024:confidential-containers/Trustee",
        "iat": now,
        "exp": now + 300,
        "iss": "CoCo-Attestation-Service",
        "ear.verifier-id": { "developer": "https://confidentialcontainers.org", "build": "stand-in" },
        "submods": { "cpu0": {
            "ear.status": "affirming",
            "ear.trustworthiness-vector": { "configuration": 2, "executables": 3, "hardware": 2 },
            "ear.appraisal-policy-id": request["policy_ids"][0],
            "ear.veraison.annotated-evidence": { "report_data": spelled, "runtime_data_claims": null, tee: {} },
        } },
    }))
}
