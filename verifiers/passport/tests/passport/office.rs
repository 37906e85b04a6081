//! An issuer of passports, and a relying party that takes them.

use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::PeerAttestation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::ear::Issuer;
use atls_core::ear::Tier;
use atls_passport::PassportAttester;
use atls_passport::PassportVerifier;
use atls_passport::ReusablePassport;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::Connection;
use test_support::at;

pub(crate) const NOW: u64 = 1_000_000;

pub(crate) const POLICY: &str = "policy:PSA_IOT";

/// An issuer that verifies Evidence as Veraison's PSA scheme does, and signs in its dialect.
pub(crate) struct Office {
    pub(crate) device: Arc<SimAttester>,
    pub(crate) signer: Arc<Signer>,
    pub(crate) verifier: Arc<SimVerifier>,
    pub(crate) media_type: MediaType,
}

impl Clone for Office {
    fn clone(&self) -> Self {
        Self {
            device: self.device.clone(),
            signer: self.signer.clone(),
            verifier: self.verifier.clone(),
            media_type: self.media_type.clone(),
        }
    }
}

impl Office {
    pub(crate) fn new() -> Self {
        let device = SimAttester::generate().unwrap();
        let verifier = SimVerifier::new(device.trust_anchor());
        Self {
            device: Arc::new(device),
            signer: Arc::new(Signer::es256()),
            verifier: Arc::new(verifier),
            media_type: veraison(),
        }
    }

    pub(crate) fn attester(&self) -> PassportAttester {
        PassportAttester::new(self.device.clone(), Arc::new(self.clone()))
    }

    pub(crate) fn psa(&self) -> Arc<PassportVerifier> {
        self.verifier(|issuer| issuer.with_scheme(Scheme::psa_iot(POLICY)))
    }

    pub(crate) fn verifier(
        &self,
        schemes: impl Fn(TrustedIssuer) -> TrustedIssuer,
    ) -> Arc<PassportVerifier> {
        let issuer = TrustedIssuer::veraison(Arc::new(self.signer.keys()));
        Arc::new(builder().issuer(schemes(issuer)).build().unwrap())
    }

    pub(crate) async fn appraise(
        &self,
        verifier: &PassportVerifier,
        connection: &Connection,
        claims: &Value,
    ) -> Result<Appraised, AppraisalError> {
        appraise(verifier, connection, self.signer.token(claims).as_bytes()).await
    }

    /// Of some earlier session, about a key.
    pub(crate) fn reusable(&self, key: &[u8]) -> ReusablePassport {
        let mut claims = psa_claims(&[7; 32], &[1; 32]);
        claims["submods"]["PSA_IOT"]["ear.veraison.key-attestation"] =
            json!({ "akpub": BASE64_URL_SAFE_NO_PAD.encode(key) });
        ReusablePassport::new(veraison(), self.signer.token(&claims).into_bytes())
    }
}

impl Issuer for Office {
    fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    fn issue<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
    ) -> BoxFuture<'a, Result<Vec<u8>, AppraisalError>> {
        Box::pin(async move {
            let appraised = self.verifier.appraise(evidence, at(NOW)).await?;
            assert_eq!(appraised.ear().status(), Tier::Affirming);
            // It takes the simulator for a device, as an issuer with that trust anchor would; so the ID is altered.
            let claims = psa_claims(
                evidence.bound().as_bytes(),
                b"a device, has 32 bytes, as it is",
            );
            Ok(self.signer.token(&claims).into_bytes())
        })
    }
}

/// An attester that always presents the same.
pub(crate) struct Replay(pub(crate) Cmw);

impl Attester for Replay {
    fn media_types(&self) -> &[MediaType] {
        &[]
    }

    fn attest<'a>(
        &'a self,
        _: atls_core::AttestRequest<'a>,
    ) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

/// As a real Veraison writes them.
pub(crate) fn psa_claims(nonce: &[u8], implementation_id: &[u8]) -> Value {
    json!({
        "eat_profile": "tag:github.com,2023:veraison/ear",
        "iat": NOW,
        "eat_nonce": BASE64_URL_SAFE.encode(nonce),
        "ear.verifier-id": { "developer": "Veraison Project", "build": "stand-in" },
        "submods": { "PSA_IOT": {
            "ear.status": "affirming",
            "ear.trustworthiness-vector": { "executables": 2, "hardware": 2, "instance-identity": 2 },
            "ear.appraisal-policy-id": POLICY,
            "ear.veraison.annotated-evidence": {
                "psa-nonce": BASE64_STANDARD.encode(nonce),
                "psa-implementation-id": BASE64_STANDARD.encode(implementation_id),
                "psa-security-lifecycle": 0x3000,
            },
        } },
    })
}

/// Trustee's claims about a TD into which nobody sees.
pub(crate) fn td() -> Value {
    let body = json!({ "td_attributes": "0000001000000000" });
    json!({ "td_attributes": { "debug": false }, "quote": { "body": body } })
}

pub(crate) fn annotated(claims: &mut Value) -> &mut Value {
    &mut claims["submods"]["PSA_IOT"]["ear.veraison.annotated-evidence"]
}

pub(crate) fn remove(claims: &mut Value, name: &str) {
    claims.as_object_mut().unwrap().remove(name);
}

pub(crate) fn veraison() -> MediaType {
    MediaType::parse("application/eat+jwt; eat_profile=\"tag:github.com,2023:veraison/ear\"")
        .unwrap()
}

pub(crate) fn builder() -> atls_passport::PassportVerifierBuilder {
    let provider = rustls::crypto::ring::default_provider();
    PassportVerifier::builder(&provider).max_age(Duration::from_secs(600))
}

pub(crate) async fn appraise(
    verifier: &PassportVerifier,
    connection: &Connection,
    token: &[u8],
) -> Result<Appraised, AppraisalError> {
    let passport = Evidence::new(&verifier.media_types()[0], token, connection.bound());
    verifier.appraise(&passport, at(NOW)).await
}

pub(crate) async fn accept(
    verifier: &Arc<PassportVerifier>,
    credential: atls_core::exchange::Credential,
    policy: StandardPolicy,
) -> Result<PeerAttestation, Refusal> {
    let relying_party = RelyingParty::builder()
        .verifier(verifier.clone())
        .standard_policy(policy)
        .build()
        .unwrap();
    relying_party.appraise(credential, at(NOW)).await
}
