//! Names and meanings of claims: RFC 9783 (PSA), draft-ffm-rats-cca-token, draft-ietf-rats-ear, AWS Nitro.

use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use ciborium::Value;

/// Which claims the keys of a map are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    CcaPlatform,
    CcaRealm,
    CoseHeader,
    Ear,
    EarAppraisal,
    EarVector,
    Nitro,
    None,
    Parameters,
    Psa,
    SoftwareComponent,
}

impl Names {
    /// The name of a key, and the names within its value.
    pub(super) fn of(self, key: &Value) -> Option<(&'static str, Self)> {
        match key {
            Value::Integer(number) => self.numbered(i128::from(*number)),
            Value::Text(_) => None,
            _ => None,
        }
    }

    /// The meaning of a claim of this name and value.
    pub(super) fn meaning(self, name: &str, value: &Value) -> Option<String> {
        let number = value.as_integer().map(i128::from);
        match (self, name) {
            (_, "eat_nonce" | "psa-nonce") => Some("the value of the connection".to_owned()),
            (_, "ueid" | "psa-instance-id" | "cca-platform-instance-id") => {
                Some("names the device: personal data".to_owned())
            }
            (_, "psa-security-lifecycle" | "cca-platform-lifecycle") => {
                number.map(|code| lifecycle(code).to_owned())
            }
            (_, "psa-implementation-id") => {
                let simulated = value
                    .as_bytes()
                    .is_some_and(|id| **id == atls_sim::IMPLEMENTATION_ID);
                simulated.then(|| "a simulated device, which proves nothing".to_owned())
            }
            (Self::Ear | Self::EarAppraisal, "ear_status") => {
                number.map(|code| tier(code).to_owned())
            }
            (Self::EarVector, _) => trust(name, number?),
            _ => None,
        }
    }

