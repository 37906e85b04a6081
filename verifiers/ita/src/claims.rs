//! The claims of a token, and the result that they become.

use std::fmt;

use atls_core::ear::Appraisal;
use atls_core::ear::BinaryText;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::expected::ExpectedValue;
use atls_remote::Token;
use atls_remote::hardware_claim;
use serde_json::Map;
use serde_json::Value;

/// The claims about a TD, as the service signed them: `peer.claims::<ItaClaims>()`.
///
/// They are another type than `MaaClaims` of Azure, though both look alike: names and meanings of claims are this service's, a policy
/// selects by the type whose word it takes, and there is little to share but [`get`](Self::get).
#[derive(Clone, PartialEq)]
pub struct ItaClaims {
    claims: Map<String, Value>,
}

/// Prints the number of claims alone, since they identify machines.
impl fmt::Debug for ItaClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItaClaims")
            .field("claims", &self.claims.len())
            .finish()
    }
}

impl ItaClaims {
    /// A claim by its name, such as `tdx_mrtd`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// A claim of bytes, which is hexadecimal in the token.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        BinaryText::Hex.decode(self.text(name)?)
    }

    /// The claims of a token about the TD whose quote carries this value. They stand under `tdx`, or where that is absent at the
    /// top.
    pub(crate) fn about(token: &Token, expected: &ExpectedValue) -> Result<Self, EarError> {
        let claims = match token.claims().get("tdx") {
            None => token.claims(),
            Some(nested) => nested.as_object().ok_or(EarError::Malformed)?,
        };
        let claims = Self {
            claims: claims.clone(),
        };
        let reported = claims.bytes("tdx_report_data").ok_or(EarError::Nonce)?;
        let same = expected.compare(&reported).is_ok();
        if claims.text("attester_type") == Some("TDX") && same {
            Ok(claims)
        } else {
            Err(EarError::Nonce)
        }
    }

    /// As the crate's page says.
    pub(crate) fn result(&self, token: &Token, policies: &[String]) -> Ear {
        let opaque = match self.is_debuggable() {
            false => 2,
            true => 96,
        };
        let vector = TrustVector::new()
            .with(Category::Hardware, hardware_claim(self.tcb_status()))
            .with(Category::Configuration, TrustClaim::new(opaque))
            .with(Category::RuntimeOpaque, TrustClaim::new(opaque))
            .with(Category::Executables, executables(token, policies));
        let mut appraisal = Appraisal::new(vector);
        for policy in policies {
            appraisal = appraisal.with_policy_id(policy);
        }
        for name in ["attester_tcb_status", "attester_advisory_ids", "tdx_mrtd"] {
            if let Some(value) = self.get(name) {
                appraisal = appraisal.with_extension(name, value.clone());
            }
        }
        let version = token.text("ver").unwrap_or_default();
        let verifier = VerifierId::new("Intel Trust Authority", version.to_owned());
        Ear::local(verifier, token.issued_at(), "tdx", appraisal).with_expiry(token.expires_at())
    }

    fn tcb_status(&self) -> Option<&str> {
        self.text("attester_tcb_status")
    }

    /// Unless both say no, and the first says it at all.
    fn is_debuggable(&self) -> bool {
        let denied = self.get("tdx_is_debuggable") == Some(&Value::Bool(false));
        let enabled = self.get("dbgstat").is_some_and(|state| state != "disabled");
        !denied || enabled
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }
}

fn executables(token: &Token, policies: &[String]) -> TrustClaim {
    let matched = |policy: &String| lists(token, "policy_ids_matched", policy);
    let unmatched = |policy: &String| lists(token, "policy_ids_unmatched", policy);
    TrustClaim::new(match policies {
        [] => 33,
        _ if policies.iter().all(matched) && !policies.iter().any(unmatched) => 2,
        _ => 96,
    })
}

/// Entries are objects with an `id`, or the identifier itself.
fn lists(token: &Token, name: &str, policy: &str) -> bool {
    let entries = token.claims().get(name).and_then(Value::as_array);
    let mut entries = entries.into_iter().flatten();
    entries.any(|entry| entry.get("id").unwrap_or(entry) == policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_identifies_a_machine_is_printed() {
        let claims = serde_json::json!({ "id": "of one machine" });
        let claims = ItaClaims {
            claims: claims.as_object().unwrap().clone(),
        };
        assert_eq!(format!("{claims:?}"), "ItaClaims { claims: 1 }");
    }
}
