//! Quotes and collateral of a forged platform.

use atls_formats::dcap::QuoteToSign;
use atls_formats::dcap::Report;
use atls_formats::dcap::SgxReport;
use atls_formats::dcap::SignatureData;
use atls_formats::dcap::TdReport;
use atls_formats::dcap::Tee;
use atls_formats::dcap::pem;
use ring::digest;

use super::body;
use super::documents;
use super::error::ForgeError;
use super::pki;
use super::platform::ForgedPlatform;
use crate::collateral::Collateral;
use crate::collateral::CollateralParts;

impl ForgedPlatform {
    /// A TD without anything to object to, of TDX 1.0; its measurements are recognisable.
    pub fn td_report(&self) -> TdReport {
        body::td_report()
    }

    /// An enclave without anything to object to; its measurements are recognisable.
    pub fn sgx_report(&self) -> SgxReport {
        body::sgx_report(self)
    }

    /// A quote over a report, whose own report data is replaced: version 4, or 5 where the report has what bodies of
    /// TDX 1.5 add.
    ///
    /// # Errors
    /// [`ForgeError`]
    pub fn tdx_quote(
        &self,
        report: &TdReport,
        report_data: &[u8; 64],
    ) -> Result<Vec<u8>, ForgeError> {
        let report = TdReport {
            report_data: *report_data,
            ..report.clone()
        };
        self.quote(&Report::Td(report))
    }

    /// A quote of version 3 over a report, whose own report data is replaced.
    ///
    /// # Errors
    /// [`ForgeError`]
    pub fn sgx_quote(
        &self,
        report: &SgxReport,
        report_data: &[u8; 64],
    ) -> Result<Vec<u8>, ForgeError> {
        let report = SgxReport {
            report_data: *report_data,
            ..report.clone()
        };
        self.quote(&Report::Sgx(report))
    }

    /// Documents and revocation lists.
    ///
    /// # Errors
    /// [`ForgeError`]
    pub fn collateral(&self, tee: Tee) -> Result<Collateral, ForgeError> {
        let tcb_info = documents::tcb_info(self, tee)?;
        let qe_identity = documents::qe_identity(self, tee)?;
        let chain = pki::signer_chain(self)?;
        Collateral::new(CollateralParts {
            tcb_info_signature: self.keys.signer.sign(tcb_info.as_bytes())?,
            tcb_info,
            tcb_info_issuer_chain: chain.clone(),
            qe_identity_signature: self.keys.signer.sign(qe_identity.as_bytes())?,
            qe_identity,
            qe_identity_issuer_chain: chain,
            pck_crl: pki::pck_crl(self)?,
            root_ca_crl: pki::root_crl(self)?,
        })
        .map_err(|_| ForgeError)
    }

    /// Issuer of the PCK certificates and root, in DER: what Intel's service sends beside the revocation list.
    ///
    /// # Errors
    /// [`ForgeError`]
    pub fn pck_issuer_chain(&self) -> Result<Vec<Vec<u8>>, ForgeError> {
        Ok(vec![pki::issuer(self)?, self.root()])
    }

    /// A certificate chain in PEM, as quotes and DCAP tools have it.
    pub fn pem_of(chain: &[Vec<u8>]) -> String {
        pem::encode(chain)
    }

    /// A certificate chain as Intel's service puts it into a header: percent-encoded PEM.
    pub fn header_of(chain: &[Vec<u8>]) -> String {
        Self::pem_of(chain)
            .bytes()
            .map(|byte| match byte {
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect()
    }

    fn quote(&self, report: &Report) -> Result<Vec<u8>, ForgeError> {
        let quote = QuoteToSign::over(report).ok_or(ForgeError)?;
        let attestation_key = self.keys.attestation.coordinates();
        let authentication = [0x5a; 32];
        let covered = [attestation_key, &authentication].concat();
        let covered = digest::digest(&digest::SHA256, &covered);
        let qe_report = body::qe_report(self, covered.as_ref());
        let data = SignatureData {
            signature: &array(&self.keys.attestation.sign(quote.bytes())?)?,
            attestation_key: &array(attestation_key)?,
            qe_report: &qe_report,
            qe_signature: &array(&self.keys.pck.sign(&qe_report)?)?,
            qe_authentication: &authentication,
            chain: &pki::pck_chain(self)?,
        };
        quote.with_signature(&data).ok_or(ForgeError)
    }
}

fn array(bytes: &[u8]) -> Result<[u8; 64], ForgeError> {
    bytes.try_into().map_err(|_| ForgeError)
}
