//! Any answer of the metadata service of Azure's host, which nothing authenticates.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;

use atls_azure::AzureAttester;
use atls_azure::Imds;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_formats::tpm::TpmEvidence;
use atls_fuzz::azure;
use atls_fuzz::http::Answers;
use atls_fuzz::tape::Tape;
use test_support::Connection;
use test_support::ready;

atls_fuzz::target!(|bytes: &[u8]| {
    static CONNECTION: OnceLock<Connection> = OnceLock::new();
    let connection = CONNECTION.get_or_init(Connection::new);
    let mut tape = Tape::new(bytes);
    let vtpm = Arc::new(Vtpm(tape.byte()));
    let answers = Arc::new(Answers::of(&mut tape, 1, <[u8]>::to_vec));
    let attester = AzureAttester::new(vtpm, Imds::new(answers)).expect("an attester");
    let _ = ready(attester.attest(connection.to_attest()));
});

/// The report of a paravisor over a processor of SNP or TDX, and a quote by the key that it names.
struct Vtpm(u8);

impl Attester for Vtpm {
    fn media_types(&self) -> &[MediaType] {
        &[]
    }

    fn attest<'a>(&'a self, _: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        static QUOTE: OnceLock<Vec<u8>> = OnceLock::new();
        let report = match self.0 {
            0 => include_bytes!("../seeds/hcl_report/snp").to_vec(),
            _ => include_bytes!("../seeds/hcl_report/tdx").to_vec(),
        };
        let quote = QUOTE.get_or_init(quote).clone();
        let kind = MediaType::parse("application/vnd.example").expect("a media type");
        let members = [("hcl-report", report), ("tpm", quote)];
        let members =
            members.map(|(label, value)| (label.into(), Cmw::evidence(kind.clone(), value)));
        let made = Cmw::collection(None, members.into());
        Box::pin(std::future::ready(Ok(made.expect("a collection"))))
    }
}

fn quote() -> Vec<u8> {
    let evidence = TpmEvidence {
        ak: azure::attestation_key(&azure::key()),
        ..atls_tpm::testing::ForgedTpm::new().evidence(&[0; 32])
    };
    evidence.encode().expect("encodes")
}
