//! Under which circumstances a result is about a connection.

use atls_core::Bound;
use atls_core::BoundMatch;
use atls_core::ExpectedValue;
use atls_core::Origin;
use atls_core::ear::Appraisal;
use atls_core::ear::BinaryText;
use atls_core::ear::Ear;
use atls_formats::ReportedClaims;
use atls_formats::psa::origin_of;
use atls_formats::snp;
use serde_json::Value;

use crate::confirmation::Form;
use crate::debugging;
use crate::debugging::CCA_LIFECYCLE;
use crate::debugging::PSA_LIFECYCLE;
use crate::debugging::is_simulator;

/// One part of an issuer's results under one policy, and the declaration of what the issuer compares before it affirms.
#[derive(Clone, Debug)]
pub struct Scheme {
    part: String,
    policy: String,
    rule: Rule,
    /// Another part without which this one is about nothing.
    companion: Option<&'static str>,
    /// What the part must tell about debugging; none where that is not known.
    told: Option<&'static [&'static str]>,
}

#[derive(Clone, Debug)]
enum Rule {
    Fresh {
        /// From a connection to the value that the Evidence carries.
        expected: fn(&Bound) -> ExpectedValue,
        reported: Option<Reported>,
        device: Device,
    },
    KeyOnly {
        origin: Origin,
    },
}

/// A claim that reports the value which the Evidence carried.
#[derive(Clone, Copy, Debug)]
struct Reported {
    name: &'static str,
    text: BinaryText,
}

/// How it is known where Evidence came from.
#[derive(Clone, Debug)]
enum Device {
    /// As the configuration says.
    Configured(Origin),
    /// By the implementation ID that the result reports, in base64.
    ImplementationId(&'static str),
    /// By the TEE that the result names.
    Tee(String),
}

impl Device {
    fn origin(&self, claims: &ReportedClaims<'_>) -> Option<Origin> {
        match self {
            Self::Configured(origin) => Some(*origin),
            Self::ImplementationId(name) => {
                let id = claims.one(name).and_then(Value::as_str);
                let id = id.and_then(|text| BinaryText::Base64.decode(text));
                Some(id.map_or(Origin::Simulated, |id| origin_of(&id)))
            }
            Self::Tee(tee) => {
                if !claims.is_about_tee(tee) {
                    return None;
                }
                Some(if is_simulator(tee) {
                    Origin::Simulated
                } else {
                    Origin::Device
                })
            }
        }
    }
}

impl Scheme {
    /// Veraison's `PSA_IOT`: it compares the token's nonce, and reports it with the implementation ID and the security lifecycle,
    /// which must be *secured*.
    pub fn psa_iot(policy: impl Into<String>) -> Self {
        Self::fresh("PSA_IOT", policy, Bound::verbatim)
            .reporting("psa-nonce", BinaryText::Base64)
            .told_by(Device::ImplementationId("psa-implementation-id"))
            .telling(Some(&[PSA_LIFECYCLE]))
    }

    /// The realm of Veraison's `ARM_CCA`: it compares the realm challenge, and reports it. The result must have a part for
    /// the platform too, see [`cca_platform`](Self::cca_platform).
    pub fn cca_realm(policy: impl Into<String>) -> Self {
        Self::fresh(CCA_REALM, policy, sha512)
            .reporting("cca-realm-challenge", BinaryText::Base64)
            .beside(CCA_PLATFORM)
    }

    /// The platform of Veraison's `ARM_CCA`, which is bound to the realm by the realm's key, and without realm to nothing. It
    /// reports the implementation ID, and the lifecycle, which must be *secured*.
    pub fn cca_platform(policy: impl Into<String>) -> Self {
        Self::fresh(CCA_PLATFORM, policy, sha512)
            .told_by(Device::ImplementationId("cca-platform-implementation-id"))
            .telling(Some(&[CCA_LIFECYCLE]))
            .beside(CCA_REALM)
    }

