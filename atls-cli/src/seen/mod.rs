//! Writes a policy that accepts what was seen, and nothing else.

mod amd;
mod intel;
mod lines;
mod nitro;

use atls_formats::azure::RuntimeData;
use atls_formats::dcap::TdxEvidence;

use crate::appraise::Evidence;
use crate::failure::Failure;
use crate::failure::Outcome;

pub(crate) use lines::line;
pub(crate) use lines::pin;
pub(crate) use lines::quoted;
pub(crate) use lines::string;

/// The measurements of Evidence, by the names that a policy file has for them. Nothing of them is verified.
pub(crate) fn measurements(evidence: &Evidence) -> Vec<(String, String)> {
    let owned = |found: Vec<(&'static str, String)>| {
        let found = found.into_iter();
        found
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    };
    let bytes = &evidence.bytes;
    let found = match evidence.table() {
        Some("azure") => Ok(of_azure(bytes)),
        Some("nitro") => atls_nitro::dangerous_unverified_measurements(bytes),
        Some("snp") => atls_snp::dangerous_unverified_measurements(bytes).map(owned),
        Some("tdx") => match TdxEvidence::decode(bytes) {
            Ok(both) => atls_tdx::dangerous_unverified_measurements(&both.quote).map(owned),
            Err(_) => atls_tdx::dangerous_unverified_measurements(bytes).map(owned),
        },
        Some("sgx") => Ok(intel::of_enclave(bytes).unwrap_or_default()),
        _ => Ok(Vec::new()),
    };
    found.unwrap_or_default()
}

/// By the names of the table `azure`.
fn of_azure(bytes: &[u8]) -> Vec<(String, String)> {
    let Ok(data) = RuntimeData::decode(bytes) else {
        return Vec::new();
    };
    let vm = data.configuration.vm_unique_id;
    vec![
        ("vm-unique-ids".to_owned(), vm),
        ("user-data".to_owned(), data.user_data),
    ]
}

/// The text of a policy file that accepts this Evidence and no other. Nothing of the Evidence is verified here.
///
/// # Errors
/// A failure if the Evidence is of no platform that a policy file can name, or cannot be read.
pub(crate) fn policy_of(evidence: &Evidence, name: &str) -> Result<String, Failure> {
    let bytes = &evidence.bytes;
    let table = match evidence.table() {
        Some("nitro") => nitro::nitro(bytes, name),
        Some("sgx") => intel::sgx(bytes, name),
        Some("snp") => amd::snp(bytes, name),
        Some("tdx") => intel::tdx(bytes, name),
        _ => {
            let media_type = &evidence.media_type;
            return Err(
                Failure::usage(format!("no policy can be written of {media_type}"))
                    .with_help("it writes policies for TDX, SGX, SEV-SNP and Nitro"),
            );
        }
    };
    let table = table.ok_or_else(|| {
        Failure::new(Outcome::NotAttested, "the evidence cannot be read")
            .with_help(
                "a report of SEV-SNP before version 3 does not name its processor, and a Nitro Enclave in debug mode measures nothing",
            )
    })?;
    Ok(format!("{HEAD}{table}"))
}

const HEAD: &str = "\
# Reference values of what was seen. Nothing is accepted that was not seen.
# Each line below is one demand; take out what may differ.
# `atls policy check` says whether the file is right, `atls policy explain` what it finds in Evidence.

version = 1
";
