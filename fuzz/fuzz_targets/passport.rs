//! Any claims, well signed by a trusted issuer, as a passport of each dialect. None is accepted without the value of this connection, and none that
//! somebody else signed.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;

use atls_core::Evidence;
use atls_core::Verifier;
use atls_formats::snp;
use atls_fuzz::ear::NOW;
use atls_fuzz::http::replaced;
use atls_fuzz::sign;
use atls_passport::PassportVerifier;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use test_support::Connection;
use test_support::at;
use test_support::ready;

struct Setting {
    connection: Connection,
    verifier: PassportVerifier,
}

/// Of a JWT and of a CWT.
type Signers = (fn(&[u8]) -> String, fn(&[u8]) -> Vec<u8>);

atls_fuzz::target!(|claims: &[u8]| {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    let setting = SETTING.get_or_init(Setting::new);
    let Some((media_type, claims)) = claims.split_first() else {
        return;
    };
    let issuer: Signers = (sign::jwt, sign::cwt);
    let nobody: Signers = (sign::jwt_of_nobody, sign::cwt_of_nobody);
    assert!(!setting.accepts(*media_type, claims, issuer));
    let about = setting.about_this_connection(claims);
    let _ = setting.accepts(*media_type, &about, issuer);
    assert!(!setting.accepts(*media_type, &about, nobody));
});

impl Setting {
    fn new() -> Self {
        let provider = rustls::crypto::ring::default_provider();
        let keys = Arc::new(sign::keys());
        let veraison = TrustedIssuer::veraison(keys.clone())
            .with_scheme(Scheme::psa_iot("default"))
            .with_scheme(Scheme::cca_realm("default"))
            .with_scheme(Scheme::cca_platform("default"))
            .with_scheme(Scheme::dangerous_sev_snp("default"));
        let trustee =
            TrustedIssuer::trustee(keys.clone()).with_scheme(Scheme::trustee("snp", "default"));
        let verifier = PassportVerifier::builder(&provider)
            .issuer(veraison)
            .issuer(trustee)
            .build();
        Self {
            connection: Connection::new(),
            verifier: verifier.expect("a verifier"),
        }
    }

    fn accepts(&self, media_type: u8, claims: &[u8], (jwt, cwt): Signers) -> bool {
        let media_types = self.verifier.media_types();
        let media_type = &media_types[usize::from(media_type) % media_types.len()];
        let passport = match media_type.essence().ends_with("cwt") {
            true => cwt(claims),
            false => jwt(claims).into_bytes(),
        };
        let evidence = Evidence::new(media_type, &passport, self.connection.bound());
        ready(self.verifier.appraise(&evidence, at(NOW))).is_ok()
    }

    /// With the value of the connection in the place of marks: an input cannot know it.
    fn about_this_connection(&self, claims: &[u8]) -> Vec<u8> {
        let bound = self.connection.bound();
        let claims = replaced(claims, b"@nonce@", BASE64_URL_SAFE.encode(bound).as_bytes());
        let report_data = snp::report_data(bound);
        let hex: String = report_data
            .bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        replaced(&claims, b"@report@", hex.as_bytes())
    }
}
