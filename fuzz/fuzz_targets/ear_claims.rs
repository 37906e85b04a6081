//! Any claims, well signed, as JWT and as CWT. A result that was read is stated by a service of ours, and read again with the
//! same status.
#![no_main]

use std::sync::OnceLock;

use atls_core::ear::Ear;
use atls_core::ear::EarSigner;
use atls_core::ear::Statement;
use atls_core::ear::VerificationKeys;
use atls_core::ear::cwt;
use atls_core::ear::jwt;
use atls_fuzz::ear::check;
use atls_fuzz::sign;

struct Setting {
    keys: VerificationKeys,
    signer: EarSigner,
    own_keys: VerificationKeys,
}

atls_fuzz::target!(|claims: &[u8]| {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    let setting = SETTING.get_or_init(Setting::new);
    let supported = test_support::supported();
    let read = match claims.first() {
        // JSON and CBOR differ in the first byte.
        Some(b'{') => jwt::decode(&sign::jwt(claims), &setting.keys, &supported, &check()),
        _ => cwt::decode(&sign::cwt(claims), &setting.keys, &supported, &check()),
    };
    if let Ok(ear) = read {
        setting.state(&ear);
    }
});

impl Setting {
    fn new() -> Self {
        let identity = test_support::identity();
        let signer = EarSigner::new(&*identity.key).expect("a key of P-256");
        let jwk = signer.public_jwk().expect("a public key").to_string();
        Self {
            keys: sign::keys(),
            own_keys: VerificationKeys::from_jwk(&jwk).expect("a key"),
            signer,
        }
    }

    fn state(&self, ear: &Ear) {
        let to_orders = || check().with_audience("orders.example");
        let statement = Statement {
            ear,
            issuer: "gateway.example",
            audience: "orders.example",
            nonce: &[7; 16],
        };
        let supported = test_support::supported();
        let token = jwt::encode(&statement, &self.signer);
        // It may be too large by now.
        if let Ok(token) = token {
            let again = jwt::decode(&token, &self.own_keys, &supported, &to_orders());
            assert_eq!(again.expect("a statement").status(), ear.status());
        }
        if let Ok(token) = cwt::encode(&statement, &self.signer) {
            let again = cwt::decode(&token, &self.own_keys, &supported, &to_orders());
            assert_eq!(again.expect("a statement").status(), ear.status());
        }
    }
}
