//! Tables of attestation keys with one key: that of the Evidence.

use atls_cca::CcaKeys;
use atls_cca::PsaKeys;
use atls_cca::TrustedKey as ArmKey;
use atls_core::bounded;
use atls_core::limits::MAX_CERTIFICATE_VALUES;
use atls_formats::tpm::TpmEvidence;
use atls_reference::Table;
use atls_tpm::AttestationKey;
use atls_tpm::TpmKeys;
use atls_tpm::TrustedKey as TpmKey;
use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::lines::line;
use super::lines::pin;
use super::lines::string;
use crate::appraise::AttestationKeys;
use crate::failure::Failure;

/// The implementation and the instance of a token.
pub(super) struct Instance<'a> {
    pub(super) implementation_id: &'a [u8; 32],
    pub(super) instance_id: &'a [u8; 33],
}

pub(super) fn cca(instance: &Instance<'_>, known: &AttestationKeys) -> Result<String, Failure> {
    let table = known.table::<CcaKeys>()?;
    let keys = table.map(|table| table.keys);
    arm(instance, keys, CcaKeys::NAME, "cpak")
}

pub(super) fn psa(instance: &Instance<'_>, known: &AttestationKeys) -> Result<String, Failure> {
    let table = known.table::<PsaKeys>()?;
    let keys = table.map(|table| table.keys);
    arm(instance, keys, PsaKeys::NAME, "iak")
}

fn arm(
    instance: &Instance<'_>,
    keys: Option<Vec<ArmKey>>,
    table: &str,
    field: &str,
) -> Result<String, Failure> {
    let keys = keys.ok_or_else(|| {
        Failure::usage("a token does not have the key that signed it").with_help(format!(
            "--attestation-keys FILE names the key, in a table [{table}]"
        ))
    })?;
    let is_it = |key: &ArmKey| {
        key.implementation_id.as_bytes() == instance.implementation_id
            && key.instance_id.as_bytes() == instance.instance_id
    };
    let key = keys.into_iter().find(is_it).ok_or_else(unknown)?;
    Ok(entry(
        &json!(key),
        &format!("{table}.{field}"),
        "The key that may sign, of those that were named.",
    ))
}

/// The key that signed, as the file says; as an authority in the file certified it; or, unasked, whichever came.
pub(super) fn tpm(bytes: &[u8], known: &AttestationKeys) -> Result<String, Failure> {
    let table = known.table::<TpmKeys>()?;
    let evidence = TpmEvidence::decode(bytes).map_err(|_| unknown())?;
    let Some(table) = table else {
        let key = AttestationKey::decode(&evidence.ak).map_err(|_| unknown())?;
        let key = TpmKey::provided("as seen", key);
        let says = "The key that came. NOBODY FOUND OUT whether it is of a TPM: vouch for it, or enrol it.";
        return Ok(entry(&json!(key), ENTRY, says));
    };
    let mut keys = table.keys.iter();
    if let Some(key) = keys.find(|key| key.public.as_bytes() == evidence.ak) {
        let says = "The key that may sign, of those that were named.";
        return Ok(entry(&json!(key), ENTRY, says));
    }
    let key = certified(&evidence, &table).ok_or_else(unknown)?;
    let says =
        "The key that may sign. An authority in the file of --attestation-keys certified it.";
    Ok(entry(&json!(key), ENTRY, says))
}

/// Nothing is verified: the appraisal under the file does that.
fn certified(evidence: &TpmEvidence, table: &TpmKeys) -> Option<TpmKey> {
    let digest: [u8; 32] = Sha256::digest(own(evidence.ak_certificates.as_deref()?)?).into();
    let key = AttestationKey::decode(&evidence.ak).ok()?;
    let mut key = TpmKey::provided("as seen", key).certified_by(digest.into());
    let mut authorities = table.authorities.iter();
    key.software = authorities.any(|authority| authority.software);
    Some(key)
}

/// The first of certificates in DER, one after the other, each with a length of two bytes. The peer wrote it.
fn own(certificates: &[u8]) -> Option<&[u8]> {
    let [0x30, 0x82, high, low, ..] = certificates else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low])).checked_add(4)?;
    let certificate = certificates.get(..length)?;
    if !bounded::der(MAX_CERTIFICATE_VALUES, certificate) {
        return None;
    }
    let (rest, _) = X509Certificate::from_der(certificate).ok()?;
    rest.is_empty().then_some(certificate)
}

fn entry(key: &Value, table: &str, says: &str) -> String {
    let mut text = format!("\n[[{table}]]\n");
    line(&mut text, says);
    for (field, value) in key.as_object().into_iter().flatten() {
        let value = match value {
            Value::String(text) => string(text),
            other => other.to_string(),
        };
        line(&mut text, meaning(field));
        pin(&mut text, field, &value);
    }
    text
}

fn meaning(field: &str) -> &'static str {
    match field {
        "ak-certificate" => {
            "SHA-256 of the certificate of the key, for people: the key itself is named below."
        }
        "ek-certificate" => {
            "SHA-256 of the certificate of the endorsement key that the key was enrolled by."
        }
        "implementation-id" => "The kind of hardware and of immutable firmware that the key is of.",
        "instance-id" => "The machine that the key is of.",
        "name" => "For people: claims and instances call the machine so.",
        "public" => "The key.",
        "reset-count" => "This boot of the machine alone.",
        "software" => "Software holds the key, so results are simulated.",
        _ => "Somebody says that it is the key of a TPM that keeps it.",
    }
}

fn unknown() -> Failure {
    Failure::usage("--attestation-keys (or --trust-sim) does not have the key of this evidence")
}

const ENTRY: &str = "tpm-keys.ak";

#[cfg(test)]
mod tests {
    use rcgen::CertificateParams;
    use rcgen::CustomExtension;
    use rcgen::KeyPair;

    use super::*;

    /// With this many NULLs in an extension that nobody knows.
    fn certificate(nulls: u16) -> Vec<u8> {
        let [high, low] = nulls.checked_mul(2).unwrap().to_be_bytes();
        let content = [&[0x30, 0x82, high, low][..], &[5, 0].repeat(nulls.into())].concat();
        let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], content);
        let mut parameters = CertificateParams::default();
        parameters.custom_extensions.push(extension);
        let certificate = parameters.self_signed(&KeyPair::generate().unwrap());
        certificate.unwrap().der().to_vec()
    }

    #[test]
    fn a_certificate_of_too_many_values_is_not_read() {
        let good = certificate(100);
        let larger = certificate(2000);
        assert!(X509Certificate::from_der(&larger).is_ok());
        assert_eq!(own(&larger), None);
        assert_eq!(own(&[&good[..], &larger].concat()), Some(&good[..]));
    }

    #[test]
    fn a_certificate_that_is_cut_is_not_read() {
        let good = certificate(0);
        for length in 0..good.len() {
            assert_eq!(own(&good[..length]), None, "{length}");
        }
    }
}
