//! `POST /attestation`, as `restful-as` reads it.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;

use crate::format::EvidenceFormat;

/// One request about one TEE. `raw` runtime data is compared as it is (the service's documentation says "digest"); it is
/// never left out, since then nothing would be compared at all.
pub(crate) fn body(
    format: &dyn EvidenceFormat,
    evidence: &Value,
    challenge: &[u8],
    policy: &str,
) -> Value {
    json!({
        "verification_requests": [{
            "tee": format.tee(),
            "evidence": BASE64_URL_SAFE_NO_PAD.encode(evidence.to_string()),
            "runtime_data": { "raw": BASE64_URL_SAFE_NO_PAD.encode(challenge) },
        }],
        "policy_ids": [policy],
    })
}
