//! Of Nitro documents.

use super::lines::line;
use super::lines::named;
use super::lines::pin;
use super::lines::quoted;

pub(super) fn nitro(bytes: &[u8], name: &str) -> Option<String> {
    let registers = atls_nitro::dangerous_unverified_measurements(bytes).ok()?;
    let is_zero = |value: &str| value.bytes().all(|digit| digit == b'0');
    let mut text = "\n[nitro]\n".to_owned();
    line(&mut text, "How old a document may be, in seconds.");
    pin(&mut text, "max-age-seconds", "300");
    if registers
        .iter()
        .any(|(name, value)| name == "pcr0" && is_zero(value))
    {
        // In debug mode an enclave measures nothing, and there is nothing to pin.
        return None;
    }
    text.push_str("\n[[nitro.image]]\n");
    named(&mut text, name);
    for (register, value) in registers.iter().filter(|(_, value)| !is_zero(value)) {
        line(&mut text, pcr(register));
        pin(&mut text, register, &quoted(value));
    }
    Some(text)
}

fn pcr(register: &str) -> &'static str {
    match register {
        "pcr0" => "The whole enclave image file.",
        "pcr1" => "Kernel and bootstrap ramdisk.",
        "pcr2" => "The application.",
        "pcr3" => {
            "The IAM role of the parent instance. Remove the line to accept it under any role."
        }
        "pcr4" => "The parent instance. Remove the line to accept it on any instance.",
        "pcr8" => "The certificate that signed the image file.",
        _ => "Measured by the enclave itself.",
    }
}
