//! Which confidential platform is this? Attests to a connection in memory and prints the Evidence.
//!
//! There is no simulator in the list: where no device is, nothing is attested.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::error::Error;
use std::process::ExitCode;

use atls_cca::CcaAttester;
use atls_core::AppraisalError;
use atls_core::AttestError;
use atls_core::LocalAttester;
use atls_core::cmw::Cmw;
use atls_core::combine::first_available;
use atls_core::report;
use atls_nitro::NitroAttester;
use atls_snp::SnpAttester;
use atls_tdx::TdxAttester;
use atls_tpm::TpmAttester;
use test_support::Connection;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    demo::program(USAGE, demo::no_arguments, async |()| run()).await
}

fn run() -> Result<(), Box<dyn Error>> {
    match here()? {
        Some(mut device) => print(&attest(&mut device)?)?,
        None => println!(
            "no confidential platform here; looked for: AWS Nitro Enclave (/dev/nsm), \
             Intel TDX, AMD SEV-SNP and Arm CCA (configfs-tsm), a TPM 2.0 (/dev/tpmrm0)"
        ),
    }
    Ok(())
}

/// The first platform that this machine is. Another one is another line. A TPM is the last: confidential machines of clouds have one too.
fn here() -> Result<Option<Box<dyn LocalAttester>>, AttestError> {
    Ok(first_available([
        NitroAttester::open()?.map(boxed),
        TdxAttester::open()?.map(boxed),
        SnpAttester::open()?.map(boxed),
        CcaAttester::open()?.map(boxed),
        tpm().map(boxed),
    ]))
}

/// Most machines have one, and most users no rights to it.
fn tpm() -> Option<TpmAttester> {
    TpmAttester::open().unwrap_or_else(|error| {
        println!("the TPM of this machine is not used: {}", report(&error));
        None
    })
}

/// Evidence carries a value of a live connection; there is no way to have one of our own attested.
fn attest(device: &mut dyn LocalAttester) -> Result<Cmw, AttestError> {
    let connection = Connection::new();
    println!("value of the connection: {}", connection.bound());
    connection.attest(device)
}

fn print(evidence: &Cmw) -> Result<(), AppraisalError> {
    for item in evidence.items() {
        let media_type = item.media_type().map(|known| known.to_string());
        let media_type = media_type.unwrap_or_else(|| "unknown".to_owned());
        println!("{media_type}: {} bytes of Evidence", item.value().len());
        for (name, value) in measurements(&media_type, item.value())? {
            println!("  {name} = {value}");
        }
    }
    Ok(())
}

/// By the names of the policy file, of Evidence that this machine has just made: nothing else may be pinned unverified. Of
/// formats without measurements, such as certificates that are sent along, there are none.
fn measurements(
    media_type: &str,
    evidence: &[u8],
) -> Result<Vec<(String, String)>, AppraisalError> {
    match media_type {
        CCA => atls_cca::dangerous_unverified_measurements(evidence),
        NITRO => atls_nitro::dangerous_unverified_measurements(evidence),
        SNP => Ok(owned(atls_snp::dangerous_unverified_measurements(
            evidence,
        )?)),
        TPM => atls_tpm::dangerous_unverified_measurements(evidence),
        TDX => Ok(owned(atls_tdx::dangerous_unverified_measurements(
            evidence,
        )?)),
        _ => Ok(Vec::new()),
    }
}

