//! The attester half of Trustee's simulator: a request goes in, unsigned Evidence comes out.

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::MediaTypeError;
use atls_core::cmw::Cmw;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::format::SampleEvidence;

/// Makes Evidence of Trustee's `sample` TEE. **Anybody can run this**: use it to try a Trustee of your own on a machine without a
/// TEE.
#[derive(Clone, Debug)]
pub struct SampleAttester {
    svn: String,
    media_types: [MediaType; 1],
}

impl SampleAttester {
    /// Claims this security version. Trustee's default policy compares it with the reference value `svn`.
    ///
    /// # Errors
    /// [`MediaTypeError`]: never, as the media type is a constant.
    pub fn new(svn: impl Into<String>) -> Result<Self, MediaTypeError> {
        Ok(Self {
            svn: svn.into(),
            media_types: [MediaType::parse(SampleEvidence::MEDIA_TYPE)?],
        })
    }
}

impl Attester for SampleAttester {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            let report_data = SampleEvidence::report_data(request.bound());
            let report_data = BASE64_STANDARD.encode(report_data.bytes());
            let evidence = json!({ "svn": self.svn, "report_data": report_data });
            let [media_type] = &self.media_types;
            Ok(Cmw::evidence(
                media_type.clone(),
                evidence.to_string().into_bytes(),
            ))
        })
    }
}
