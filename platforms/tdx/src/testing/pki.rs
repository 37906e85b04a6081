//! Root, issuers, certificates and revocation lists.

use std::time::Duration;

use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertificateRevocationListParams;
use rcgen::CustomExtension;
use rcgen::DistinguishedName;
use rcgen::DnType;
use rcgen::IsCa;
use rcgen::Issuer;
use rcgen::KeyIdMethod;
use rcgen::KeyPair;
use rcgen::KeyUsagePurpose;
use rcgen::RevocationReason;
use rcgen::RevokedCertParams;
use rcgen::SerialNumber;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair as _;
use x509_cert::der::DateTime;

use super::DAY;
use super::ForgeError;
use super::ForgedCertificate;
use super::ForgedPlatform;

/// A P-256 key, for certificates and for what is signed as `r ‖ s`.
pub(super) struct Key {
    pkcs8: Vec<u8>,
    raw: EcdsaKeyPair,
}

impl Key {
    pub(super) fn generate() -> Result<Self, ForgeError> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(|_| ForgeError)?;
        let raw = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random);
        Ok(Self {
            pkcs8: pkcs8.as_ref().to_vec(),
            raw: raw.map_err(|_| ForgeError)?,
        })
    }

    /// `r ‖ s`.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ForgeError> {
        let signature = self.raw.sign(&SystemRandom::new(), message);
        Ok(signature.map_err(|_| ForgeError)?.as_ref().to_vec())
    }

    /// `x ‖ y`.
    pub(super) fn coordinates(&self) -> &[u8] {
        self.raw.public_key().as_ref().get(1..).unwrap_or_default()
    }

    fn for_certificates(&self) -> Result<KeyPair, ForgeError> {
        KeyPair::try_from(self.pkcs8.as_slice()).map_err(|_| ForgeError)
    }
}

/// Made once: signatures are randomised, and the root is known by its bytes.
pub(super) fn root(key: &Key) -> Result<Vec<u8>, ForgeError> {
    let certificate = root_params()?.self_signed(&key.for_certificates()?);
    Ok(certificate.map_err(|_| ForgeError)?.der().to_vec())
}

pub(super) fn issuer(platform: &ForgedPlatform) -> Result<Vec<u8>, ForgeError> {
    signed(
        platform,
        &issuer_params()?,
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
    let extension = CustomExtension::from_oid_content(SGX_EXTENSION, extension(platform)?);
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
            Self::Issuer => (issuer_params()?, &platform.keys.issuer),
            Self::Root => (root_params()?, &platform.keys.root),
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

fn root_params() -> Result<CertificateParams, ForgeError> {
    let mut params = named("Forged SGX Root CA", ROOT)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn issuer_params() -> Result<CertificateParams, ForgeError> {
    let mut params = named("Forged SGX PCK Platform CA", PCK_ISSUER)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn named(name: &str, serial: u64) -> Result<CertificateParams, ForgeError> {
    let mut params = CertificateParams::new(Vec::new()).map_err(|_| ForgeError)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_before = rcgen::date_time_ymd(2018, 5, 21);
    params.not_after = rcgen::date_time_ymd(2049, 12, 31);
    Ok(params)
}

/// Intel SGX PCK Certificate and CRL Profile Specification §1.3.5, "SGX Extension".
fn extension(platform: &ForgedPlatform) -> Result<Vec<u8>, ForgeError> {
    let bytes = |bytes: &[u8]| tlv(0x04, bytes);
    let integer = |value: u8| tlv(0x02, &[value]);
    let truth = |value: bool| tlv(0x01, &[if value { 0xff } else { 0 }]);
    let mut tcb = Vec::new();
    for component in 1..=16 {
        tcb.extend(entry(&[2, component], &integer(platform.svn)?)?);
    }
    tcb.extend(entry(&[2, 17], &integer(platform.svn)?)?);
    tcb.extend(entry(&[2, 18], &bytes(&[platform.svn; 16])?)?);
    let configuration = [
        entry(&[7, 1], &truth(platform.dynamic_platform)?)?,
        entry(&[7, 2], &truth(platform.cached_keys)?)?,
        entry(&[7, 3], &truth(platform.smt)?)?,
    ];
    let entries = [
        entry(&[1], &bytes(&platform.ppid)?)?,
        entry(&[2], &tlv(SEQUENCE, &tcb)?)?,
        entry(&[3], &bytes(&[0, 0])?)?,
        entry(&[4], &bytes(&platform.fmspc)?)?,
        entry(&[5], &tlv(0x0a, &[1])?)?,
        entry(&[6], &bytes(&[0x1d; 16])?)?,
        entry(&[7], &tlv(SEQUENCE, &configuration.concat())?)?,
    ];
    tlv(SEQUENCE, &entries.concat())
}

/// `SEQUENCE { 1.2.840.113741.1.13.1.<path>, value }`
fn entry(path: &[u8], value: &[u8]) -> Result<Vec<u8>, ForgeError> {
    let prefix = [0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 1, 13, 1];
    let oid = tlv(0x06, &[&prefix[..], path].concat())?;
    tlv(SEQUENCE, &[&oid, value].concat())
}

fn tlv(tag: u8, value: &[u8]) -> Result<Vec<u8>, ForgeError> {
    let length = u16::try_from(value.len()).map_err(|_| ForgeError)?;
    let header = match length.to_be_bytes() {
        [0, short @ 0..=0x7f] => vec![tag, short],
        [0, long] => vec![tag, 0x81, long],
        [high, low] => vec![tag, 0x82, high, low],
    };
    Ok([&header, value].concat())
}

/// Revocation lists have dates of whole days here.
fn date(seconds: u64) -> Result<(i32, u8, u8), ForgeError> {
    let date = DateTime::from_unix_duration(Duration::from_secs(seconds));
    let date = date.map_err(|_| ForgeError)?;
    Ok((date.year().into(), date.month(), date.day()))
}

const SGX_EXTENSION: &[u64] = &[1, 2, 840, 113_741, 1, 13, 1];

const SEQUENCE: u8 = 0x30;

// Serial numbers.
const ROOT: u64 = 1;
const PCK_ISSUER: u64 = 2;
const TCB_SIGNER: u64 = 3;
const PCK: u64 = 4;
