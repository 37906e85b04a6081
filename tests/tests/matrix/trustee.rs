//! A stand-in for Trustee that issues passports, and says of each TD that it may not be debugged.

use std::sync::Arc;

use atls_core::ear::Issuer;
use atls_remote::RemoteIssuer;
use atls_remote::RemoteVerifier;
use atls_trustee::SampleEvidence;
use atls_trustee::TdxQuote;
use atls_trustee::TrusteeService;
use serde_json::json;
use stand_in::Loopback;
use stand_in::Signer;

use crate::NOW;

pub(crate) struct Trustee {
    pub(crate) signer: Arc<Signer>,
    server: Loopback,
}

impl Trustee {
    pub(crate) async fn start() -> Self {
        let signer = Arc::new(Signer::es256());
        let app = stand_in::trustee_with(
            signer.clone(),
            || NOW,
            |signer, claims| {
                let mut claims = claims?;
                let part = &mut claims["submods"]["cpu0"]["ear.veraison.annotated-evidence"];
                if let Some(td) = part.get_mut("tdx") {
                    let body = json!({ "td_attributes": "0000001000000000" });
                    let quote = json!({ "body": body });
                    *td = json!({ "td_attributes": { "debug": false }, "quote": quote });
                }
                Some(signer.token(&claims))
            },
        );
        Self {
            signer,
            server: Loopback::serve(app).await,
        }
    }

    pub(crate) fn issuer(&self) -> Arc<dyn Issuer> {
        let service = TrusteeService::new(&self.server.endpoint(), Loopback::client()).unwrap();
        let keys = Arc::new(self.signer.keys());
        let provider = rustls::crypto::ring::default_provider();
        let verifier = RemoteVerifier::builder(service, keys, &provider)
            .format(TdxQuote::new())
            .format(SampleEvidence::new())
            .build();
        Arc::new(RemoteIssuer::new(verifier.unwrap()).unwrap())
    }
}
