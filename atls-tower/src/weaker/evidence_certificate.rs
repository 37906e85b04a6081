//! Self-signed certificates that carry Evidence.

use std::sync::Arc;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::ConfigError;
use atls_core::cmw::Cmw;
use rcgen::CertificateParams;
use rcgen::CustomExtension;
use rcgen::ExtendedKeyUsagePurpose;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::UnixTime;
use rustls::sign::CertifiedKey;
use rustls::sign::SigningKey;

use super::certificate_profile::CertificateProfile;
use crate::error::Error;
use crate::identity;

/// How long before now a certificate begins, for clocks that are behind.
pub(super) const SKEW: Duration = Duration::from_secs(300);

/// A certificate for this key that begins now, with the Evidence that an attester made for the request.
///
/// # Errors
/// Local, also for Evidence that the format cannot carry.
pub(crate) fn with_evidence(
    provider: &CryptoProvider,
    key: &Arc<dyn SigningKey>,
    profile: &CertificateProfile,
    evidence: (AttestRequest<'_>, &Cmw),
    now: UnixTime,
) -> Result<Arc<CertifiedKey>, Error> {
    let mut parameters =
        CertificateParams::new(profile.names.clone()).map_err(|_| ConfigError::Identity)?;
    parameters.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let now = std::time::UNIX_EPOCH
        .checked_add(Duration::from_secs(now.as_secs()))
        .ok_or(ConfigError::Identity)?;
    let (begin, end) = (now.checked_sub(SKEW), now.checked_add(profile.lifetime));
    parameters.not_before = begin.ok_or(ConfigError::Identity)?.into();
    parameters.not_after = end.ok_or(ConfigError::Identity)?.into();
    let (request, made) = evidence;
    let value = profile.format.extension(request, made);
    let extension =
        CustomExtension::from_oid_content(profile.format.oid(), value.map_err(AttestError::from)?);
    parameters.custom_extensions.push(extension);
    Ok(identity::self_signed_by(provider, key, parameters)?)
}
