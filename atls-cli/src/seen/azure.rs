//! Of confidential VMs of Azure: the configuration, the processor with the paravisor, and the virtual TPM with the guest.

use atls_formats::azure::RuntimeData;

use super::amd;
use super::intel;
use super::lines::line;
use super::lines::pin;
use super::lines::quoted;
use super::tpm;
use crate::appraise::Evidence;

/// The tables of a VM; `None` where a part is missing, or cannot be read.
pub(super) fn azure(evidence: &Evidence, name: &str) -> Option<String> {
    let parts = evidence.parts();
    let of = |table: &str| {
        let mut parts = parts.iter();
        let part = parts.find(|part| part.table() == Some(table));
        part.map(|part| part.bytes.as_slice())
    };
    let configuration = configuration(of("azure")?)?;
    let paravisor = format!("paravisor of {name}");
    let processor = match (of("snp"), of("tdx")) {
        (Some(report), _) => amd::snp(report, &paravisor),
        (None, quote) => intel::tdx(quote?, &paravisor),
    }?;
    let guest = tpm::tpm(of("tpm")?, name)?;
    Some(format!(
        "{configuration}\n# The paravisor below the guest, on its processor.{processor}\n# The guest, as the virtual TPM of the paravisor saw it boot.{guest}"
    ))
}

fn configuration(bytes: &[u8]) -> Option<String> {
    let data = RuntimeData::decode(bytes).ok()?;
    let mut text = "\n[azure]\n".to_owned();
    if !data.configuration.secure_boot {
        line(
            &mut text,
            "Seen without Secure Boot: the firmware checks nothing of what it boots. It is NOT accepted; that",
        );
        line(
            &mut text,
            "would be allow-insecure-boot = true, and a warning still",
        );
    }
    let id = &data.configuration.vm_unique_id;
    match is_guid(id) {
        true => {
            line(
                &mut text,
                "This VM. Remove the line to accept any of the same images.",
            );
            pin(&mut text, "vm-unique-ids", &format!("[\"{id}\"]"));
        }
        false => line(
            &mut text,
            "Not looked at: which VM it is. Its identifier is none that a line can name.",
        ),
    }
    line(
        &mut text,
        "Not looked at: whether the VM has a serial console, which its host sees.",
    );
    match data.user_data.len() == USER_DATA
        && data.user_data.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        true => {
            line(
                &mut text,
                "What software of the guest had put beside the key of the virtual TPM.",
            );
            pin(&mut text, "user-data", &quoted(data.user_data));
        }
        false => line(
            &mut text,
            "Not looked at: the user data, which has not 64 bytes, so no line can name it.",
        ),
    }
    Some(text)
}

/// 8-4-4-4-12 hexadecimal digits.
fn is_guid(text: &str) -> bool {
    let groups = text.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12])
        && text
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Hexadecimal digits.
const USER_DATA: usize = 128;
