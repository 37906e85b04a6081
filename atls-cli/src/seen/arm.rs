//! Of tokens of Arm: CCA and PSA.

use atls_cca::CcaPlatform;
use atls_cca::CcaRealm;
use atls_cca::Component;
use atls_cca::PsaDevice;
use atls_formats::psa::CcaToken;
use atls_formats::psa::SignedToken;

use super::lines::line;
use super::lines::named;
use super::lines::pin;
use super::lines::quoted;
use super::lines::string;
use crate::report::hex;

/// The table `cca`, and the platform that a table of keys must know.
pub(super) fn cca(bytes: &[u8], name: &str) -> Option<(String, CcaPlatform)> {
    let token = CcaToken::decode(bytes).ok()?;
    let platform = CcaPlatform::of(token.platform()).ok()?;
    let realm = CcaRealm::of(token.realm()).ok()?;
    let mut text =
        "\n# The lifecycle of the platform must be `secured`: no line accepts another.\n"
            .to_owned();
    line(
        &mut text,
        "Not looked at: the hash algorithms, and the verification service that the platform names.",
    );
    text.push_str("[[cca.platform]]\n");
    named(&mut text, &format!("platform of {name}"));
    implementation(&mut text, &platform.implementation_id);
    line(
        &mut text,
        "What the maker says of memory protection and other options, whole.",
    );
    pin(
        &mut text,
        "configuration",
        &quoted(hex(&platform.configuration)),
    );
    components(&mut text, "cca.platform", &platform.components);
    text.push_str("\n[[cca.realm]]\n");
    named(&mut text, name);
    line(
        &mut text,
        "RIM: memory and registers of the realm before it ran.",
    );
    let initial = &realm.initial_measurement;
    pin(&mut text, "initial-measurement", &quoted(hex(initial)));
    line(&mut text, "RPV: chosen by whoever made the realm.");
    let value = quoted(hex(&realm.personalization_value));
    pin(&mut text, "personalization-value", &value);
    for (key, value) in REMS.into_iter().zip(&realm.extensible_measurements) {
        line(
            &mut text,
            "What software in the realm measured. Remove the line if it differs by run.",
        );
        pin(&mut text, key, &quoted(hex(value)));
    }
    Some((text, platform))
}

/// The table `psa`, and the device that a table of keys must know.
pub(super) fn psa(bytes: &[u8], name: &str) -> Option<(String, PsaDevice)> {
    let token = SignedToken::decode(bytes).ok()?;
    let device = PsaDevice::of(token.claims()).ok()?;
    let mut text =
        "\n# The lifecycle of the device must be `secured`: no line accepts another.\n".to_owned();
    line(
        &mut text,
        "Not looked at: client ID, boot seed, certification reference and verification service.",
    );
    text.push_str("[[psa.device]]\n");
    named(&mut text, name);
    implementation(&mut text, &device.implementation_id);
    components(&mut text, "psa.device", &device.components);
    Some((text, device))
}

fn implementation(text: &mut String, id: &[u8; 32]) {
    line(text, "The kind of hardware and of immutable firmware.");
    pin(text, "implementation-id", &quoted(hex(id)));
}

/// All of them must be there, and no other.
fn components(text: &mut String, parent: &str, found: &[Component]) {
    for component in found {
        text.push_str(&format!("\n[[{parent}.component]]\n"));
        line(
            text,
            "A component of the firmware. All that are named must be there, and no other.",
        );
        if let Some(kind) = &component.kind {
            pin(text, "kind", &string(kind));
        }
        pin(text, "measurement", &quoted(hex(&component.measurement)));
        line(
            text,
            "The key that signed it, and its version. The measurement alone says what runs.",
        );
        pin(text, "signer-id", &quoted(hex(&component.signer_id)));
        if let Some(version) = &component.version {
            pin(text, "version", &string(version));
        }
    }
}

const REMS: [&str; 4] = ["rem0", "rem1", "rem2", "rem3"];
