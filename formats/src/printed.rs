//! Types whose bytes identify a machine, or are signed by its keys: `{:?}` prints their names.

/// `Debug` of such a type.
macro_rules! printed_by_name {
    ($type:ty, $name:literal) => {
        /// Without what identifies the machine.
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!($name, "(..)"))
            }
        }
    };
}

pub(crate) use printed_by_name;

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use crate::azure::HardwareReport;
    use crate::dcap::TdxEvidence;
    use crate::nitro::Document;
    use crate::snp::CertTable;
    use crate::snp::SnpEvidence;
    use crate::tpm::Curve;
    use crate::tpm::PublicKey;
    use crate::tpm::TpmEvidence;
    use crate::tsm::TsmReport;

    /// Bytes, text and the debug output of either would show this.
    const MARK: &[u8] = b"ZZZZ";

    #[test]
    fn nothing_that_identifies_a_machine_is_printed() {
        let mark = || MARK.to_vec();
        let document = Document {
            module_id: String::from_utf8(mark()).unwrap(),
            timestamp_ms: 1,
            pcrs: Vec::new(),
            certificate: mark(),
            cabundle: vec![mark()],
            public_key: None,
            user_data: None,
            nonce: None,
        };
        let snp = SnpEvidence::new(mark(), CertTable::default());
        let tdx = TdxEvidence {
            quote: mark(),
            event_log: mark(),
        };
        let tpm = TpmEvidence {
            ak: mark(),
            attest: mark(),
            ..TpmEvidence::default()
        };
        let tsm = TsmReport {
            auxblob: mark(),
            outblob: mark(),
            provider: "sev_guest".to_owned(),
        };
        let key = PublicKey::Ecc {
            curve: Curve::P256,
            x: mark(),
            y: mark(),
        };
        let hardware = HardwareReport::Snp(MARK);
        let values: [&dyn Debug; 7] = [&document, &snp, &tdx, &tpm, &tsm, &key, &hardware];
        for value in values {
            let printed = format!("{value:?}");
            assert!(
                !printed.contains('Z') && !printed.contains("90"),
                "{printed}"
            );
        }
    }
}
