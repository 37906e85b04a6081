//! The instance metadata service (IMDS) of the host: certificates of the processor, and quotes of TDs.
//!
//! ```text
//! GET  /metadata/THIM/amd/certification, "Metadata: true"     → { "vcekCert": PEM, "certificateChain": PEM, … }
//! POST /acc/tdquote, { "report": base64url of the TDREPORT }   → { "quote": base64url }
//! ```
//!
//! The host answers, who is hostile. Certificates and quotes are verified by the peer. Here only the form is checked, and that a quote is
//! about the report.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::MediaType;
use atls_core::bounded;
use atls_core::cmw::Cmw;
use atls_core::ear::BinaryText;
use atls_core::http::HttpClient;
use atls_core::http::HttpLimits;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::pem::PemObject;
use atls_formats::azure::HardwareReport;
use atls_formats::dcap::Quote;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::dcap::Tee;
use atls_formats::snp::CertTable;
use atls_formats::snp::CertificateKind;
use atls_formats::snp::SnpEvidence;
use atls_formats::tsm::TSM_REPORT;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Method;
use http::Request;
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::failed::failed;

/// The metadata service, asked by the application's HTTP client. That must take plain HTTP to the link-local address of the service:
/// `atls_remote::ReqwestClient::metadata_service` does, and to no other.
#[derive(Clone)]
pub struct Imds {
    client: Arc<dyn HttpClient>,
    origin: String,
}

impl Imds {
    /// The service of this VM, at `http://169.254.169.254`.
    pub fn new(client: Arc<dyn HttpClient>) -> Self {
        Self::dangerous_at("http://169.254.169.254", client)
    }

    /// A service at another origin: for tests. It makes up what it likes, which the peer then refuses.
    pub fn dangerous_at(origin: impl Into<String>, client: Arc<dyn HttpClient>) -> Self {
        Self {
            client,
            origin: origin.into(),
        }
    }

    /// The Evidence of the processor with this report.
    pub(crate) async fn evidence(&self, report: HardwareReport<'_>) -> Result<Cmw, AttestError> {
        let (media_type, bytes) = match report {
            HardwareReport::Snp(bytes) => (TSM_REPORT, self.snp(bytes).await?),
            HardwareReport::Tdx(bytes) => {
                (TDX_QUOTE, self.quote(bytes, report.report_data()).await?)
            }
        };
        let media_type = MediaType::parse(media_type).map_err(|_| failed("no media type"))?;
        Ok(Cmw::evidence(media_type, bytes))
    }

    async fn snp(&self, report: &[u8]) -> Result<Vec<u8>, AttestError> {
        let request = Request::builder().method(Method::GET);
        let certificates: Certificates = self.ask(request, CERTIFICATES, Vec::new()).await?;
        let mut table = CertTable::new();
        let pem = [certificates.vcek, certificates.chain].join("\n");
        let kinds = [
            CertificateKind::Vcek,
            CertificateKind::Ask,
            CertificateKind::Ark,
        ];
        let mut found = CertificateDer::pem_slice_iter(pem.as_bytes());
        for kind in kinds {
            let der = found.next().and_then(Result::ok);
            let der =
                der.ok_or_else(|| failed("metadata service gave no chain of certificates"))?;
            table = table.with(kind, der.to_vec());
        }
        let evidence = SnpEvidence::new(report.to_vec(), table).encode();
        evidence.map_err(|_| failed("evidence does not encode"))
    }

    async fn quote(&self, report: &[u8], report_data: &[u8]) -> Result<Vec<u8>, AttestError> {
        let report = BASE64_URL_SAFE_NO_PAD.encode(report);
        let body = format!("{{\"report\":\"{report}\"}}").into_bytes();
        let request = Request::builder()
            .method(Method::POST)
            .header("Content-Type", "application/json");
        let answer: TdQuote = self.ask(request, TD_QUOTE, body).await?;
        let quote = BinaryText::Base64Url.decode(&answer.quote);
        let quote = quote.ok_or_else(|| failed("metadata service gave no quote"))?;
        let decoded = Quote::decode(&quote, Tee::Tdx)
            .map_err(|_| failed("metadata service gave no quote of a TD"))?;
        if decoded.report.report_data()[..] != *report_data {
            return Err(failed("metadata service gave a quote about another report"));
        }
        Ok(decoded.bytes.to_vec())
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        request: http::request::Builder,
        path: &str,
        body: Vec<u8>,
    ) -> Result<T, AttestError> {
        let request = request
            .uri(format!("{}{path}", self.origin))
            .header("Metadata", "true")
            .body(body)
            .map_err(|_| failed("address of the metadata service is none"))?;
        let limits = HttpLimits::new(DEADLINE, MAX_ANSWER);
        let response = self.client.send(request, limits).await;
        let response = response.map_err(|error| failed(&format!("metadata service: {error}")))?;
        if response.status() != StatusCode::OK {
            let status = response.status().as_u16();
            return Err(failed(&format!("metadata service answered {status}")));
        }
        let body = response.body();
        // A client should have enforced the length.
        let is_small = body.len() <= MAX_ANSWER && bounded::json(MAX_VALUES, body);
        let answer = is_small
            .then(|| serde_json::from_slice(body).ok())
            .flatten();
        answer.ok_or_else(|| failed("metadata service gave another answer than is known"))
    }
}

impl fmt::Debug for Imds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imds")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Certificates {
    #[serde(rename = "vcekCert")]
    vcek: String,
    #[serde(rename = "certificateChain")]
    chain: String,
}

#[derive(Deserialize)]
struct TdQuote {
    quote: String,
}

const CERTIFICATES: &str = "/metadata/THIM/amd/certification";
const TD_QUOTE: &str = "/acc/tdquote";

/// Within the time of an exchange.
const DEADLINE: Duration = Duration::from_secs(5);

/// Bytes; quotes and chains have some 8,000.
const MAX_ANSWER: usize = 65_536;

/// Names and values of an answer; there are some 10.
const MAX_VALUES: usize = 64;
