//! Any bytes as the collection of a VM of Azure, signed by nobody; a good collection altered; and any runtime data and quote, for which a forged
//! processor and virtual TPM vouch.
#![no_main]

use std::sync::OnceLock;

use atls_azure::AzureEvidence;
use atls_core::Evidence;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_formats::azure::RuntimeData;
use atls_formats::tpm::TpmEvidence;
use atls_formats::tpm::qualifying_data;
use atls_fuzz::azure::ForgedAzure;
use atls_fuzz::changes::altered;
use atls_fuzz::changes::contains;
use atls_fuzz::tape::Tape;
use atls_snp::SnpEvidence;
use test_support::Connection;
use test_support::at;
use test_support::ready;

struct Setting {
    connection: Connection,
    forged: ForgedAzure,
    attest: Vec<u8>,
    runtime_data: Vec<u8>,
    good: Vec<u8>,
    /// What the processor signs.
    report: Vec<u8>,
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
    // A good quote over another value.
    let about = part(OTHER_VALUE).map(|value| setting.forged.tpm.attest(value).encode());
    let about = about.transpose().expect("encodes");
    let attest = about.as_deref().unwrap_or(attest);
    let vouched = part(OTHER_RUNTIME_DATA).unwrap_or(runtime_data);
    let evidence = setting.forged.evidence(vouched, attest);
    let quoted = part(OTHER_QUOTE).map(|changes| altered(attest, changes));
    let quoted = quoted.unwrap_or_else(|| attest.to_vec());
    let quote = with_quote(&evidence.quote, &quoted);
    let evidence = AzureEvidence::new(evidence.cpu, runtime_data.to_vec(), quote);
    if let Ok(encoded) = evidence.into_cmw().and_then(|cmw| cmw.encode()) {
        let accepted = setting.accepts(&encoded);
        // The good one is accepted, and no quote is that does not hold the value of this connection.
        assert!(accepted || which & (3 | OTHER_QUOTE | OTHER_VALUE | OTHER_RUNTIME_DATA) != 0);
        assert!(!accepted || attest == setting.attest);
        assert!(!accepted || quoted == attest, "nobody signed the quote");
        assert!(
            !accepted || vouched == runtime_data,
            "the processor vouches for others"
        );
        let named = RuntimeData::decode(runtime_data).map(|data| data.attestation_key);
        assert!(
            !accepted || named == Ok(setting.key()),
            "another virtual TPM"
        );
    }
    let changed = altered(&setting.good, bytes);
    let accepted = setting.accepts(&changed);
    let mut signed = [&setting.attest, &setting.runtime_data, &setting.report].into_iter();
    let is_whole = signed.all(|part| contains(&changed, part));
    assert!(!accepted || is_whole, "nobody signed it");
    assert!(accepted || changed != setting.good, "it is good");
});

/// The Evidence of the virtual TPM under the signature of another quote.
fn with_quote(evidence: &Cmw, quoted: &[u8]) -> Cmw {
    let items = evidence.items();
    let mut quote = TpmEvidence::decode(items[0].value()).expect("Evidence");
    quote.attest = quoted.to_vec();
    let media_type = items[0].media_type().expect("a media type");
    match quote.encode() {
        Ok(quote) => Cmw::evidence(media_type, quote),
        Err(_) => evidence.clone(),
    }
}

impl Setting {
    fn new() -> Self {
        let connection = Connection::new();
        let forged = ForgedAzure::new();
        let expected = qualifying_data(connection.bound());
        let attest = forged.tpm.attest(expected.bytes());
        let report = include_bytes!("../seeds/hcl_report/snp");
        let report = atls_formats::azure::HclReport::decode(report).expect("a report");
        let attest = attest.encode().expect("encodes");
        let runtime_data = report.runtime_data().to_vec();
        let evidence = forged.evidence(&runtime_data, &attest);
        let report = SnpEvidence::decode(evidence.cpu.items()[0].value());
        let report = report.expect("Evidence").report()[..SIGNED_REPORT].to_vec();
        let good = evidence.into_cmw().and_then(|cmw| cmw.encode());
        Self {
            good: good.expect("encodes"),
            report,
            attest,
            runtime_data,
            connection,
            forged,
        }
    }

    /// That of the virtual TPM that signs.
    fn key(&self) -> Vec<u8> {
        let good = RuntimeData::decode(&self.runtime_data);
        good.expect("runtime data").attestation_key
    }

    fn accepts(&self, evidence: &[u8]) -> bool {
        let verifier = &self.forged.verifier;
        let media_type = &verifier.media_types()[0];
        let evidence = Evidence::new(media_type, evidence, self.connection.bound());
        ready(verifier.appraise(&evidence, at(NOW))).is_ok()
    }
}

const NOW: u64 = 1_796_000_000;

/// Of the first byte of an input.
const OTHER_QUOTE: u8 = 0x10;

const OTHER_VALUE: u8 = 0x20;

/// The processor vouches for runtime data of the input, whatever is shown.
const OTHER_RUNTIME_DATA: u8 = 0x40;

/// Bytes of an SNP report before its signature.
const SIGNED_REPORT: usize = 0x2a0;
