//! HTTP for the ACME client: one origin, with limits of time and size.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use atls_core::http::HttpClient;
use atls_core::http::HttpLimits;
use bytes::Bytes;
use http::Request;
use http::Uri;
use http_body_util::BodyExt;
use instant_acme::BodyWrapper;
use instant_acme::BytesResponse;
use instant_acme::Error;

/// Sends requests of the ACME client to the origin of the directory, and to no other.
pub(crate) struct OneOrigin {
    client: Arc<dyn HttpClient>,
    directory: Uri,
}

impl OneOrigin {
    pub(crate) fn new(client: Arc<dyn HttpClient>, directory: &Uri) -> Self {
        let directory = directory.clone();
        Self { client, directory }
    }

    /// The server names all addresses but the first. None of them shall have this machine call on somebody else.
    fn is_of_origin(&self, uri: &Uri) -> bool {
        uri.scheme() == self.directory.scheme() && uri.authority() == self.directory.authority()
    }
}

impl instant_acme::HttpClient for OneOrigin {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.client.clone();
        let is_of_origin = self.is_of_origin(request.uri());
        Box::pin(async move {
            if !is_of_origin {
                return Err(Error::Str("an address of the origin of its directory"));
            }
            let (parts, body) = request.into_parts();
            let Ok(body) = body.collect().await;
            let request = Request::from_parts(parts, body.to_bytes().to_vec());
            let response = client.send(request, HttpLimits::new(DEADLINE, MAX_BODY));
            let response = response.await.map_err(|error| Error::Other(error.into()))?;
            let (parts, body) = response.into_parts();
            let body = Box::new(Bytes::from(body));
            Ok(BytesResponse { parts, body })
        })
    }
}

impl fmt::Debug for OneOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneOrigin")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

/// Of one request. ACME servers think for seconds when they sign.
const DEADLINE: Duration = Duration::from_secs(20);

/// Bytes. The largest document is a chain of certificates.
const MAX_BODY: usize = 128 * 1024;
