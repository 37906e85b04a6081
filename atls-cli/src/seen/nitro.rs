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
    line(
        &mut text,
        "Not looked at: registers from PCR16 on, which a policy cannot name, and user_data.",
    );
    for (register, value) in &registers {
        if is_zero(value) && IN_USE.contains(&register.as_str()) {
            let says = "nothing is in it, and a policy cannot ask for that";
            line(&mut text, &format!("Not looked at: {register}; {says}."));
            continue;
        }
        let says = match is_zero(value) {
            true => "Unused, and it must stay so.",
            false => pcr(register),
        };
        line(&mut text, says);
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

/// AWS measures into them; zero stands for no role, no signer.
const IN_USE: [&str; 3] = ["pcr3", "pcr4", "pcr8"];
