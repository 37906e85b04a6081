//! The envelope: what configfs-tsm gave, in a CBOR map.
//!
//! ```text
//! tsm-report = { ? "auxblob": bstr, "outblob": bstr, "provider": tstr }
//! ```
//!
//! The format of Veraison's attester (`docs/tsm-report.cddl` of veraison/ratsd) and of its SEVSNP scheme, so that one
//! Evidence serves either verifier. SVSM service reports, the format's other fields, carry the challenge in another way
//! and are refused.

use atls_core::AppraisalError;
use atls_core::bounded;
use ciborium::Value;

use crate::cert_table::CertTable;

/// A report and the certificates that came with it. Nothing of either is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnpEvidence {
    report: Vec<u8>,
    certificates: CertTable,
}

impl SnpEvidence {
    /// From their parts, such as a report that a paravisor carries in another envelope.
    pub fn new(report: Vec<u8>, certificates: CertTable) -> Self {
        Self {
            report,
            certificates,
        }
    }

    /// Reads the envelope. Fields that are not in the grammar above are refused, as is what follows it.
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`]
    pub fn decode(octets: &[u8]) -> Result<Self, AppraisalError> {
        if !bounded::cbor(MAX_VALUES, octets) {
            return Err(AppraisalError::Malformed);
        }
        let mut rest = octets;
        let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, MAX_DEPTH);
        let value: Value = value.map_err(|_| AppraisalError::Malformed)?;
        if !rest.is_empty() {
            return Err(AppraisalError::Malformed);
        }
        let fields = value.into_map().map_err(|_| AppraisalError::Malformed)?;
        let (mut report, mut table, mut provider) = (None, None, None);
        for (name, value) in fields {
            let field = match name.as_text() {
                Some("outblob") => &mut report,
                Some("auxblob") => &mut table,
                Some("provider") => &mut provider,
                _ => return Err(AppraisalError::Malformed),
            };
            if field.replace(value).is_some() {
                return Err(AppraisalError::Malformed);
            }
        }
        let provider = provider.as_ref().and_then(Value::as_text);
        // The kernel ends its line, and Veraison's attester sends that along.
        if !matches!(provider, Some("sev_guest" | "sev_guest\n")) {
            return Err(AppraisalError::Malformed);
        }
        let report = report.ok_or(AppraisalError::Malformed)?;
        let table = table.unwrap_or(Value::Bytes(Vec::new()));
        let table = table.into_bytes().map_err(|_| AppraisalError::Malformed)?;
        Ok(Self {
            report: report.into_bytes().map_err(|_| AppraisalError::Malformed)?,
            certificates: CertTable::decode(&table)?,
        })
    }

    /// Deterministic CBOR (RFC 8949 §4.2.1).
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`]: never, as writing to memory does not fail.
    pub fn encode(&self) -> Result<Vec<u8>, AppraisalError> {
        let mut fields = Vec::new();
        let table = self.certificates.encode();
        if !table.is_empty() {
            fields.push(("auxblob".into(), Value::Bytes(table)));
        }
        fields.push(("outblob".into(), Value::Bytes(self.report.clone())));
        fields.push(("provider".into(), "sev_guest".into()));
        let mut octets = Vec::new();
        ciborium::into_writer(&Value::Map(fields), &mut octets)
            .map_err(|_| AppraisalError::Malformed)?;
        Ok(octets)
    }

    /// The report, 1184 octets if it is one.
    pub fn report(&self) -> &[u8] {
        &self.report
    }

    /// The certificates.
    pub fn certificates(&self) -> &CertTable {
        &self.certificates
    }
}

/// Most values in the map, which has seven; a string may stand in chunks.
const MAX_VALUES: usize = 64;

/// A map and its values: 2. Room for one more.
const MAX_DEPTH: usize = 3;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cert_table::CertificateKind;

    fn sample() -> SnpEvidence {
        let table = CertTable::new().with(CertificateKind::Vcek, [0x30, 1]);
        SnpEvidence::new(vec![5; 1184], table)
    }

    fn map(fields: &[(&str, Value)]) -> Vec<u8> {
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).into(), value.clone()))
            .collect();
        let mut octets = Vec::new();
        ciborium::into_writer(&Value::Map(fields), &mut octets).unwrap();
        octets
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let octets = sample().encode().unwrap();
        assert_eq!(SnpEvidence::decode(&octets), Ok(sample()));
        let bare = SnpEvidence::new(vec![5; 1184], CertTable::new());
        let octets = bare.encode().unwrap();
        assert_eq!(octets[0], 0xa2, "no auxblob");
        assert_eq!(SnpEvidence::decode(&octets), Ok(bare));
    }

    #[test]
    fn every_truncation_and_anything_behind_is_refused() {
        let octets = sample().encode().unwrap();
        for length in 0..octets.len() {
            assert!(SnpEvidence::decode(&octets[..length]).is_err(), "{length}");
        }
        assert!(SnpEvidence::decode(&[&octets[..], &[0]].concat()).is_err());
    }

    #[test]
    fn fields_are_those_of_the_format() {
        let outblob = ("outblob", Value::Bytes(vec![1]));
        let provider = |name: &str| ("provider", Value::from(name));
        let good = map(&[outblob.clone(), provider("sev_guest")]);
        assert!(SnpEvidence::decode(&good).is_ok());
        let line = map(&[outblob.clone(), provider("sev_guest\n")]);
        assert!(SnpEvidence::decode(&line).is_ok());
        for refused in [
            map(&[]),
            map(std::slice::from_ref(&outblob)),
            map(&[provider("sev_guest")]),
            map(&[outblob.clone(), provider("tdx_guest")]),
            map(&[outblob.clone(), provider("sev_guest\n\n")]),
            map(&[outblob.clone(), provider("sev_guest"), outblob.clone()]),
            map(&[
                outblob.clone(),
                provider("sev_guest"),
                ("service_provider", "svsm".into()),
            ]),
            map(&[("outblob", "text".into()), provider("sev_guest")]),
            map(&[
                outblob.clone(),
                ("provider", Value::Bytes(b"sev_guest".to_vec())),
            ]),
            map(&[
                outblob,
                provider("sev_guest"),
                ("auxblob", Value::Array(Vec::new())),
            ]),
        ] {
            assert_eq!(
                SnpEvidence::decode(&refused),
                Err(AppraisalError::Malformed)
            );
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = [vec![0x81; 60_000], vec![0]].concat();
        assert!(SnpEvidence::decode(&deep).is_err());
        let deep = [&[0xa1, 0x67][..], b"outblob", &[0x81; 60_000]].concat();
        assert!(SnpEvidence::decode(&deep).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = SnpEvidence::decode(&octets);
        }
    }
}
