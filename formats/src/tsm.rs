//! The envelope of configfs-tsm: the files of Linux about one report, in a CBOR map. Bytes of another form are a [`TsmReportError`].
//!
//! ```text
//! tsm-report = { ? "auxblob": bstr, "outblob": bstr, "provider": tstr }
//! ```
//!
//! Veraison's attester (`docs/tsm-report.cddl` of veraison/ratsd) and its SEVSNP scheme have this format, so one Evidence serves
//! either verifier. The format's other fields are for service reports of an SVSM. Those carry the challenge in another way, and are
//! refused.

use std::fmt;

use atls_core::AppraisalError;
use atls_core::bounded::CborLimits;
use ciborium::Value;

use crate::printed::printed_by_name;

/// The media type of a [`TsmReport`].
pub const TSM_REPORT: &str = "application/vnd.veraison.tsm-report+cbor";

/// The files of one entry of configfs-tsm. Nothing is verified. The report's own signature covers the report alone.
#[derive(Clone, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "the fields of the format; any other is refused"
)]
pub struct TsmReport {
    /// The data beside the report: for SEV-SNP a table of certificates. Empty if the field is absent.
    pub auxblob: Vec<u8>,
    /// The report.
    pub outblob: Vec<u8>,
    /// The kernel's name of the provider, without the end of its line.
    pub provider: String,
}

printed_by_name!(TsmReport, "TsmReport");

impl TsmReport {
    /// Reads the envelope. Nothing signs the map, so every reader must read it alike: other fields than those of the grammar above,
    /// repeated fields, and bytes after the map are refused.
    ///
    /// # Errors
    /// [`TsmReportError`]
    pub fn decode(bytes: &[u8]) -> Result<Self, TsmReportError> {
        let Ok(Value::Map(fields)) = LIMITS.read(bytes) else {
            return Err(TsmReportError);
        };
        let (mut outblob, mut auxblob, mut provider) = (None, None, None);
        for (name, value) in fields {
            let (field, value) = match (name.as_text(), value) {
                (Some("auxblob"), Value::Bytes(bytes)) => (&mut auxblob, bytes),
                (Some("outblob"), Value::Bytes(bytes)) => (&mut outblob, bytes),
                (Some("provider"), Value::Text(text)) => (&mut provider, text.into_bytes()),
                _ => return Err(TsmReportError),
            };
            if field.replace(value).is_some() {
                return Err(TsmReportError);
            }
        }
        let provider = provider.and_then(|provider| String::from_utf8(provider).ok());
        let mut provider = provider.ok_or(TsmReportError)?;
        // The kernel ends the line, and Veraison's attester sends that end along.
        if provider.ends_with('\n') {
            provider.pop();
        }
        Ok(Self {
            auxblob: auxblob.unwrap_or_default(),
            outblob: outblob.ok_or(TsmReportError)?,
            provider,
        })
    }

    /// Writes the envelope in deterministic CBOR (RFC 8949 §4.2.1). An empty `auxblob` is left out.
    ///
    /// # Errors
    /// [`TsmReportError`]: never, as writing to memory does not fail.
    pub fn encode(self) -> Result<Vec<u8>, TsmReportError> {
        let mut fields = Vec::new();
        if !self.auxblob.is_empty() {
            fields.push(("auxblob".into(), Value::Bytes(self.auxblob)));
        }
        fields.push(("outblob".into(), Value::Bytes(self.outblob)));
        fields.push(("provider".into(), Value::Text(self.provider)));
        let mut bytes = Vec::new();
        ciborium::into_writer(&Value::Map(fields), &mut bytes).map_err(|_| TsmReportError)?;
        Ok(bytes)
    }
}

/// The bytes are no envelope of configfs-tsm, or it has other fields than the three. The cure is with the attester that wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TsmReportError;

impl fmt::Display for TsmReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a CBOR map of outblob, provider and perhaps auxblob alone")
    }
}

impl std::error::Error for TsmReportError {}

impl From<TsmReportError> for AppraisalError {
    fn from(_: TsmReportError) -> Self {
        Self::Malformed
    }
}

/// A map and its values: seven items, and more if strings come in chunks.
const LIMITS: CborLimits = CborLimits {
    items: 64,
    nesting: 3,
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> TsmReport {
        TsmReport {
            auxblob: vec![1, 2],
            outblob: vec![5; 1184],
            provider: "sev_guest".to_owned(),
        }
    }

    fn map(fields: &[(&str, Value)]) -> Vec<u8> {
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).into(), value.clone()))
            .collect();
        let mut bytes = Vec::new();
        ciborium::into_writer(&Value::Map(fields), &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn an_encoded_envelope_is_decoded() {
        let bytes = sample().encode().unwrap();
        assert_eq!(TsmReport::decode(&bytes), Ok(sample()));
        let bare = TsmReport {
            auxblob: Vec::new(),
            ..sample()
        };
        let bytes = bare.clone().encode().unwrap();
        assert_eq!(bytes[0], 0xa2, "no auxblob");
        assert_eq!(TsmReport::decode(&bytes), Ok(bare));
    }

    #[test]
    fn every_truncation_and_anything_behind_is_refused() {
        let bytes = sample().encode().unwrap();
        for length in 0..bytes.len() {
            assert!(TsmReport::decode(&bytes[..length]).is_err(), "{length}");
        }
        assert!(TsmReport::decode(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn fields_are_those_of_the_format() {
        let outblob = ("outblob", Value::Bytes(vec![1]));
        let provider = |name: &str| ("provider", Value::from(name));
        for name in ["sev_guest", "sev_guest\n"] {
            let read = TsmReport::decode(&map(&[outblob.clone(), provider(name)]));
            assert_eq!(read.unwrap().provider, "sev_guest");
        }
        let lines = map(&[outblob.clone(), provider("sev_guest\n\n")]);
        assert_eq!(TsmReport::decode(&lines).unwrap().provider, "sev_guest\n");
        for refused in [
            map(&[]),
            map(std::slice::from_ref(&outblob)),
            map(&[provider("sev_guest")]),
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
            assert_eq!(TsmReport::decode(&refused), Err(TsmReportError));
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = [vec![0x81; 60_000], vec![0]].concat();
        assert!(TsmReport::decode(&deep).is_err());
        let deep = [&[0xa1, 0x67][..], b"outblob", &[0x81; 60_000]].concat();
        assert!(TsmReport::decode(&deep).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = TsmReport::decode(&bytes);
        }
    }
}