    /// Veraison's `SEVSNP`: it compares the report data. **It looks neither at the guest's policy nor at the VMPL**, and nothing
    /// else does here: guests that may be debugged or moved are affirmed, and so is what the less privileged levels of one ask
    /// for. Where the relying party asks the service itself, `atls-veraison` judges both.
    pub fn dangerous_sev_snp(policy: impl Into<String>) -> Self {
        Self::fresh("SEVSNP", policy, |bound| snp::report_data(bound).into())
    }

    /// Trustee's one part, `cpu0`, about the TEE of this name, whose report data is 64 bytes and spelled in hexadecimal:
    ///
    /// * `snp`, whose result must tell that the guest may neither be debugged nor moved by a migration agent,
    /// * `tdx`, whose result must tell that the TD may not be debugged,
    /// * `sample`, Trustee's simulator, spelled in base64.
    ///
    /// A verifier cannot be made with other names: of their results it is not known here what they tell about debugging.
    pub fn trustee(tee: impl Into<String>, policy: impl Into<String>) -> Self {
        let tee = tee.into();
        let text = if is_simulator(&tee) {
            BinaryText::Base64
        } else {
            BinaryText::Hex
        };
        Self::fresh("cpu0", policy, sha512)
            .reporting("report_data", text)
            .telling(debugging::claims_of_tee(&tee))
            .told_by(Device::Tee(tee))
    }

    /// Trustee about a confidential VM of Azure (`az-snp-vtpm`, `az-tdx-vtpm`), whose TPM quote carries the value as it is. The
    /// result must tell the same about debugging as that of [`trustee`](Self::trustee).
    pub fn trustee_azure(tee: impl Into<String>, policy: impl Into<String>) -> Self {
        let tee = tee.into();
        Self::fresh("cpu0", policy, Bound::verbatim)
            .reporting("report_data", BinaryText::Hex)
            .telling(debugging::claims_of_tee(&tee))
            .told_by(Device::Tee(tee))
    }

    /// Any other. **You declare** that the issuer, under this policy, compares the value which the Evidence carries with its
    /// nonce before it affirms this part, and that such Evidence is from a device or a simulator. `expected` is the platform's
    /// function from a connection to that value: [`Bound::verbatim`], or such as `|bound| snp::report_data(bound).into()`.
    ///
    /// Of Veraison's schemes `TPM_ENACTTRUST`, `PARSEC_TPM`, `PARSEC_CCA` and `RIOT` do **not**: they affirm replayed
    /// Evidence, and a passport of theirs proves nothing about a connection. A verifier cannot be made with these names.
    pub fn checks_freshness(
        part: impl Into<String>,
        policy: impl Into<String>,
        expected: fn(&Bound) -> ExpectedValue,
        origin: Origin,
    ) -> Self {
        Self::fresh(part, policy, expected).told_by(Device::Configured(origin))
    }

    /// A part that is about a key: for passports that are presented again and again. The binding is to that key only, and the
    /// standard policy refuses it.
    ///
    /// The key is that of the result's `cnf`, or the part's `cnf` or `akpub` (`ear.veraison.key-attestation`): at least one,
    /// and all that are there name the same, whole. `cnf` names a key of P-256, P-384 or Ed25519, and by nothing but itself.
    pub fn dangerous_key_only(
        part: impl Into<String>,
        policy: impl Into<String>,
        origin: Origin,
    ) -> Self {
        Self {
            part: part.into(),
            policy: policy.into(),
            rule: Rule::KeyOnly { origin },
            companion: None,
            told: Some(&[]),
        }
    }

    pub(crate) fn is_about(&self, part: &str, appraisal: &Appraisal, ear: &Ear) -> bool {
        self.part == part
            && appraisal.policy_ids() == [&*self.policy]
            && self.companion.is_none_or(|name| ear.submod(name).is_some())
    }

    pub(crate) fn is_fresh(&self) -> bool {
        matches!(self.rule, Rule::Fresh { .. })
    }

    /// The name of the part, if it is known that nothing compares its freshness.
    pub(crate) fn replayable(&self) -> Option<&str> {
        REPLAYABLE.contains(&&*self.part).then_some(&*self.part)
    }

    /// The name of a TEE of which it is not known what results tell about debugging.
    pub(crate) fn unknown_tee(&self) -> Option<&str> {
        match (&self.rule, self.told) {
            (
                Rule::Fresh {
                    device: Device::Tee(tee),
                    ..
                },
                None,
            ) => Some(tee),
            _ => None,
        }
    }

