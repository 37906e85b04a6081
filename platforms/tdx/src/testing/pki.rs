//! Certificates and revocation lists of a forged platform.

use std::time::Duration;

use rcgen::CertificateParams;
use rcgen::CertificateRevocationListParams;
use rcgen::CustomExtension;
use rcgen::Issuer;
use rcgen::KeyIdMethod;
use rcgen::KeyPair;
use rcgen::KeyUsagePurpose;
use rcgen::RevocationReason;
use rcgen::RevokedCertParams;
use rcgen::SerialNumber;
use x509_cert::der::DateTime;

use super::authority;
use super::authority::PCK;
use super::authority::PCK_ISSUER;
use super::authority::TCB_SIGNER;
use super::authority::named;
use super::error::ForgeError;
use super::key::Key;
use super::pck_extension;
use super::platform::ForgedCertificate;
use super::platform::ForgedPlatform;
use crate::time::DAY;

pub(super) fn issuer(platform: &ForgedPlatform) -> Result<Vec<u8>, ForgeError> {
    signed(
        platform,
        &authority::issuer_params()?,
        &platform.keys.issuer,
        Signer::Root,
    )
}

/// Signer and root.
pub(super) fn signer_chain(platform: &ForgedPlatform) -> Result<Vec<Vec<u8>>, ForgeError> {
    let mut params = named("Forged SGX TCB Signing", TCB_SIGNER)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let signer = signed(platform, &params, &platform.keys.signer, Signer::Root)?;
    Ok(vec![signer, platform.root()])
}

/// PCK certificate, its issuer, the root.
pub(super) fn pck_chain(platform: &ForgedPlatform) -> Result<Vec<Vec<u8>>, ForgeError> {
    let mut params = named("Forged SGX PCK Certificate", PCK)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let end = platform.pck_days.saturating_mul(DAY);
    let (year, month, day) = date(platform.now.saturating_add(end))?;
    params.not_after = rcgen::date_time_ymd(year, month, day);
    let extension =
        CustomExtension::from_oid_content(pck_extension::OID, pck_extension::encode(platform)?);
    params.custom_extensions = vec![extension];
    let pck = signed(platform, &params, &platform.keys.pck, Signer::Issuer)?;
    Ok(vec![pck, issuer(platform)?, platform.root()])
}

pub(super) fn root_crl(platform: &ForgedPlatform) -> Result<Vec<u8>, ForgeError> {
    let of_root = [
        (ForgedCertificate::PckIssuer, PCK_ISSUER),
        (ForgedCertificate::TcbSigner, TCB_SIGNER),
    ];
    crl(platform, &of_root, Signer::Root)
}

pub(super) fn pck_crl(platform: &ForgedPlatform) -> Result<Vec<u8>, ForgeError> {
    crl(platform, &[(ForgedCertificate::Pck, PCK)], Signer::Issuer)
}

#[derive(Clone, Copy)]
enum Signer {
    Issuer,
    Root,
}

impl Signer {
    fn of(self, platform: &ForgedPlatform) -> Result<Issuer<'static, KeyPair>, ForgeError> {
        let (params, key) = match self {
            Self::Issuer => (authority::issuer_params()?, &platform.keys.issuer),
            Self::Root => (authority::root_params()?, &platform.keys.root),
        };
        Ok(Issuer::new(params, key.for_certificates()?))
    }
}

fn signed(
    platform: &ForgedPlatform,
    params: &CertificateParams,
    key: &Key,
    signer: Signer,
) -> Result<Vec<u8>, ForgeError> {
    let key = key.for_certificates()?;
    let certificate = params.signed_by(&key, &signer.of(platform)?);
    Ok(certificate.map_err(|_| ForgeError)?.der().to_vec())
}

fn crl(
    platform: &ForgedPlatform,
    known: &[(ForgedCertificate, u64)],
    signer: Signer,
) -> Result<Vec<u8>, ForgeError> {
    let (year, month, day) = date(platform.now)?;
    let this_update = rcgen::date_time_ymd(year, month, day);
    let end = platform.days.saturating_mul(DAY);
    let (year, month, day) = date(platform.now.saturating_add(end))?;
    let revoked = known
        .iter()
        .filter(|(certificate, _)| platform.revoked.contains(certificate));
    let params = CertificateRevocationListParams {
        this_update,
        next_update: rcgen::date_time_ymd(year, month, day),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: revoked
            .map(|(_, serial)| RevokedCertParams {
                serial_number: SerialNumber::from(*serial),
                revocation_time: this_update,
                reason_code: Some(RevocationReason::KeyCompromise),
                invalidity_date: None,
            })
            .collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = params.signed_by(&signer.of(platform)?);
    Ok(list.map_err(|_| ForgeError)?.der().to_vec())
}

/// Revocation lists have dates of whole days here.
fn date(seconds: u64) -> Result<(i32, u8, u8), ForgeError> {
    let date = DateTime::from_unix_duration(Duration::from_secs(seconds));
    let date = date.map_err(|_| ForgeError)?;
    Ok((date.year().into(), date.month(), date.day()))
}
