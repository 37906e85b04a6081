//! The parts of the wire that differ between versions of the draft.

use std::fmt;

use crate::error::ConfigError;

/// One version of draft-fossati-seat-expat, as far as it shows on the wire: exporter label, code point and form of the binder.
///
/// Both ends are configured for the same profile. A request names the profile of its sender ([`Parameters`]), and an end that is
/// configured for another one ends the connection. No end ever takes a profile from its peer, so nobody can talk an end down to an
/// older one. Where a request names none, as in the minimal exchange, the labels differ, and the Evidence is not bound.
///
/// All else is the same in every profile: TLS, frames, the messages of RFC 9261, `attestation_parameters`, verdicts, batches, limits,
/// and the two weaker modes.
///
/// ```
/// use atls_core::WireProfile;
///
/// assert_eq!(WireProfile::default(), WireProfile::EXPAT_03);
/// assert_eq!(WireProfile::named("expat-03"), Some(WireProfile::EXPAT_03));
/// assert_eq!(WireProfile::EXPAT_03.exporter_label(), "Attestation");
/// ```
///
/// [`Parameters`]: crate::exchange::Parameters
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct WireProfile {
    name: &'static str,
    exporter_label: &'static str,
    cmw_attestation: u16,
    binder: BinderForm,
}

/// The order in which a binder hashes its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BinderForm {
    /// `Hash(public_key || exported_value)`, since draft -02.
    KeyThenExportedValue,
}

impl WireProfile {
    /// draft-fossati-seat-expat-03 of July 2026, the default. The label is that of its normative text; one other
    /// passage of it says "Attestation Binding". The draft leaves the code point open; this one is of the private range and that of
    /// the one other deployed implementation.
    pub const EXPAT_03: Self = Self {
        name: "expat-03",
        exporter_label: "Attestation",
        cmw_attestation: 0xff00,
        binder: BinderForm::KeyThenExportedValue,
    };

    /// A profile of a draft that this crate does not implement by name, for experiments between ends that agreed on it: nobody has
    /// reviewed what goes on such a wire.
    ///
    /// The name is what requests say, 1 to 64 letters, digits, `-`, `.` and `_`, and none of a profile that is implemented.
    ///
    /// # Errors
    /// [`ConfigError::Profile`] for another name; for a label that is empty, longer than 249 bytes, or one of RFC 9261, whose exported
    /// values are secret; and for a code point outside of the private range, 0xff00 to 0xffff, or one that has another use there.
    pub fn dangerous_unpublished(
        name: &'static str,
        exporter_label: &'static str,
        cmw_attestation: u16,
    ) -> Result<Self, ConfigError> {
        if !is_name(name) || Self::named(name).is_some() {
            return Err(ConfigError::Profile("its name is none, or is taken"));
        }
        let fits = (1..=MAX_LABEL).contains(&exporter_label.len());
        if !fits || exporter_label.contains(RFC_9261) {
            return Err(ConfigError::Profile("its exporter label cannot be used"));
        }
        if cmw_attestation < FIRST_PRIVATE || TAKEN.contains(&cmw_attestation) {
            return Err(ConfigError::Profile("its code point cannot be used"));
        }
        Ok(Self {
            name,
            exporter_label,
            cmw_attestation,
            binder: BinderForm::KeyThenExportedValue,
        })
    }

    /// The profile that is implemented under this name, for configurations.
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|profile| profile.name == name)
    }

    /// The name in configurations, in requests and in errors.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The label of the `exported_value`.
    pub const fn exporter_label(self) -> &'static str {
        self.exporter_label
    }

    /// The code point of the extension `cmw_attestation`.
    pub const fn cmw_attestation(self) -> u16 {
        self.cmw_attestation
    }

    pub(crate) const fn binder(self) -> BinderForm {
        self.binder
    }
}

impl Default for WireProfile {
    fn default() -> Self {
        Self::EXPAT_03
    }
}

impl fmt::Display for WireProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for WireProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WireProfile({})", self.name)
    }
}

/// Tells whether a profile may have this name. A peer's name is shown in errors.
pub(crate) fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(allowed)
}

const ALL: [WireProfile; 1] = [WireProfile::EXPAT_03];

/// Code point of `attestation_parameters`, the extension of this crate, in every profile. It is of the private range; 0xff01 is
/// `renegotiation_info`.
pub const ATTESTATION_PARAMETERS: u16 = 0xff02;

const MAX_NAME: usize = 64;
/// `tls13 ` and the label share 255 bytes (RFC 9846 §7.1).
const MAX_LABEL: usize = 249;
/// In the labels of its Handshake Context and Finished MAC Key.
const RFC_9261: &str = " authenticator ";
const FIRST_PRIVATE: u16 = 0xff00;
/// `renegotiation_info` and `attestation_parameters`.
const TAKEN: [u16; 2] = [0xff01, ATTESTATION_PARAMETERS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_of_no_draft_collides_with_nothing() {
        let profile = WireProfile::dangerous_unpublished;
        assert!(profile("x", "EXPORTER-x", 0xff77).is_ok());
        for (name, label, code) in [
            ("", "EXPORTER-x", 0xff77),
            ("expat-03", "EXPORTER-x", 0xff77),
            ("with space", "EXPORTER-x", 0xff77),
            ("line\nbreak", "EXPORTER-x", 0xff77),
            ("x", "", 0xff77),
            ("x", "EXPORTER-client authenticator finished key", 0xff77),
            (
                "x",
                "EXPORTER-server authenticator handshake context",
                0xff77,
            ),
            ("x", "EXPORTER-x", 13),
            ("x", "EXPORTER-x", 0),
            ("x", "EXPORTER-x", 0xfeff),
            ("x", "EXPORTER-x", 0xff01),
            ("x", "EXPORTER-x", 0xff02),
        ] {
            let refused = profile(name, label, code);
            assert!(
                matches!(refused, Err(ConfigError::Profile(_))),
                "{name} {label} {code}"
            );
        }
        let long: &'static str = Box::leak("x".repeat(250).into_boxed_str());
        assert!(profile("x", long, 0xff77).is_err());
        assert!(profile(&long[..65], "EXPORTER-x", 0xff77).is_err());
    }
}