    /// Whether the part tells about debugging what it must.
    pub(crate) fn is_told(&self, appraisal: &Appraisal) -> bool {
        let is_told = |claims| debugging::is_told(appraisal, claims);
        self.told.is_some_and(is_told)
    }

    /// Whether the part itself must say which value the Evidence carried.
    pub(crate) fn compares_reported(&self) -> bool {
        matches!(
            self.rule,
            Rule::Fresh {
                reported: Some(_),
                ..
            }
        )
    }

    /// The value that everything must equal; none where a scheme does not speak of connections.
    pub(crate) fn challenge(&self, bound: &Bound) -> Option<ExpectedValue> {
        match &self.rule {
            Rule::Fresh { expected, .. } => Some(expected(bound)),
            Rule::KeyOnly { .. } => None,
        }
    }

    /// From where the Evidence is that the part is about, unless the part says that it carried another challenge; and the proof
    /// that it carried this one, where the part reports what it carried.
    pub(crate) fn fresh_origin(
        &self,
        appraisal: &Appraisal,
        challenge: &ExpectedValue,
    ) -> Option<(Origin, Option<BoundMatch>)> {
        let Rule::Fresh {
            reported, device, ..
        } = &self.rule
        else {
            return None;
        };
        let nonce = appraisal.nonce().map(|nonce| challenge.compare(nonce));
        let mut matched = nonce.transpose().ok()?;
        let claims = ReportedClaims::of(appraisal);
        if let Some(reported) = reported {
            let found = claims.bytes(reported.name, reported.text)?;
            matched = Some(challenge.compare(&found).ok()?);
        }
        Some((device.origin(&claims)?, matched))
    }

    /// Which keys the part says that it is about, each a DER SubjectPublicKeyInfo, and from where.
    pub(crate) fn keys_origin(
        &self,
        appraisal: &Appraisal,
        form: Form,
    ) -> Option<(Vec<Vec<u8>>, Origin)> {
        let Rule::KeyOnly { origin } = self.rule else {
            return None;
        };
        let mut keys = Vec::new();
        if let Some(attestation) = appraisal.extension("ear.veraison.key-attestation") {
            let key = attestation.get("akpub")?.as_str()?;
            keys.push(BinaryText::Base64Url.decode(key)?);
        }
        if let Some(confirmation) = appraisal.extension(form.claim()) {
            keys.push(form.key(confirmation)?);
        }
        Some((keys, origin))
    }

    fn fresh(
        part: impl Into<String>,
        policy: impl Into<String>,
        expected: fn(&Bound) -> ExpectedValue,
    ) -> Self {
        Self {
            part: part.into(),
            policy: policy.into(),
            rule: Rule::Fresh {
                expected,
                reported: None,
                device: Device::Configured(Origin::Device),
            },
            companion: None,
            told: Some(&[]),
        }
    }

    fn reporting(mut self, name: &'static str, text: BinaryText) -> Self {
        if let Rule::Fresh { reported, .. } = &mut self.rule {
            *reported = Some(Reported { name, text });
        }
        self
    }

    fn telling(mut self, claims: Option<&'static [&'static str]>) -> Self {
        self.told = claims;
        self
    }

    fn beside(mut self, companion: &'static str) -> Self {
        self.companion = Some(companion);
        self
    }

    fn told_by(mut self, from: Device) -> Self {
        if let Rule::Fresh { device, .. } = &mut self.rule {
            *device = from;
        }
        self
    }
}

/// CCA's realm challenge and the report data of Trustee's TEEs have 64 bytes.
fn sha512(bound: &Bound) -> ExpectedValue {
    bound.sha512().into()
}

const CCA_PLATFORM: &str = "CCA_SSD_PLATFORM";
const CCA_REALM: &str = "CCA_REALM";

/// Veraison's, up to v0.0.2608.
const REPLAYABLE: [&str; 4] = ["TPM_ENACTTRUST", "PARSEC_TPM", "PARSEC_CCA", "RIOT"];
