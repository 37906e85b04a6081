//! The conditions under which a result is about a connection, or about a key.

use atls_core::Bound;
use atls_core::Origin;
use atls_core::ear::Appraisal;
use atls_core::ear::BinaryText;
use atls_core::ear::Ear;
use atls_core::expected::BoundMatch;
use atls_core::expected::ExpectedValue;
use atls_formats::ReportedClaims;
use atls_formats::dcap;
use atls_formats::psa;
use atls_formats::psa::SIMULATED_IMPLEMENTATION_ID;
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
    /// The claims about debugging that the part must have; `None` for a TEE that is not known here.
    demanded: Option<&'static [&'static str]>,
}

#[derive(Clone, Debug)]
enum Rule {
    Fresh {
        /// From a connection to the value that the Evidence carries.
        expected: fn(&Bound) -> ExpectedValue,
        reported: Option<ReportedValue>,
        origin: OriginSource,
    },
    KeyOnly {
        origin: Origin,
    },
}

/// A claim that reports the value in the Evidence.
#[derive(Clone, Copy, Debug)]
struct ReportedValue {
    name: &'static str,
    text: BinaryText,
}

/// The source from which the origin of the Evidence is known.
#[derive(Clone, Debug)]
enum OriginSource {
    /// The configuration.
    Configured(Origin),
    /// The implementation ID that the result reports, in base64.
    ImplementationId(&'static str),
    /// The TEE that the result names.
    Tee(String),
}

impl OriginSource {
    fn origin(&self, claims: &ReportedClaims<'_>) -> Option<Origin> {
        match self {
            Self::Configured(origin) => Some(*origin),
            Self::ImplementationId(name) => {
                let id = claims.one(name).and_then(Value::as_str);
                let id = id.and_then(|text| BinaryText::Base64.decode(text));
                // A simulator must not pass by hiding its ID.
                Some(match id {
                    Some(id) if id != SIMULATED_IMPLEMENTATION_ID => Origin::Device,
                    _ => Origin::Simulated,
                })
            }
            Self::Tee(tee) => {
                let origin = match is_simulator(tee) {
                    true => Origin::Simulated,
                    false => Origin::Device,
                };
                claims.is_about_tee(tee).then_some(origin)
            }
        }
    }
}

impl Scheme {
    /// Veraison's `PSA_IOT`. It compares the token's nonce, and reports it with the implementation ID and the security lifecycle.
    /// The lifecycle must be *secured*.
    pub fn psa_iot(policy: impl Into<String>) -> Self {
        Self::fresh("PSA_IOT", policy, psa::eat_nonce)
            .with_reported("psa-nonce", BinaryText::Base64)
            .with_origin(OriginSource::ImplementationId("psa-implementation-id"))
            .demanding(Some(&[PSA_LIFECYCLE]))
    }

    /// The realm of Veraison's `ARM_CCA`. It compares the realm challenge, and reports it. The result must have a part for
    /// the platform too, see [`cca_platform`](Self::cca_platform).
    pub fn cca_realm(policy: impl Into<String>) -> Self {
        Self::fresh(CCA_REALM, policy, |bound| {
            psa::realm_challenge(bound).into()
        })
        .with_reported("cca-realm-challenge", BinaryText::Base64)
        .with_companion(CCA_PLATFORM)
    }

    /// The platform of Veraison's `ARM_CCA`. The realm's key binds it to the realm; without realm it is bound to nothing. It
    /// reports the implementation ID and the lifecycle, which must be *secured*.
    pub fn cca_platform(policy: impl Into<String>) -> Self {
        Self::fresh(CCA_PLATFORM, policy, |bound| {
            psa::realm_challenge(bound).into()
        })
        .with_origin(OriginSource::ImplementationId(
            "cca-platform-implementation-id",
        ))
        .demanding(Some(&[CCA_LIFECYCLE]))
        .with_companion(CCA_REALM)
    }

    /// Veraison's `SEVSNP`. It compares the report data. **It checks neither the guest's policy nor the VMPL**, and nothing
    /// else does here: it affirms guests that may be debugged or moved, and reports that a less privileged level of a guest asked
    /// for. Where the relying party asks the service itself, `atls-veraison` checks both.
    pub fn dangerous_sev_snp(policy: impl Into<String>) -> Self {
        Self::fresh("SEVSNP", policy, |bound| snp::report_data(bound).into())
    }

    /// Trustee's one part, `cpu0`, about the TEE of this name. The report data has 64 bytes, in hexadecimal:
    ///
    /// * `snp`: the result must report that the guest may neither be debugged nor moved by a migration agent;
    /// * `tdx`: the result must report that the TD may not be debugged;
    /// * `sample`, Trustee's simulator: the report data is in base64.
    ///
    /// No verifier can be made with other names, because their claims about debugging are not known here.
    pub fn trustee(tee: impl Into<String>, policy: impl Into<String>) -> Self {
        let tee = tee.into();
        let text = if is_simulator(&tee) {
            BinaryText::Base64
        } else {
            BinaryText::Hex
        };
        let expected: fn(&Bound) -> ExpectedValue = match &*tee {
            "snp" => |bound| snp::report_data(bound).into(),
            "tdx" => |bound| dcap::report_data(bound).into(),
            _ => |bound| bound.sha512().into(),
        };
        Self::fresh("cpu0", policy, expected)
            .with_reported("report_data", text)
            .demanding(debugging::claims_of_tee(&tee))
            .with_origin(OriginSource::Tee(tee))
    }

