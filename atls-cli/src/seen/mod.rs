//! Writes a policy of what was seen; comments say where it accepts anything else.

mod amd;
mod arm;
mod azure;
mod intel;
mod keys;
mod lines;
mod nitro;
mod tpm;

use atls_formats::azure::RuntimeData;
use atls_formats::dcap::TdxEvidence;

use crate::appraise::AttestationKeys;
use crate::appraise::Evidence;
use crate::failure::Failure;
use crate::failure::Outcome;

use keys::Instance;

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
        Some("cca") => atls_cca::dangerous_unverified_measurements(bytes),
        Some("nitro") => atls_nitro::dangerous_unverified_measurements(bytes),
        Some("snp") => atls_snp::dangerous_unverified_measurements(bytes).map(owned),
        Some("tdx") => match TdxEvidence::decode(bytes) {
            Ok(both) => atls_tdx::dangerous_unverified_measurements(&both.quote).map(owned),
            Err(_) => atls_tdx::dangerous_unverified_measurements(bytes).map(owned),
        },
        Some("tpm") => atls_tpm::dangerous_unverified_measurements(bytes),
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
    let mut found = vec![
        ("vm-unique-ids".to_owned(), vm),
        ("user-data".to_owned(), data.user_data),
    ];
    let console = data.configuration.console_enabled;
    found.extend(console.map(|enabled| ("console-enabled".to_owned(), enabled.to_string())));
    found
}

/// The text of a policy file of this Evidence, whose comments say which other is accepted. Nothing of the Evidence is verified here.
///
/// # Errors
/// A failure if the Evidence is of no platform that a policy file can name, cannot be read, or if nobody named its key where its maker has
/// no root.
pub(crate) fn policy_of(
    evidence: &Evidence,
    name: &str,
    keys: &AttestationKeys,
) -> Result<String, Failure> {
    let bytes = &evidence.bytes;
    let table = match evidence.table() {
        Some("azure") => azure::azure(evidence, name),
        Some("cca") => {
            let (text, platform) = arm::cca(bytes, name).ok_or_else(unreadable)?;
            let instance = Instance {
                implementation_id: &platform.implementation_id,
                instance_id: &platform.instance_id,
            };
            Some(text + &keys::cca(&instance, keys)?)
        }
        Some("nitro") => nitro::nitro(bytes, name),
        Some("psa") => {
            let (text, device) = arm::psa(bytes, name).ok_or_else(unreadable)?;
            let instance = Instance {
                implementation_id: &device.implementation_id,
                instance_id: &device.instance_id,
            };
            Some(text + &keys::psa(&instance, keys)?)
        }
        Some("sgx") => intel::sgx(bytes, name),
        Some("snp") => amd::snp(bytes, name),
        Some("tdx") => intel::tdx(bytes, name),
        Some("tpm") => {
            let text = tpm::tpm(bytes, name).ok_or_else(unreadable)?;
            Some(text + &keys::tpm(bytes, keys)?)
        }
        _ => {
            let media_type = &evidence.media_type;
            return Err(
                Failure::usage(format!("no policy can be written of {media_type}")).with_help(
                    "it writes policies for TDX, SGX, SEV-SNP, Nitro, TPM, CCA, PSA and VMs of Azure",
                ),
            );
        }
    };
    Ok(format!("{HEAD}{}", table.ok_or_else(unreadable)?))
}

fn unreadable() -> Failure {
    let help = "a report of SEV-SNP before version 3 does not name its processor, one that the host asked for is of no level of a guest, a Nitro Enclave in debug mode measures nothing, a TPM \
                must quote the register of the boot loader (4), and Evidence of a VM of Azure has three parts";
    Failure::new(
        Outcome::NotAttested,
        "the evidence cannot be read, or says nothing to name",
    )
    .with_help(help)
}

const HEAD: &str = "\
# Reference values of what was seen. Each line below is one demand; take out what may differ.
# No other value is accepted, but where a comment says what else is: `or newer`, `or stricter`. `Not looked at` names what may differ.
# `atls policy check` says whether the file is right, `atls policy explain` what it finds in Evidence.

version = 1
";
