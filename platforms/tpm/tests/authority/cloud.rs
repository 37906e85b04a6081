//! An authority that certifies keys.

use atls_core::pki_types::CertificateDer;
use atls_formats::tpm::Public;
use rcgen::CertificateParams;
use rcgen::ExtendedKeyUsagePurpose;

/// A root, and an authority below it that certifies keys.
pub(crate) struct Cloud {
    pub(crate) root: CertificateDer<'static>,
    pub(crate) intermediate: Vec<u8>,
    pub(crate) issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Cloud {
    pub(crate) fn new() -> Self {
        // As that of Google Cloud: for endorsement keys, by its own certificate.
        Self::of(vec![ExtendedKeyUsagePurpose::Other(vec![2, 23, 133, 8, 1])])
    }

    pub(crate) fn of(purposes: Vec<ExtendedKeyUsagePurpose>) -> Self {
        let authority = |name: &str| {
            let mut params = CertificateParams::default();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            params
                .distinguished_name
                .push(rcgen::DnType::CommonName, name);
            (params, rcgen::KeyPair::generate().unwrap())
        };
        let (params, key) = authority("root");
        let root = params.self_signed(&key).unwrap().der().clone();
        let issuer = rcgen::Issuer::new(params, key);
        let (mut params, key) = authority("intermediate");
        params.extended_key_usages = purposes;
        let intermediate = params.signed_by(&key, &issuer).unwrap();
        Self {
            root,
            intermediate: intermediate.der().to_vec(),
            issuer: rcgen::Issuer::new(params, key),
        }
    }

    pub(crate) fn certify(
        &self,
        public: &Public,
        purposes: Vec<ExtendedKeyUsagePurpose>,
    ) -> Vec<u8> {
        let key = Point(public.subject_public_key().unwrap());
        let mut params = CertificateParams::default();
        params.extended_key_usages = purposes;
        params.not_after = rcgen::date_time_ymd(2028, 1, 1);
        params.signed_by(&key, &self.issuer).unwrap().der().to_vec()
    }
}

struct Point(Vec<u8>);

impl rcgen::PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

/// `tcg-kp-AIKCertificate`
pub(crate) fn aik() -> Vec<ExtendedKeyUsagePurpose> {
    vec![ExtendedKeyUsagePurpose::Other(vec![2, 23, 133, 8, 3])]
}

pub(crate) fn pem(certificate: &[u8]) -> String {
    use base64::Engine;
    let body = base64::prelude::BASE64_STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}
