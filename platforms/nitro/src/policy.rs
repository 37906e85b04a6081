//! The policy: the known images, and the other demands on an enclave. Reference values go in; a policy that could accept nobody is an
//! error that names the field.

use std::time::Duration;

use atls_reference::FieldProblem;
use atls_reference::Table;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimProblem;
use serde::Deserialize;
use serde::Serialize;

use crate::corim;
use crate::image::NitroImage;

/// The table `[nitro]` of a file of reference values.
///
/// ```toml
/// version = 1
///
/// [nitro]
/// max-age-seconds = 300        # of a document; this is the default
/// allow-debug = false          # the default
///
/// [[nitro.image]]
/// name = "payments 1.4.2"
/// pcr0 = "…"                   # 96 hexadecimal digits, as nitro-cli prints them
/// pcr1 = "…"
/// pcr2 = "…"
/// pcr3 = "…"                   # optional: only with this IAM role
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct NitroPolicy {
    /// The images that may run, at least one. An enclave must match one of them in everything that the image names.
    #[serde(rename = "image")]
    pub images: Vec<NitroImage>,
    /// The greatest age of a document in seconds, by its own timestamp; by default 300. Freshness comes from the nonce. This bounds the
    /// difference of the clocks, and the wait of a batch of connections.
    #[serde(default = "default_max_age")]
    pub max_age_seconds: u64,
    /// Turns the refusal of enclaves in debug mode into a warning. The result **proves nothing** about the software of such an enclave:
    /// its measurements are zero, and the parent instance reads its console.
    #[serde(default)]
    pub allow_debug: bool,
}

impl NitroPolicy {
    /// Accepts these images, and no debug mode.
    pub fn new(images: Vec<NitroImage>) -> Self {
        Self {
            images,
            max_age_seconds: default_max_age(),
            allow_debug: false,
        }
    }

    pub(crate) fn max_age(&self) -> Duration {
        Duration::from_secs(self.max_age_seconds)
    }
}

impl Table for NitroPolicy {
    const NAME: &'static str = "nitro";

    fn from_corim(corim: &Corim) -> Result<Self, CorimProblem> {
        Ok(Self::new(corim::images(corim)?))
    }

    fn add_corim(&mut self, corim: &Corim) -> Result<(), CorimProblem> {
        self.images.extend(corim::images(corim)?);
        Ok(())
    }

    fn check(&self) -> Result<(), FieldProblem> {
        if self.images.is_empty() {
            let problem = "no image: nothing could be accepted; add [[nitro.image]]";
            return Err(FieldProblem::new("image", problem));
        }
        if self.max_age_seconds == 0 {
            let problem = "0: every document would be too old";
            return Err(FieldProblem::new("max-age-seconds", problem));
        }
        let mut images = self.images.iter().enumerate();
        images.try_for_each(|(index, image)| {
            let checked = image.check();
            checked.map_err(|found| found.within(&format!("image[{index}]")))
        })
    }
}

/// Seconds.
fn default_max_age() -> u64 {
    300
}

#[cfg(test)]
mod tests {
    use atls_reference::Digest;
    use atls_reference::ReferenceError;
    use atls_reference::from_toml;

    use super::*;

    #[test]
    fn a_table_is_read_and_written() {
        let text = format!(
            "version = 1\n[nitro]\nmax-age-seconds = 60\nallow-debug = true\n[[nitro.image]]\nname = \"a\"\n{}",
            pcrs(&(0..16).collect::<Vec<_>>())
        );
        let policy: NitroPolicy = from_toml(&text).unwrap();
        assert_eq!(policy.max_age(), Duration::from_secs(60));
        assert!(policy.allow_debug);
        let [image] = policy.images.as_slice() else {
            panic!("one image");
        };
        let software: Vec<_> = image.software().map(|(index, _)| index).collect();
        let instance: Vec<_> = image.instance().map(|(index, _)| index).collect();
        let expected = [&[0, 1, 2][..], &[5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]].concat();
        assert_eq!((software, instance), (expected, vec![3, 4]));
        assert_eq!(image.pcr3, Some(Digest::from([0x33; 48])));
        for (index, value) in image.software() {
            assert_eq!(value, Digest::from([0x30 | index; 48]));
        }

        let written = serde_json::json!({ "version": 1, "nitro": policy });
        let read: NitroPolicy = atls_reference::from_json(&written.to_string()).unwrap();
        assert_eq!(read, policy);
    }

    #[test]
    fn defaults_are_strict() {
        let policy = read("", &pcrs(&[0])).unwrap();
        assert!(!policy.allow_debug);
        assert_eq!(policy.max_age_seconds, 300);
        assert_eq!(policy, NitroPolicy::new(policy.images.clone()));
    }