    fn numbered(self, key: i128) -> Option<(&'static str, Self)> {
        let plain = |name| Some((name, Self::None));
        match (self, key) {
            (Self::CoseHeader, 1) => plain("alg"),
            (Self::CoseHeader, 2) => plain("crit"),
            (Self::CoseHeader, 3) => plain("content type"),
            (Self::CoseHeader, 4) => plain("kid"),
            (Self::CoseHeader, 33) => plain("x5chain"),
            (Self::CoseHeader, 34) => plain("x5t"),
            (Self::Parameters, 1) => plain("version"),
            (Self::Parameters, 2) => plain("media types"),
            (Self::Parameters, 3) => plain("batches"),
            (Self::Parameters, 4) => plain("verdicts"),
            (Self::Parameters, 5) => plain("wants_evidence"),
            (Self::Parameters, 6) => plain("can_attest"),
            (Self::Parameters, 7) => plain("order"),
            (Self::Parameters, 8) => plain("profile"),
            (Self::Psa | Self::CcaRealm | Self::CcaPlatform, 10) => plain("eat_nonce"),
            (Self::Psa, 256) => plain("ueid"),
            (Self::Psa | Self::CcaPlatform | Self::CcaRealm | Self::Ear, 265) => {
                plain("eat_profile")
            }
            (Self::Psa, 268) => plain("bootseed"),
            (Self::Psa, 2394) => plain("psa-client-id"),
            (Self::Psa, 2395) => plain("psa-security-lifecycle"),
            (Self::Psa, 2396) => plain("psa-implementation-id"),
            (Self::Psa, 2397) => plain("psa-boot-seed"),
            (Self::Psa, 2398) => plain("psa-certification-reference"),
            (Self::Psa, 2399) => Some(("psa-software-components", Self::SoftwareComponent)),
            (Self::Psa, 2400) => plain("psa-verification-service-indicator"),
            (Self::Psa, -75_000) => plain("psa-profile"),
            (Self::Psa, -75_001) => plain("psa-client-id"),
            (Self::Psa, -75_002) => plain("psa-security-lifecycle"),
            (Self::Psa, -75_003) => plain("psa-implementation-id"),
            (Self::Psa, -75_004) => plain("psa-boot-seed"),
            (Self::Psa, -75_005) => plain("psa-hw-version"),
            (Self::Psa, -75_006) => Some(("psa-software-components", Self::SoftwareComponent)),
            (Self::Psa, -75_008) => plain("psa-nonce"),
            (Self::Psa, -75_009) => plain("psa-instance-id"),
            (Self::Psa, -75_010) => plain("psa-verification-service-indicator"),
            (Self::SoftwareComponent, 1) => plain("measurement-type"),
            (Self::SoftwareComponent, 2) => plain("measurement-value"),
            (Self::SoftwareComponent, 4) => plain("version"),
            (Self::SoftwareComponent, 5) => plain("signer-id"),
            (Self::SoftwareComponent, 6) => plain("measurement-description"),
            (Self::CcaPlatform, 256) => plain("cca-platform-instance-id"),
            (Self::CcaPlatform, 2395) => plain("cca-platform-lifecycle"),
            (Self::CcaPlatform, 2396) => plain("cca-platform-implementation-id"),
            (Self::CcaPlatform, 2399) => {
                Some(("cca-platform-sw-components", Self::SoftwareComponent))
            }
            (Self::CcaPlatform, 2400) => plain("cca-platform-service-indicator"),
            (Self::CcaPlatform, 2401) => plain("cca-platform-config"),
            (Self::CcaPlatform, 2402) => plain("cca-platform-hash-algo-id"),
            (Self::CcaRealm, 44_235) => plain("cca-realm-personalization-value"),
            (Self::CcaRealm, 44_236) => plain("cca-realm-hash-algo-id"),
            (Self::CcaRealm, 44_237) => plain("cca-realm-public-key"),
            (Self::CcaRealm, 44_238) => plain("cca-realm-initial-measurement"),
            (Self::CcaRealm, 44_239) => plain("cca-realm-extensible-measurements"),
            (Self::CcaRealm, 44_240) => plain("cca-realm-public-key-hash-algo-id"),
            (Self::Ear, 1) => plain("iss"),
            (Self::Ear, 4) => plain("exp"),
            (Self::Ear, 6) => plain("iat"),
            (Self::Ear, 266) => Some(("submods", Self::EarAppraisal)),
            (Self::Ear, 1004) => plain("ear_verifier_id"),
            (Self::Ear | Self::EarAppraisal, 1000) => plain("ear_status"),
            (Self::EarAppraisal, 1001) => Some(("ear_trustworthiness_vector", Self::EarVector)),
            (Self::EarAppraisal, 1003) => plain("ear_appraisal_policy_id"),
            (Self::EarVector, label) => {
                let position = usize::try_from(label).ok()?;
                plain(Category::ALL.get(position)?.name())
            }
            _ => None,
        }
    }
}

/// A category's claim in the words of AR4SI.
pub(super) fn trust(category: &str, value: i128) -> Option<String> {
    let claim = TrustClaim::new(i8::try_from(value).ok()?);
    let mut all = Category::ALL.into_iter();
    let category = all.find(|known| known.name() == category)?;
    Some(format!("{}: {}", claim.tier(), category.meaning(claim)))
}

/// draft-ietf-rats-ear, `ear_status`.
fn tier(code: i128) -> &'static str {
    match code {
        0 => "none: nothing is asserted",
        2 => "affirming",
        32 => "warning",
        96 => "contraindicated",
        _ => "no status of the standard",
    }
}

/// RFC 9783 §4.3.1.
fn lifecycle(code: i128) -> &'static str {
    match code {
        0x0000..=0x00ff => "unknown",
        0x1000..=0x10ff => "assembly and test",
        0x2000..=0x20ff => "provisioning",
        0x3000..=0x30ff => "secured",
        0x4000..=0x40ff => "debug of the non-secure side",
        0x5000..=0x50ff => "recoverable debug of the root of trust",
        0x6000..=0x60ff => "decommissioned",
        _ => "no lifecycle of the standard",
    }
}
