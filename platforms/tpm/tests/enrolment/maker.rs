//! A maker of TPMs, who certifies what it is told to.

use std::sync::LazyLock;

use atls_core::pki_types::CertificateDer;
use atls_tpm::Enroller;
use atls_tpm::testing::SwtpmProcess;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::KeyUsagePurpose;

/// A root of its own, which certifies keys itself.
pub(crate) struct Maker {
    pub(crate) root: CertificateDer<'static>,
    pub(crate) issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Maker {
    pub(crate) fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let name = key.serialize_der()[40..48].escape_ascii().to_string();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root = params.self_signed(&key).unwrap().der().clone();
        Self {
            root,
            issuer: rcgen::Issuer::new(params, key),
        }
    }

    pub(crate) fn enroller(&self) -> Enroller {
        let provider = rustls::crypto::ring::default_provider();
        Enroller::new([self.root.clone()], &provider)
    }

    pub(crate) fn certify(
        &self,
        params: &rcgen::CertificateParams,
        key: &EndorsementKey,
    ) -> Vec<u8> {
        params.signed_by(key, &self.issuer).unwrap().der().to_vec()
    }

    /// The certificate of this TPM's endorsement key of ECC.
    pub(crate) fn certify_ecc(&self, tpm: &SwtpmProcess) -> Vec<u8> {
        let point = tpm.ecc_endorsement_key().unwrap().subject_public_key();
        let key = EndorsementKey(point.unwrap(), &rcgen::PKCS_ECDSA_P256_SHA256);
        let mut params = rcgen::CertificateParams::default();
        params.key_usages = vec![KeyUsagePurpose::KeyAgreement];
        params.extended_key_usages = vec![EK_PURPOSE.clone()];
        self.certify(&params, &key)
    }

    /// A list with the certificate of this number, good for some years.
    pub(crate) fn revoking(&self, serial: &[u8]) -> Vec<u8> {
        let revoked = rcgen::RevokedCertParams {
            serial_number: rcgen::SerialNumber::from_slice(serial),
            revocation_time: rcgen::date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = rcgen::CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2024, 1, 1),
            next_update: rcgen::date_time_ymd(2028, 1, 1),
            crl_number: rcgen::SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().der().to_vec()
    }
}

pub(crate) struct EndorsementKey(
    pub(crate) Vec<u8>,
    pub(crate) &'static rcgen::SignatureAlgorithm,
);

impl rcgen::PublicKeyData for EndorsementKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.1
    }
}

pub(crate) static EK_PURPOSE: LazyLock<ExtendedKeyUsagePurpose> =
    LazyLock::new(|| ExtendedKeyUsagePurpose::Other(vec![2, 23, 133, 8, 1]));

/// `subjectAltName` with a directory name whose one attribute is `tcg-at-tpmManufacturer`.
pub(crate) fn maker_among_alternative_names() -> rcgen::CustomExtension {
    let name = [
        &[0x30, 0x1c, 0xa4, 0x1a, 0x30, 0x18, 0x31, 0x16, 0x30, 0x14][..],
        &[0x06, 0x05, 0x67, 0x81, 0x05, 0x02, 0x01],
        &[0x0c, 0x0b],
        b"id:00001014",
    ]
    .concat();
    rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 17], name)
}
