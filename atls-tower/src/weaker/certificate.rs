//! Self-signed certificates that carry Evidence.

use std::sync::Arc;
use std::time::Duration;

use atls_core::ConfigError;
use atls_core::certificate;
use atls_core::cmw::Cmw;
use rcgen::CertificateParams;
use rcgen::CustomExtension;
use rcgen::ExtendedKeyUsagePurpose;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::UnixTime;
use rustls::sign::CertifiedKey;
use rustls::sign::SigningKey;

use crate::identity;

/// How long before now a certificate begins, for clocks that are behind.
const SKEW: Duration = Duration::from_secs(300);

/// A certificate for this key with the Evidence in `id-pe-cmw`, valid for a while.
pub(crate) fn with_evidence(
    provider: &CryptoProvider,
    key: &Arc<dyn SigningKey>,
    names: &[String],
    cmw: &Cmw,
    valid: (UnixTime, Duration),
) -> Result<Arc<CertifiedKey>, ConfigError> {
    let mut parameters =
        CertificateParams::new(names.to_vec()).map_err(|_| ConfigError::Identity)?;
    parameters.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let (now, lifetime) = valid;
    let now = std::time::UNIX_EPOCH
        .checked_add(Duration::from_secs(now.as_secs()))
        .ok_or(ConfigError::Identity)?;
    let (begin, end) = (now.checked_sub(SKEW), now.checked_add(lifetime));
    parameters.not_before = begin.ok_or(ConfigError::Identity)?.into();
    parameters.not_after = end.ok_or(ConfigError::Identity)?.into();
    let value = certificate::cmw_extension(cmw).map_err(|_| ConfigError::Identity)?;
    parameters
        .custom_extensions
        .push(CustomExtension::from_oid_content(
            certificate::ID_PE_CMW,
            value,
        ));
    identity::self_signed_by(provider, key, parameters)
}
