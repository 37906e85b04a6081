//! SEV-SNP Evidence: a report and its certificates, in the envelope of configfs-tsm.

use super::cert_table::CertTable;
use super::error::SnpFormatError;
use super::report::REPORT_LENGTH;
use crate::printed::printed_by_name;
use crate::tsm::TsmReport;

/// A report with its certificates. Nothing is verified.
#[derive(Clone, PartialEq, Eq)]
pub struct SnpEvidence {
    report: Vec<u8>,
    certificates: CertTable,
}

printed_by_name!(SnpEvidence, "SnpEvidence");

impl SnpEvidence {
    /// Makes Evidence of its parts, such as a report out of a paravisor's envelope.
    pub fn new(report: Vec<u8>, certificates: CertTable) -> Self {
        Self {
            report,
            certificates,
        }
    }

    /// Reads the [envelope](TsmReport) and the certificate table in it. It checks the report's length;
    /// [`Report::decode`](super::Report::decode) reads the rest.
    ///
    /// # Errors
    /// [`SnpFormatError`]
    pub fn decode(bytes: &[u8]) -> Result<Self, SnpFormatError> {
        let envelope = TsmReport::decode(bytes)?;
        if envelope.provider != PROVIDER {
            return Err(SnpFormatError::Provider);
        }
        if envelope.outblob.len() != REPORT_LENGTH {
            return Err(SnpFormatError::Report);
        }
        Ok(Self {
            certificates: CertTable::decode(&envelope.auxblob)?,
            report: envelope.outblob,
        })
    }

    /// Writes the envelope in deterministic CBOR.
    ///
    /// # Errors
    /// [`SnpFormatError::Envelope`]: never, as writing to memory does not fail.
    pub fn encode(&self) -> Result<Vec<u8>, SnpFormatError> {
        let envelope = TsmReport {
            auxblob: self.certificates.encode(),
            outblob: self.report.clone(),
            provider: PROVIDER.to_owned(),
        };
        Ok(envelope.encode()?)
    }

    /// The report.
    pub fn report(&self) -> &[u8] {
        &self.report
    }

    /// The certificates.
    pub fn certificates(&self) -> &CertTable {
        &self.certificates
    }
}

/// The kernel's name of the driver.
const PROVIDER: &str = "sev_guest";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::snp::CertificateKind;

    fn sample() -> SnpEvidence {
        let table = CertTable::new().with(CertificateKind::Vcek, [0x30, 1]);
        SnpEvidence::new(vec![5; REPORT_LENGTH], table)
    }

    fn envelope(provider: &str, report: usize, table: &[u8]) -> Vec<u8> {
        let envelope = TsmReport {
            auxblob: table.to_vec(),
            outblob: vec![5; report],
            provider: provider.to_owned(),
        };
        envelope.encode().unwrap()
    }

    #[test]
    fn encoded_evidence_is_decoded() {
        let bytes = sample().encode().unwrap();
        assert_eq!(SnpEvidence::decode(&bytes), Ok(sample()));
        let bare = SnpEvidence::new(vec![5; REPORT_LENGTH], CertTable::new());
        let bytes = bare.encode().unwrap();
        assert_eq!(SnpEvidence::decode(&bytes), Ok(bare));
    }

    #[test]
    fn each_part_is_checked() {
        for (bytes, error) in [
            (envelope("tdx_guest", 1184, &[]), SnpFormatError::Provider),
            (
                envelope("sev_guest\n\n", 1184, &[]),
                SnpFormatError::Provider,
            ),
            (envelope("sev_guest", 1183, &[]), SnpFormatError::Report),
            (envelope("sev_guest", 1185, &[]), SnpFormatError::Report),
            (envelope("sev_guest", 1184, &[1]), SnpFormatError::Table),
        ] {
            assert_eq!(SnpEvidence::decode(&bytes), Err(error));
        }
        assert!(SnpEvidence::decode(&envelope("sev_guest\n", 1184, &[])).is_ok());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = SnpEvidence::decode(&bytes);
            let _ = SnpEvidence::decode(&envelope("sev_guest", 1184, &bytes));
        }
    }
}
