//! A collection of CCA tokens, or one token. Claims that were read are written, and read again as the same.
#![no_main]

use atls_formats::psa::CcaPlatform;
use atls_formats::psa::CcaRealm;
use atls_formats::psa::CcaToken;
use atls_formats::psa::Ecdsa;
use atls_formats::psa::PsaDevice;
use atls_formats::psa::SignedToken;

atls_fuzz::target!(|bytes: &[u8]| {
    if let Ok(collection) = CcaToken::decode(bytes) {
        check(collection.platform_token());
        check(collection.realm_token());
    }
    if let Ok(token) = SignedToken::decode(bytes) {
        check(&token);
    }
});

fn check(token: &SignedToken) {
    let again = |token: Option<atls_formats::psa::TokenToSign>| {
        let token = token.unwrap().with_signature(&[0; 96]).unwrap();
        SignedToken::decode(&token).unwrap()
    };
    let claims = token.claims();
    if let Ok(platform) = CcaPlatform::of(claims) {
        let written = again(platform.to_sign(Ecdsa::Es384));
        assert_eq!(CcaPlatform::of(written.claims()), Ok(platform));
    }
    if let Ok(realm) = CcaRealm::of(claims) {
        let written = again(realm.to_sign(Ecdsa::Es384));
        assert_eq!(CcaRealm::of(written.claims()), Ok(realm));
    }
    if let Ok(device) = PsaDevice::of(claims) {
        let written = again(device.to_sign(Ecdsa::Es384));
        assert_eq!(PsaDevice::of(written.claims()), Ok(device));
    }
    if let Some(ecdsa) = token.plain_ecdsa() {
        let _ = ecdsa.to_x509(token.signature());
    }
}
