//! The names of the forged authorities, and the root's certificate.

use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::DistinguishedName;
use rcgen::DnType;
use rcgen::IsCa;
use rcgen::KeyUsagePurpose;
use rcgen::SerialNumber;

use super::error::ForgeError;
use super::key::Key;

/// The root's certificate. Signatures are randomised and verifiers know the root by its bytes, so it is made once.
pub(super) fn root(key: &Key) -> Result<Vec<u8>, ForgeError> {
    let certificate = root_params()?.self_signed(&key.for_certificates()?);
    Ok(certificate.map_err(|_| ForgeError)?.der().to_vec())
}

pub(super) fn root_params() -> Result<CertificateParams, ForgeError> {
    let mut params = named("Forged SGX Root CA", ROOT)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

pub(super) fn issuer_params() -> Result<CertificateParams, ForgeError> {
    let mut params = named("Forged SGX PCK Platform CA", PCK_ISSUER)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

pub(super) fn named(name: &str, serial: u64) -> Result<CertificateParams, ForgeError> {
    let mut params = CertificateParams::new(Vec::new()).map_err(|_| ForgeError)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_before = rcgen::date_time_ymd(2018, 5, 21);
    params.not_after = rcgen::date_time_ymd(2049, 12, 31);
    Ok(params)
}

// Serial numbers.
const ROOT: u64 = 1;
pub(super) const PCK_ISSUER: u64 = 2;
pub(super) const TCB_SIGNER: u64 = 3;
pub(super) const PCK: u64 = 4;