    /// Trustee about a confidential VM of Azure (`az-snp-vtpm`, `az-tdx-vtpm`). The VM's TPM quote carries the value as it is. The
    /// result must report the same about debugging as that of [`trustee`](Self::trustee).
    pub fn trustee_azure(tee: impl Into<String>, policy: impl Into<String>) -> Self {
        let tee = tee.into();
        Self::fresh("cpu0", policy, Bound::verbatim)
            .with_reported("report_data", BinaryText::Hex)
            .demanding(debugging::claims_of_tee(&tee))
            .with_origin(OriginSource::Tee(tee))
    }

    /// Another scheme. **You declare** that the issuer, under this policy, compares the value in the Evidence with its
    /// nonce before it affirms this part, and that such Evidence is from a device or a simulator. `expected` is the platform's
    /// function from a connection to that value: [`Bound::verbatim`], or such as `|bound| snp::report_data(bound).into()`.
    ///
    /// Veraison's schemes `TPM_ENACTTRUST`, `PARSEC_TPM`, `PARSEC_CCA` and `RIOT` do **not** compare it: they affirm replayed
    /// Evidence, and their passports prove nothing about a connection. No verifier can be made with these names.
    pub fn checks_freshness(
        part: impl Into<String>,
        policy: impl Into<String>,
        expected: fn(&Bound) -> ExpectedValue,
        origin: Origin,
    ) -> Self {
        Self::fresh(part, policy, expected).with_origin(OriginSource::Configured(origin))
    }

    /// A part that is about a key: for passports that are presented again and again. The binding is to that key only, and the
    /// standard policy refuses it.
    ///
    /// The key stands in the result's `cnf`, or in the part's `cnf` or `akpub` (`ear.veraison.key-attestation`). At least one of them
    /// must be there, and all that are there must name the same key, whole. `cnf` names a key of P-256, P-384 or Ed25519 by its
    /// coordinates.
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
            demanded: Some(&[]),
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

    /// The name of the part, if its issuers are known to affirm replayed Evidence.
    pub(crate) fn replayable(&self) -> Option<&str> {
        REPLAYABLE.contains(&&*self.part).then_some(&*self.part)
    }

    /// The name of the TEE, if the claims of its results about debugging are not known here.
    pub(crate) fn unknown_tee(&self) -> Option<&str> {
        match (&self.rule, self.demanded) {
            (
                Rule::Fresh {
                    origin: OriginSource::Tee(tee),
                    ..
                },
                None,
            ) => Some(tee),
            _ => None,
        }
    }

    /// Whether the part has the claims about debugging that it must have.
    pub(crate) fn has_claims(&self, part: &Appraisal) -> bool {
        let demanded = self.demanded;
        demanded.is_some_and(|claims| debugging::reports(part, claims))
    }

    /// Whether the part itself must report the value in the Evidence.
    pub(crate) fn compares_reported(&self) -> bool {
        matches!(
            self.rule,
            Rule::Fresh {
                reported: Some(_),
                ..
            }
        )
    }

    /// The value of the connection in the form that the Evidence carries; `None` for a scheme about keys.
    pub(crate) fn challenge(&self, bound: &Bound) -> Option<ExpectedValue> {
        match &self.rule {
            Rule::Fresh { expected, .. } => Some(expected(bound)),
            Rule::KeyOnly { .. } => None,
        }
    }

    /// The origin of the Evidence that the part is about, and the proof that it carried this challenge, where the part reports the
    /// challenge. `None` where the part reports another challenge, or is about another TEE.
    pub(crate) fn fresh_origin(
        &self,
        appraisal: &Appraisal,
        challenge: &ExpectedValue,
    ) -> Option<(Origin, Option<BoundMatch>)> {
        let Rule::Fresh {
            reported, origin, ..
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
        Some((origin.origin(&claims)?, matched))
    }

    /// The keys that the part names, each a DER SubjectPublicKeyInfo, and the origin of its Evidence.
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
                origin: OriginSource::Configured(Origin::Device),
            },
            companion: None,
            demanded: Some(&[]),
        }
    }

    fn with_reported(mut self, name: &'static str, text: BinaryText) -> Self {
        if let Rule::Fresh { reported, .. } = &mut self.rule {
            *reported = Some(ReportedValue { name, text });
        }
        self
    }

    fn demanding(mut self, claims: Option<&'static [&'static str]>) -> Self {
        self.demanded = claims;
        self
    }

    fn with_companion(mut self, companion: &'static str) -> Self {
        self.companion = Some(companion);
        self
    }

    fn with_origin(mut self, from: OriginSource) -> Self {
        if let Rule::Fresh { origin, .. } = &mut self.rule {
            *origin = from;
        }
        self
    }
}

const CCA_PLATFORM: &str = "CCA_SSD_PLATFORM";
const CCA_REALM: &str = "CCA_REALM";

/// Veraison's, up to v0.0.2608.
const REPLAYABLE: [&str; 4] = ["TPM_ENACTTRUST", "PARSEC_TPM", "PARSEC_CCA", "RIOT"];
