//! The attester's half.
//!
//! The value of a connection goes in, a signed result about Evidence with that value comes out. The issuer's failure is the attester's.

use std::fmt;
use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::cmw::Item;
use atls_core::ear::Issuer;
use atls_core::ear::MAX_TOKEN;

/// Makes Evidence by another attester, has it appraised, and presents the result: fresh for each connection.
///
/// The issuer sees the Evidence and so this machine's measurements and identifiers; peers see the result only. Each
/// connection waits for the issuer.
pub struct PassportAttester {
    device: Arc<dyn Attester>,
    issuer: Arc<dyn Issuer>,
    media_types: [MediaType; 1],
}

impl PassportAttester {
    /// Takes the device that makes Evidence, and the issuer that appraises it.
    pub fn new(device: Arc<dyn Attester>, issuer: Arc<dyn Issuer>) -> Self {
        Self {
            media_types: [issuer.media_type().clone()],
            device,
            issuer,
        }
    }

    async fn passport(&self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        // The issuer is to find the value of this request in the Evidence.
        let evidence = self.device.attest(request.alone()).await?;
        let items = evidence.items();
        let mut decisive = items.iter().filter(|item| !item.is_endorsements_only());
        let (Some(item), None) = (decisive.next(), decisive.next()) else {
            return Err(AppraisalError::Malformed.into());
        };
        let media_type = item.media_type().filter(|_| Item::is_evidence(item));
        let media_type = media_type.ok_or(AppraisalError::Malformed)?;
        let evidence = Evidence::new(&media_type, item.value(), request.bound());
        let passport = self.issuer.issue(&evidence).await?;
        if passport.len() > MAX_TOKEN {
            return Err(AppraisalError::BadResult.into());
        }
        let [media_type] = &self.media_types;
        Ok(Cmw::attestation_results(media_type.clone(), passport))
    }
}

impl Attester for PassportAttester {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(self.passport(request))
    }
}

impl fmt::Debug for PassportAttester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassportAttester")
            .field("media_types", &self.media_types)
            .finish_non_exhaustive()
    }
}
