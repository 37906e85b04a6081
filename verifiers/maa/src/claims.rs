//! The claims of a token, and the result that they become.

use std::fmt;

use atls_core::ear::Appraisal;
use atls_core::ear::BinaryText;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::expected::ExpectedValue;
use atls_remote::Token;
use atls_remote::hardware_claim;
use serde_json::Map;
use serde_json::Value;

/// The claims about a guest, as the service signed them: `peer.claims::<MaaClaims>()`.
///
/// They are another type than `ItaClaims` of Intel, though both look alike: names and meanings of claims are this service's, a policy
/// selects by the type whose word it takes, and there is little to share but [`get`](Self::get).
#[derive(Clone, PartialEq)]
pub struct MaaClaims {
    claims: Map<String, Value>,
}

/// Prints the number of claims alone, since they identify machines.
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

    /// A claim of bytes, which is hexadecimal in the token.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        BinaryText::Hex.decode(self.get(name)?.as_str()?)
    }

    /// The claims of a token about a guest of this kind whose Evidence carries this value.
    pub(crate) fn about(
        token: &Token,
        kind: GuestKind,
        expected: &ExpectedValue,
    ) -> Result<Self, EarError> {
        let claims = Self {
            claims: token.claims().clone(),
        };
        let names = kind.names();
        let reported = claims.bytes(names.report_data).ok_or(EarError::Nonce)?;
        let same = expected.compare(&reported).is_ok();
        if claims.says("x-ms-attestation-type", names.attestation_type) && same {
            Ok(claims)
        } else {
            Err(EarError::Nonce)
        }
    }

    /// As the crate's page says.
    pub(crate) fn result(&self, kind: GuestKind, token: &Token, software: Software) -> Ear {
        let kind = kind.names();
        let executables = match software {
            Software::Known => 2,
            Software::NotCompared | Software::Unknown => 33,
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
        let mut appraisal = match software {
            Software::Known | Software::NotCompared => Appraisal::new(vector),
            // 33 alone is a warning, and a policy that accepts warnings because of old firmware must not accept any software.
            Software::Unknown => Appraisal::new(vector).with_status(Tier::Contraindicated),
        };
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
        let verifier = VerifierId::new("Microsoft Azure Attestation", version.to_owned());
        let ear = Ear::local(
            verifier,
            token.issued_at(),
            kind.attestation_type,
            appraisal,
        );
        ear.with_expiry(token.expires_at())
    }

    fn hardware(&self, kind: &ClaimNames) -> TrustClaim {
        let compliant = ["azure-compliant-cvm", "azure-compliant-uvm"]
            .iter()
            .any(|status| self.says("x-ms-compliance-status", status));
        match (compliant, kind.tcb_status) {
            (false, _) => TrustClaim::new(97),
            (true, None) => TrustClaim::new(2),
            (true, Some(name)) => hardware_claim(self.get(name).and_then(Value::as_str)),
        }
    }

    /// Whether the claim has these bytes, all of them.
    pub(crate) fn measures(&self, name: &str, measurement: &[u8; 48]) -> bool {
        self.bytes(name).as_deref() == Some(&measurement[..])
    }

    fn says(&self, name: &str, text: &str) -> bool {
        self.get(name).is_some_and(|value| value == text)
    }

    /// Whether the claim is there, and false.
    fn denies(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Bool(false))
    }
}

/// The software of one guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Software {
    Known,
    /// Nothing is configured that it could be compared with.
    NotCompared,
    Unknown,
}

/// A kind of guest: it decides which endpoint is asked, and the names of claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "one for each endpoint")]
pub enum GuestKind {
    /// `/attest/SevSnpVm`, `sevsnpvm`.
    Snp,
    /// `/attest/TdxVm`, `tdxvm`.
    Tdx,
}

impl GuestKind {
    fn names(self) -> &'static ClaimNames {
        match self {
            Self::Snp => &SNP,
            Self::Tdx => &TDX,
        }
    }
}

/// The names of claims in tokens about one kind of guest.
#[derive(Debug)]
struct ClaimNames {
    attestation_type: &'static str,
    report_data: &'static str,
    tcb_status: Option<&'static str>,
    /// Whether debugging and migration are off, and the report is of the most privileged level.
    is_closed: fn(&MaaClaims) -> bool,
}

const SNP: ClaimNames = ClaimNames {
    attestation_type: "sevsnpvm",
    report_data: "x-ms-sevsnpvm-reportdata",
    tcb_status: None,
    is_closed: |claims| {
        claims.denies("x-ms-sevsnpvm-is-debuggable")
            && claims.denies("x-ms-sevsnpvm-migration-allowed")
            && claims.get("x-ms-sevsnpvm-vmpl").and_then(Value::as_u64) == Some(0)
    },
};

const TDX: ClaimNames = ClaimNames {
    attestation_type: "tdxvm",
    report_data: "tdx_report_data",
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