    #[test]
    fn an_image_names_its_software() {
        for enough in [
            &[0][..],
            &[8],
            &[1, 2],
            &[0, 1, 2],
            &[0, 3, 4],
            &[1, 2, 8],
            &[0, 15],
        ] {
            assert!(read("", &pcrs(enough)).is_ok(), "{enough:?}");
        }
        for open in [
            &[][..],
            &[1],
            &[2],
            &[3],
            &[4],
            &[3, 4],
            &[1, 3],
            &[2, 4],
            &[5, 6, 7],
        ] {
            assert!(is_meaningless(&read("", &pcrs(open))), "{open:?}");
        }
    }

    #[test]
    fn a_register_is_not_expected_to_be_zero() {
        for index in [0, 1, 2, 3, 4, 8] {
            let zero = format!("pcr{index} = \"{}\"\n", "0".repeat(96));
            let others: Vec<_> = [0, 1, 2]
                .into_iter()
                .filter(|other| *other != index)
                .collect();
            let refused = read("", &(pcrs(&others) + &zero));
            assert!(is_meaningless(&refused), "PCR{index}");
        }
    }

    #[test]
    fn a_register_of_no_meaning_may_be_expected_to_be_zero() {
        for index in [5, 6, 7, 9, 10, 11, 12, 13, 14, 15] {
            let zero = format!("pcr{index} = \"{}\"\n", "0".repeat(96));
            let policy = read("", &(pcrs(&[0]) + &zero)).unwrap();
            let image = policy.images.first().unwrap();
            let expected = Some((index, Digest::from([0; 48])));
            assert_eq!(image.software().nth(1), expected, "PCR{index}");
        }
    }

    #[test]
    fn a_policy_that_can_accept_nothing_is_refused() {
        assert!(is_meaningless(&from_toml(
            "version = 1\n[nitro]\nimage = []\n"
        )));
        assert!(is_meaningless(&read("max-age-seconds = 0\n", &pcrs(&[0]))));
        let unnamed = format!("version = 1\n[[nitro.image]]\nname = \" \"\n{}", pcrs(&[0]));
        assert!(is_meaningless(&from_toml(&unnamed)));
    }

    #[test]
    fn unknown_missing_and_malformed_fields_are_refused() {
        let no_syntax =
            |read: Result<NitroPolicy, _>| matches!(read, Err(ReferenceError::Syntax(_)));
        assert!(no_syntax(read("debug = true\n", &pcrs(&[0]))));
        assert!(no_syntax(read("allow_debug = true\n", &pcrs(&[0]))));
        assert!(no_syntax(read("max-age-seconds = -1\n", &pcrs(&[0]))));
        assert!(no_syntax(read("", &(pcrs(&[0]) + "pcr5 = \"00\"\n"))));
        assert!(no_syntax(read("", &pcrs(&[0, 16]))));
        assert!(no_syntax(read("", "pcr0 = \"c0ffee\"\n")));
        assert!(no_syntax(from_toml("version = 1\n[nitro]\n")));
        let unnamed = format!("version = 1\n[[nitro.image]]\n{}", pcrs(&[0]));
        assert!(no_syntax(from_toml(&unnamed)));
    }

    #[test]
    fn an_error_names_line_and_field() {
        let zero = format!("pcr8 = \"{}\"\n", "0".repeat(96));
        for (settings, image, place, field) in [
            (
                "max-age-seconds = 0\n",
                pcrs(&[0]),
                (3, 19),
                "max-age-seconds",
            ),
            ("", pcrs(&[1]), (3, 1), "image[0]"),
            ("", pcrs(&[0]) + &zero, (6, 8), "image[0].pcr8"),
        ] {
            match read(settings, &image) {
                Err(ReferenceError::Meaning {
                    line,
                    column,
                    field: found,
                    ..
                }) => assert_eq!(((line, column), &*found), (place, field)),
                other => panic!("{other:?}"),
            }
        }
    }

    fn read(settings: &str, image: &str) -> Result<NitroPolicy, ReferenceError> {
        from_toml(&format!(
            "version = 1\n[nitro]\n{settings}[[nitro.image]]\nname = \"image\"\n{image}"
        ))
    }

    /// PCR `n` is `0x30 | n`, 48 times.
    fn pcrs(indices: &[u8]) -> String {
        let line = |index: &u8| {
            format!(
                "pcr{index} = \"{}\"\n",
                format!("{:02x}", 0x30 | index).repeat(48)
            )
        };
        indices.iter().map(line).collect()
    }

    fn is_meaningless(read: &Result<NitroPolicy, ReferenceError>) -> bool {
        matches!(read, Err(ReferenceError::Meaning { table: "nitro", .. }))
    }
}
