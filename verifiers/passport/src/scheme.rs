//! Under which circumstances a result is about a connection.

use atls_core::Bound;
use atls_core::Origin;
use atls_core::ear::Appraisal;
use atls_core::ear::Ear;
use atls_core::ear::OctetText;
use atls_formats::Carriage;
use atls_formats::origin_of;
use serde_json::Value;

use crate::confirmation::Form;

/// One part of an issuer's results under one policy, and the declaration of what the issuer compares before it affirms.
#[derive(Clone, Debug)]
pub struct Scheme {
    part: String,
    policy: String,
    rule: Rule,
    /// Another part without which this one is about nothing.
    companion: Option<&'static str>,
}

#[derive(Clone, Debug)]
enum Rule {
    Fresh {
        carriage: Carriage,
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
    text: OctetText,
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

impl Scheme {
    /// Veraison's `PSA_IOT`: it compares the token's nonce, and reports it with the implementation ID.
    pub fn psa_iot(policy: impl Into<String>) -> Self {
        Self::fresh("PSA_IOT", policy, Carriage::Verbatim)
            .reporting("psa-nonce", OctetText::Base64)
            .told_by(Device::ImplementationId("psa-implementation-id"))
    }

    /// The realm of Veraison's `ARM_CCA`: it compares the realm challenge, and reports it. The result must have a part for
    /// the platform too, see [`cca_platform`](Self::cca_platform).
    pub fn cca_realm(policy: impl Into<String>) -> Self {
        Self::fresh(CCA_REALM, policy, Carriage::Sha512)
            .reporting("cca-realm-challenge", OctetText::Base64)
            .beside(CCA_PLATFORM)
    }

    /// The platform of Veraison's `ARM_CCA`, which is bound to the realm by the realm's key, and without realm to nothing.
    pub fn cca_platform(policy: impl Into<String>) -> Self {
        Self::fresh(CCA_PLATFORM, policy, Carriage::Sha512).beside(CCA_REALM)
    }

    /// Veraison's `SEVSNP`: it compares the report data.
    pub fn sev_snp(policy: impl Into<String>) -> Self {
        Self::fresh("SEVSNP", policy, Carriage::Sha512)
    }

    /// Trustee's one part, `cpu0`, about the TEE of this name (`snp`, `tdx`, …), whose report data is 64 octets and spelled in
    /// hexadecimal. `sample` is Trustee's simulator, spelled in base64.
    pub fn trustee(tee: impl Into<String>, policy: impl Into<String>) -> Self {
        let tee = tee.into();
        let text = if is_simulator(&tee) {
            OctetText::Base64
        } else {
            OctetText::Hex
        };
        Self::fresh("cpu0", policy, Carriage::Sha512)
            .reporting("report_data", text)
            .told_by(Device::Tee(tee))
    }

    /// Trustee about a confidential VM of Azure (`az-snp-vtpm`, `az-tdx-vtpm`), whose TPM quote carries the value as it is.
    pub fn trustee_azure(tee: impl Into<String>, policy: impl Into<String>) -> Self {
        Self::fresh("cpu0", policy, Carriage::Verbatim)
            .reporting("report_data", OctetText::Hex)
            .told_by(Device::Tee(tee.into()))
    }

    /// Any other. **You declare** that the issuer, under this policy, compares the value which the Evidence carries with its
    /// nonce before it affirms this part, and that such Evidence is from a device or a simulator.
    ///
    /// Of Veraison's schemes `TPM_ENACTTRUST`, `PARSEC_TPM`, `PARSEC_CCA` and `RIOT` do **not**: they affirm replayed
    /// Evidence, and a passport of theirs proves nothing about a connection. A verifier cannot be made with these names.
    pub fn checks_freshness(
        part: impl Into<String>,
        policy: impl Into<String>,
        carriage: Carriage,
        origin: Origin,
    ) -> Self {
        Self::fresh(part, policy, carriage).told_by(Device::Configured(origin))
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
    pub(crate) fn challenge(&self, bound: &Bound) -> Option<Vec<u8>> {
        match &self.rule {
            Rule::Fresh { carriage, .. } => Some(carriage.challenge(bound)),
            Rule::KeyOnly { .. } => None,
        }
    }

    /// Whether the part is about Evidence that carried the challenge, as far as the part says, and from where.
    pub(crate) fn fresh_origin(&self, appraisal: &Appraisal, challenge: &[u8]) -> Option<Origin> {
        let Rule::Fresh {
            reported, device, ..
        } = &self.rule
        else {
            return None;
        };
        let other = |nonce: &[u8]| nonce != challenge;
        if appraisal.nonce().is_some_and(other) {
            return None;
        }
        if let Some(reported) = reported {
            let text = annotated(appraisal, reported.name).and_then(Value::as_str)?;
            if reported.text.decode(text)? != challenge {
                return None;
            }
        }
        match device {
            Device::Configured(origin) => Some(*origin),
            Device::ImplementationId(name) => {
                let id = annotated(appraisal, name).and_then(Value::as_str);
                let id = id.and_then(|text| OctetText::Base64.decode(text));
                Some(id.map_or(Origin::Simulated, |id| origin_of(&id)))
            }
            Device::Tee(tee) => {
                annotated(appraisal, tee)?;
                Some(if is_simulator(tee) {
                    Origin::Simulated
                } else {
                    Origin::Device
                })
            }
        }
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
            keys.push(OctetText::Base64Url.decode(key)?);
        }
        if let Some(confirmation) = appraisal.extension(form.claim()) {
            keys.push(form.key(confirmation)?);
        }
        Some((keys, origin))
    }

    fn fresh(part: impl Into<String>, policy: impl Into<String>, carriage: Carriage) -> Self {
        Self {
            part: part.into(),
            policy: policy.into(),
            rule: Rule::Fresh {
                carriage,
                reported: None,
                device: Device::Configured(Origin::Device),
            },
            companion: None,
        }
    }

    fn reporting(mut self, name: &'static str, text: OctetText) -> Self {
        if let Rule::Fresh { reported, .. } = &mut self.rule {
            *reported = Some(Reported { name, text });
        }
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

fn annotated<'a>(appraisal: &'a Appraisal, name: &str) -> Option<&'a Value> {
    appraisal
        .extension("ear.veraison.annotated-evidence")?
        .get(name)
}

/// Trustee's TEEs that are none.
fn is_simulator(tee: &str) -> bool {
    matches!(tee, "sample" | "sampledevice")
}

const CCA_PLATFORM: &str = "CCA_SSD_PLATFORM";
const CCA_REALM: &str = "CCA_REALM";

/// Veraison's, up to v0.0.2608.
const REPLAYABLE: [&str; 4] = ["TPM_ENACTTRUST", "PARSEC_TPM", "PARSEC_CCA", "RIOT"];
