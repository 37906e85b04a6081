//! Any bytes as the collection of a VM of Azure, signed by nobody; and any runtime data and quote, for which a forged processor and
//! virtual TPM vouch.
#![no_main]

use std::sync::OnceLock;

use atls_core::Evidence;
use atls_core::Verifier;
use atls_formats::tpm::qualifying_data;
use atls_fuzz::azure::ForgedAzure;
use atls_fuzz::tape::Tape;
use test_support::Connection;
use test_support::at;
use test_support::ready;

struct Setting {
    connection: Connection,
    forged: ForgedAzure,
    attest: Vec<u8>,
    runtime_data: Vec<u8>,
}

atls_fuzz::target!(|bytes: &[u8]| {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    let setting = SETTING.get_or_init(Setting::new);
    assert!(!setting.accepts(bytes), "nobody signed it");
    let mut tape = Tape::new(bytes);
    let which = tape.byte();
    let mut part = |bit: u8| (which & bit != 0).then(|| tape.bytes());
    let runtime_data = part(1).unwrap_or(&setting.runtime_data);
    let attest = part(2).unwrap_or(&setting.attest);
    let evidence = setting.forged.evidence(runtime_data, attest);
    if let Ok(encoded) = evidence.into_cmw().and_then(|cmw| cmw.encode()) {
        let accepted = setting.accepts(&encoded);
        // The good one is accepted, and no quote is that does not hold the value of this connection.
        assert!(accepted || which & 3 != 0);
        assert!(!accepted || attest == setting.attest);
    }
});

impl Setting {
    fn new() -> Self {
        let connection = Connection::new();
        let forged = ForgedAzure::new();
        let expected = qualifying_data(connection.bound());
        let attest = forged.tpm.attest(expected.bytes());
        let report = include_bytes!("../seeds/hcl_report/snp");
        let report = atls_formats::azure::HclReport::decode(report).expect("a report");
        Self {
            attest: attest.encode().expect("encodes"),
            runtime_data: report.runtime_data().to_vec(),
            connection,
            forged,
        }
    }

    fn accepts(&self, evidence: &[u8]) -> bool {
        let verifier = &self.forged.verifier;
        let media_type = &verifier.media_types()[0];
        let evidence = Evidence::new(media_type, evidence, self.connection.bound());
        ready(verifier.appraise(&evidence, at(NOW))).is_ok()
    }
}

const NOW: u64 = 1_796_000_000;
