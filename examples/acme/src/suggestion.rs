//! When an ACME server wants a certificate renewed: RFC 9773.

use instant_acme::CertificateIdentifier;
use instant_acme::SuggestedWindow;
use rustls::crypto::SecureRandom;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::Der;
use x509_parser::extensions::ParsedExtension;

/// RFC 9773 §4.1: the issuer's key and the serial number. `None` for a certificate that does not name its issuer's key.
pub(crate) fn identifier(
    certificate: &CertificateDer<'_>,
) -> Option<CertificateIdentifier<'static>> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let mut extensions = parsed.iter_extensions();
    let issuer = extensions.find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(issuer) => issuer.key_identifier.as_ref(),
        _ => None,
    })?;
    let identifier = CertificateIdentifier::new(
        Der::from_slice(issuer.0),
        Der::from_slice(parsed.tbs_certificate.raw_serial()),
    );
    Some(identifier.into_owned())
}

/// RFC 9773 §4.2: any second of the window, so that not all certificates are renewed in its first. `None` for a window that has none.
pub(crate) fn moment(window: &SuggestedWindow, random: &dyn SecureRandom) -> Option<u64> {
    let start = u64::try_from(window.start.unix_timestamp()).ok()?;
    let end = u64::try_from(window.end.unix_timestamp()).ok()?;
    let length = end.checked_sub(start)?;
    let mut bytes = [0; 8];
    random.fill(&mut bytes).ok()?;
    let offset = u64::from_be_bytes(bytes).checked_rem(length)?;
    start.checked_add(offset)
}