fn owned(named: Vec<(&'static str, String)>) -> Vec<(String, String)> {
    let named = named.into_iter();
    named
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

const CCA: &str = "application/eat-collection; profile=\"http://arm.com/CCA-SSD/1.0.0\"";
const NITRO: &str = "application/vnd.atls.nitro-document";
const SNP: &str = "application/vnd.veraison.tsm-report+cbor";
const TDX: &str = "application/vnd.atls.tdx-quote";
const TPM: &str = "application/vnd.atls.tpm-evidence+cbor";

fn boxed(device: impl LocalAttester + 'static) -> Box<dyn LocalAttester> {
    Box::new(device)
}

const USAGE: &str = "\
usage: cargo run -p platforms

Which confidential platform is this machine? Has its device attest to a connection in memory, and
prints the Evidence: its format, its size, and its measurements by the names of the policy file.

It looks for AWS Nitro Enclaves (/dev/nsm), Intel TDX, AMD SEV-SNP and Arm CCA (configfs-tsm), and last a
TPM 2.0 (/dev/tpmrm0), which makes no machine confidential. The rights
that it needs are in docs/platforms/README.md.";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use atls_cca::testing::ForgedCca;
    use atls_nitro::testing::ForgedNitro;
    use atls_snp::Product;
    use atls_snp::testing::ForgedSnp;
    use atls_tdx::testing::ForgedPlatform as ForgedTdx;
    use atls_tpm::testing::ForgedTpm;
    use atls_tsm::Provider;
    use atls_tsm::Tsm;
    use atls_tsm::testing::FakeConfigFs;
    use atls_tsm::testing::Forged;
    use test_support::at;

    use super::*;

    #[test]
    fn it_does_what_it_says() {
        run().unwrap();
    }

    #[test]
    fn a_device_attests_to_the_connection() {
        let forger = Arc::new(ForgedNitro::new(at(1_800_000_000)));
        let mut device = NitroAttester::over(ForgedNitro::device(&forger)).unwrap();
        let evidence = attest(&mut device).unwrap();
        print(&evidence).unwrap();
        let items = evidence.items();
        let [item] = &items[..] else {
            panic!("one item of Evidence");
        };
        let found = measurements(NITRO, item.value()).unwrap();
        assert_eq!(found[0].0, "pcr0");
        assert_eq!(found[0].1.len(), 96);
        let media_type = item.media_type().unwrap().to_string();
        assert_eq!(media_type, NITRO);
    }

    #[test]
    fn a_realm_shows_what_a_policy_could_pin() {
        let forged = ForgedCca::new();
        let evidence = attest(&mut forged.attester()).unwrap();
        print(&evidence).unwrap();
        let items = evidence.items();
        let [item] = &items[..] else {
            panic!("one item of Evidence");
        };
        let media_type = item.media_type().unwrap().to_string();
        let found = measurements(&media_type, item.value()).unwrap();
        let pinned = |name: &str, value: String| found.contains(&(name.to_owned(), value));
        assert!(pinned("initial-measurement", "1a".repeat(64)));
        assert!(pinned("component RMM", "33".repeat(32)));
        assert!(pinned("rem3", "03".repeat(64)));
    }

    #[test]
    fn a_tpm_shows_what_a_policy_could_pin() {
        let mut device = ForgedTpm::new();
        let expected: String = device
            .log
            .value(4)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let evidence = attest(&mut device).unwrap();
        print(&evidence).unwrap();
        let items = evidence.items();
        let [item] = &items[..] else {
            panic!("one item of Evidence");
        };
        let media_type = item.media_type().unwrap().to_string();
        let found = measurements(&media_type, item.value()).unwrap();
        assert!(found.contains(&("sha256.pcr4".to_owned(), expected)));
    }

    #[test]
    fn a_td_shows_what_a_policy_could_pin() {
        let platform = ForgedTdx::new(1_800_000_000).unwrap();
        let report = platform.td_report();
        let [mrtd, rtmr2] = [&report.mrtd, &report.rtmr[2]].map(ToString::to_string);
        let device = FakeConfigFs::new(Provider::TdxGuest, move |inblob| Forged {
            outblob: platform
                .tdx_quote(&report, inblob.try_into().unwrap())
                .unwrap(),
            auxblob: Vec::new(),
        });
        let mut device = TdxAttester::over(Tsm::over(device)).unwrap().unwrap();
        let evidence = attest(&mut device).unwrap();
        print(&evidence).unwrap();
        let items = evidence.items();
        let [item] = &items[..] else {
            panic!("one item of Evidence");
        };
        let media_type = item.media_type().unwrap().to_string();
        let found = measurements(&media_type, item.value()).unwrap();
        assert_eq!(found[0], ("mrtd".to_owned(), mrtd));
        assert!(found.contains(&("rtmr2".to_owned(), rtmr2)));
    }

    #[test]
    fn an_snp_report_shows_what_a_policy_could_pin() {
        let platform = ForgedSnp::new(Product::Turin).unwrap();
        let evidence = platform.evidence(&[7; 64]).encode().unwrap();
        let found = measurements(SNP, &evidence).unwrap();
        let names: Vec<_> = found.iter().map(|(name, _)| &**name).collect();
        assert!(names.contains(&"measurement") && names.contains(&"minimum-tcb.reported"));
        let measurement: String = platform
            .report
            .measurement
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(found[0].1, measurement);
    }
}
