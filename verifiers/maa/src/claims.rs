//! What a token says, and what that means.

use std::fmt;

use atls_core::AppraisalError;
use atls_core::ExpectedValue;
use atls_core::ear::Appraisal;
use atls_core::ear::BinaryText;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_formats::dcap::hardware_claim;
use atls_remote::Token;
use serde_json::Map;
use serde_json::Value;

/// The claims about a guest, as the service signed them: `peer.claims::<MaaClaims>()`.
#[derive(Clone, PartialEq)]
pub struct MaaClaims {
    claims: Map<String, Value>,
}

/// How many: they identify machines.
impl fmt::Debug for MaaClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaaClaims")
            .field("claims", &self.claims.len())
            .finish()
    }
}

impl MaaClaims {
    /// A claim by its name, such as `x-ms-sevsnpvm-hostdata`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// A claim of octets, in hexadecimal there.
    pub fn octets(&self, name: &str) -> Option<Vec<u8>> {
        BinaryText::Hex.decode(self.get(name)?.as_str()?)
    }

    pub(crate) fn of(token: &Token) -> Self {
        Self {
            claims: token.claims().clone(),
        }
    }

    /// About such a guest, and about this one.
    pub(crate) fn check(
        &self,
        kind: &Kind,
        challenge: &ExpectedValue,
    ) -> Result<(), AppraisalError> {
        let reported = self.octets(kind.report_data);
        let same = reported.is_some_and(|reported| challenge.compare(&reported).is_ok());
        if self.says("x-ms-attestation-type", kind.attestation_type) && same {
            Ok(())
        } else {
            Err(AppraisalError::BadResult)
        }
    }

    /// As the crate's page says.
    pub(crate) fn result(&self, kind: &Kind, token: &Token, measurements: &[[u8; 48]]) -> Ear {
        let measured = self.octets(kind.measurement).unwrap_or_default();
        let executables = match measurements.iter().any(|known| known[..] == measured) {
            true => 2,
            false => 33,
        };
        let opaque = match (kind.is_closed)(self) {
            true => 2,
            false => 96,
        };
        let vector = TrustVector::new()
            .with(Category::Hardware, self.hardware(kind))
            .with(Category::Configuration, TrustClaim::new(opaque))
            .with(Category::RuntimeOpaque, TrustClaim::new(opaque))
            .with(Category::Executables, TrustClaim::new(executables));
        let mut appraisal = Appraisal::new(vector);
        for name in [
            "x-ms-compliance-status",
            "x-ms-policy-hash",
            "attester_tcb_status",
        ] {
            if let Some(value) = self.get(name) {
                appraisal = appraisal.with_extension(name, value.clone());
            }
        }
        let version = token.text("x-ms-ver").unwrap_or_default();
        let verifier = VerifierId::new("Microsoft Azure Attestation", version);
        let ear = Ear::local(
            verifier,
            token.issued_at(),
            kind.attestation_type,
            appraisal,
        );
        ear.with_expiry(token.expires_at())
    }

    fn hardware(&self, kind: &Kind) -> TrustClaim {
        let compliant = ["azure-compliant-cvm", "azure-compliant-uvm"]
            .iter()
            .any(|status| self.says("x-ms-compliance-status", status));
        match (compliant, kind.tcb_status) {
            (false, _) => TrustClaim::new(97),
            (true, None) => TrustClaim::new(2),
            (true, Some(name)) => hardware_claim(self.get(name).and_then(Value::as_str)),
        }
    }

    fn says(&self, name: &str, text: &str) -> bool {
        self.get(name).is_some_and(|value| value == text)
    }

    /// Said, and false.
    fn denies(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Bool(false))
    }
}

/// What the tokens about one kind of guest call things.
#[derive(Debug)]
pub(crate) struct Kind {
    attestation_type: &'static str,
    report_data: &'static str,
    measurement: &'static str,
    tcb_status: Option<&'static str>,
    /// Nobody looks into it: neither debugging nor migration, and the most privileged level speaks.
    is_closed: fn(&MaaClaims) -> bool,
}

pub(crate) const SNP: Kind = Kind {
    attestation_type: "sevsnpvm",
    report_data: "x-ms-sevsnpvm-reportdata",
    measurement: "x-ms-sevsnpvm-launchmeasurement",
    tcb_status: None,
    is_closed: |claims| {
        claims.denies("x-ms-sevsnpvm-is-debuggable")
            && claims.denies("x-ms-sevsnpvm-migration-allowed")
            && claims.get("x-ms-sevsnpvm-vmpl").and_then(Value::as_u64) == Some(0)
    },
};

pub(crate) const TDX: Kind = Kind {
    attestation_type: "tdxvm",
    report_data: "tdx_report_data",
    measurement: "tdx_mrtd",
    tcb_status: Some("attester_tcb_status"),
    is_closed: |claims| {
        claims.denies("tdx_td_attributes_debug") && claims.says("dbgstat", "disabled")
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_identifies_a_machine_is_printed() {
        let claims = serde_json::json!({ "id": "of one machine" });
        let claims = MaaClaims {
            claims: claims.as_object().unwrap().clone(),
        };
        assert_eq!(format!("{claims:?}"), "MaaClaims { claims: 1 }");
    }
}
