//! The envelope: a quote, and what is needed to understand it.

use atls_core::bounded::CborLimits;
use ciborium::Value;

use super::error::TpmFormatError;
use crate::printed::printed_by_name;

/// Evidence of a TPM:
///
/// ```text
/// tpm-evidence = {
///   "ak": bstr,                 ; TPMT_PUBLIC of the key that signed
///   ? "ak-certificates": bstr,  ; X.509 certificate of that key in DER, and those between it and a root behind it
///   "attest": bstr,             ; TPMS_ATTEST, signed
///   ? "ima-log": bstr,          ; measurement list of IMA, ASCII or binary
///   "pcrs": bstr,               ; the values of the selected registers, in the order of the selections, the lowest first
///   "signature": bstr,          ; TPMT_SIGNATURE over "attest"
///   ? "systemd-log": bstr,      ; log of what systemd measured
///   ? "tcg-log": bstr,          ; event log of the firmware, crypto-agile
/// }
/// ```
///
/// The digest in `attest` is that of `pcrs`, so both agree about which register holds what. **The logs are not signed**; a replay
/// confirms them in part.
#[derive(Clone, Default, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "the fields of the format; any other is refused"
)]
pub struct TpmEvidence {
    /// `TPMT_PUBLIC` of the attestation key.
    pub ak: Vec<u8>,
    /// X.509 certificate of the attestation key, and those behind it, one after the other.
    pub ak_certificates: Option<Vec<u8>>,
    /// `TPMS_ATTEST`.
    pub attest: Vec<u8>,
    /// Measurement list of IMA.
    pub ima_log: Option<Vec<u8>>,
    /// Values of registers, one after the other.
    pub pcrs: Vec<u8>,
    /// `TPMT_SIGNATURE`.
    pub signature: Vec<u8>,
    /// Log of what systemd measured.
    pub systemd_log: Option<Vec<u8>>,
    /// Event log of the firmware.
    pub tcg_log: Option<Vec<u8>>,
}

printed_by_name!(TpmEvidence, "TpmEvidence");

impl TpmEvidence {
    /// Reads the envelope: each field once, and no other.
    ///
    /// # Errors
    /// [`TpmFormatError::Evidence`]
    pub fn decode(bytes: &[u8]) -> Result<Self, TpmFormatError> {
        Self::read(bytes).ok_or(TpmFormatError::Evidence)
    }

    /// Writes the envelope in CBOR, the fields in the order of the grammar.
    ///
    /// # Errors
    /// [`TpmFormatError::Evidence`]: never, as writing to memory does not fail.
    pub fn encode(self) -> Result<Vec<u8>, TpmFormatError> {
        let fields = [
            ("ak", Some(self.ak)),
            ("ak-certificates", self.ak_certificates),
            ("attest", Some(self.attest)),
            ("ima-log", self.ima_log),
            ("pcrs", Some(self.pcrs)),
            ("signature", Some(self.signature)),
            ("systemd-log", self.systemd_log),
            ("tcg-log", self.tcg_log),
        ];
        let fields = fields.into_iter();
        let present = fields.filter_map(|(name, value)| Some((name.into(), value?.into())));
        let map = Value::Map(present.collect());
        let mut bytes = Vec::new();
        ciborium::into_writer(&map, &mut bytes).map_err(|_| TpmFormatError::Evidence)?;
        Ok(bytes)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let Ok(Value::Map(fields)) = LIMITS.read(bytes) else {
            return None;
        };
        let (mut ak, mut attest, mut pcrs, mut signature) = (None, None, None, None);
        let (mut ak_certificates, mut ima_log) = (None, None);
        let (mut systemd_log, mut tcg_log) = (None, None);
        for (name, value) in fields {
            let field = match name.as_text()? {
                "ak" => &mut ak,
                "ak-certificates" => &mut ak_certificates,
                "attest" => &mut attest,
                "ima-log" => &mut ima_log,
                "pcrs" => &mut pcrs,
                "signature" => &mut signature,
                "systemd-log" => &mut systemd_log,
                "tcg-log" => &mut tcg_log,
                _ => return None,
            };
            if field.replace(value.into_bytes().ok()?).is_some() {
                return None;
            }
        }
        Some(Self {
            ak: ak?,
            ak_certificates,
            attest: attest?,
            ima_log,
            pcrs: pcrs?,
            signature: signature?,
            systemd_log,
            tcg_log,
        })
    }
}

/// A map and its values: seventeen items, and more if strings come in chunks.
const LIMITS: CborLimits = CborLimits {
    items: 64,
    nesting: 3,
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> TpmEvidence {
        TpmEvidence {
            ak: vec![1],
            ak_certificates: Some(vec![6; 40]),
            attest: vec![2; 100],
            ima_log: Some(Vec::new()),
            pcrs: vec![3; 64],
            signature: vec![4],
            systemd_log: Some(vec![7; 20]),
            tcg_log: Some(vec![5; 300]),
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let bare = TpmEvidence {
            ak_certificates: None,
            ima_log: None,
            systemd_log: None,
            tcg_log: None,
            ..sample()
        };
        for evidence in [sample(), bare] {
            let bytes = evidence.clone().encode().unwrap();
            assert_eq!(TpmEvidence::decode(&bytes), Ok(evidence));
        }
    }

    #[test]
    fn every_truncation_and_anything_behind_is_refused() {
        let bytes = sample().encode().unwrap();
        for length in 0..bytes.len() {
            assert!(TpmEvidence::decode(&bytes[..length]).is_err(), "{length}");
        }
        assert!(TpmEvidence::decode(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn fields_are_those_of_the_format_each_once() {
        let map = |fields: &[(&str, Value)]| {
            let fields = fields.iter();
            let fields = fields.map(|(name, value)| ((*name).into(), value.clone()));
            let mut bytes = Vec::new();
            ciborium::into_writer(&Value::Map(fields.collect()), &mut bytes).unwrap();
            TpmEvidence::decode(&bytes)
        };
        let bytes = |name| (name, Value::Bytes(vec![1]));
        let all = ["ak", "attest", "pcrs", "signature"].map(bytes);
        assert!(map(&all).is_ok());
        for missing in 0..4 {
            let mut fewer = all.to_vec();
            fewer.remove(missing);
            assert!(map(&fewer).is_err(), "{missing}");
        }
        for more in [bytes("other"), bytes("ak"), ("tcg-log", "text".into())] {
            assert!(map(&[&all[..], &[more]].concat()).is_err());
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = [vec![0x81; 60_000], vec![0]].concat();
        assert!(TpmEvidence::decode(&deep).is_err());
        let deep = [&[0xa1, 0x62][..], b"ak", &[0x81; 60_000]].concat();
        assert!(TpmEvidence::decode(&deep).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = TpmEvidence::decode(&bytes);
        }
    }
}
