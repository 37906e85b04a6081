//! AMD's revocation lists: one for each product and kind of key, signed by the ARK.
//!
//! DER and the ARK go in; the revoked serial numbers and the dates of the list come out. A list of another form or key is an
//! `AppraisalError`.

use atls_core::AppraisalError;
use atls_core::bounded;
use atls_core::limits::MAX_REVOCATION_VALUES;
use atls_core::pki_types::UnixTime;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::x509::X509Version;

use crate::roots::Authority;
use crate::x509;
use crate::x509::Serial;
use crate::x509::Validity;

/// A list with the verified signature of the ARK.
pub(crate) struct RevocationList {
    revoked: Vec<Serial>,
    validity: Validity,
}

impl RevocationList {
    /// Verifies a list that is in force now.
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`], also for critical extensions, because they narrow the list, and for a list without the date of
    /// the next one; [`AppraisalError::BadSignature`] if the ARK did not sign it; [`AppraisalError::Expired`] when the next one is
    /// due.
    pub(crate) fn verify(
        der: &[u8],
        ark: &Authority,
        now: UnixTime,
    ) -> Result<Self, AppraisalError> {
        let list = Self::verify_signature(der, ark)?;
        list.validity.check(now)?;
        Ok(list)
    }

    /// Verifies a list of any time.
    ///
    /// # Errors
    /// As [`verify`](Self::verify), but for [`AppraisalError::Expired`].
    pub(crate) fn verify_signature(der: &[u8], ark: &Authority) -> Result<Self, AppraisalError> {
        let (rest, list) = read(der).ok_or(AppraisalError::Malformed)?;
        let body = &list.tbs_cert_list;
        let whole = rest.is_empty()
            && body.version == Some(X509Version::V2)
            && x509::is_framed(der, body.as_ref(), &list.signature_value.data);
        let one_algorithm = body.signature == list.signature_algorithm;
        if !whole || !one_algorithm {
            return Err(AppraisalError::Malformed);
        }
        if x509::common_name(&body.issuer) != Some(&ark.common_name) {
            return Err(AppraisalError::UnknownKey);
        }
        ark.key.verify(
            &list.signature_algorithm,
            body.as_ref(),
            &list.signature_value.data,
        )?;
        let critical = body.iter_extensions().any(|extension| extension.critical);
        let mut revoked = Vec::new();
        for entry in list.iter_revoked_certificates() {
            let narrowed = entry.iter_extensions().any(|extension| {
                let reason = matches!(
                    extension.parsed_extension(),
                    ParsedExtension::ReasonCode(_) | ParsedExtension::InvalidityDate(_)
                );
                extension.critical && !reason
            });
            if narrowed {
                return Err(AppraisalError::Malformed);
            }
            revoked.push(Serial::new(entry.raw_serial()));
        }
        if critical {
            return Err(AppraisalError::Malformed);
        }
        let validity = validity_of(&list)?;
        Ok(Self { revoked, validity })
    }

    /// Whether the list has one of these. AMD gives the number zero to every VEK, so zero revokes nothing.
    pub(crate) fn revokes<'a>(&self, serials: impl IntoIterator<Item = &'a Serial>) -> bool {
        serials
            .into_iter()
            .any(|serial| !serial.is_zero() && self.revoked.contains(serial))
    }

    pub(crate) fn validity(&self) -> Validity {
        self.validity
    }
}

/// The time from the list's date to the date of the next one. Nothing is verified.
pub(crate) fn validity(der: &[u8]) -> Option<Validity> {
    let (_, list) = read(der)?;
    validity_of(&list).ok()
}

/// The list, and the bytes behind it.
fn read(der: &[u8]) -> Option<(&[u8], CertificateRevocationList<'_>)> {
    if !bounded::der(MAX_REVOCATION_VALUES, der) {
        return None;
    }
    CertificateRevocationList::from_der(der).ok()
}

/// # Errors
/// [`AppraisalError::Malformed`] without the date of the next list.
fn validity_of(list: &CertificateRevocationList<'_>) -> Result<Validity, AppraisalError> {
    let next = list.next_update().ok_or(AppraisalError::Malformed)?;
    Ok(Validity {
        not_before: x509::seconds(list.last_update())?,
        not_after: x509::seconds(next)?,
    })
}
