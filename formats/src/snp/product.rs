//! The processors that have SEV-SNP, as AMD tells them apart.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

/// A line of processors with its own root key (AMD document 57230 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(
    clippy::exhaustive_enums,
    reason = "a new one has to be handled wherever products are distinguished"
)]
pub enum Product {
    /// EPYC 7003.
    Milan,
    /// EPYC 9004 and 8004. Bergamo and Siena have the same root.
    Genoa,
    /// EPYC 9005.
    Turin,
}

impl Product {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Milan, Self::Genoa, Self::Turin];

    /// AMD's name, as in certificates and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Milan => "Milan",
            Self::Genoa => "Genoa",
            Self::Turin => "Turin",
        }
    }

    /// The name in files.
    pub fn key(self) -> &'static str {
        match self {
            Self::Milan => "milan",
            Self::Genoa => "genoa",
            Self::Turin => "turin",
        }
    }

    /// Finds the product by the combined family and model of CPUID (AMD document 56860, `CPUID_FAM_ID` and `CPUID_MOD_ID`).
    pub fn of_cpuid(family: u8, model: u8) -> Option<Self> {
        match (family, model) {
            (0x19, 0x00..=0x0f) => Some(Self::Milan),
            // Genoa; Bergamo and Siena.
            (0x19, 0x10..=0x1f | 0xa0..=0xaf) => Some(Self::Genoa),
            (0x1a, 0x00..=0x11) => Some(Self::Turin),
            _ => None,
        }
    }

    /// Finds the product by `productName` of a VEK certificate: a name, for a VCEK often with the stepping, such as `Milan-B0`.
    pub fn of_certificate(product_name: &str) -> Option<Self> {
        let line = match product_name.split_once('-') {
            Some((line, stepping)) if is_stepping(stepping) => line,
            Some(_) => return None,
            None => product_name,
        };
        match line {
            "Milan" => Some(Self::Milan),
            "Genoa" | "Bergamo" | "Siena" => Some(Self::Genoa),
            "Turin" => Some(Self::Turin),
            _ => None,
        }
    }

    /// `structVersion` of its VEK certificates (AMD document 57230 §3): 1 from Turin on, whose firmware has an FMC.
    pub fn vek_structure(self) -> u8 {
        match self {
            Self::Milan | Self::Genoa => 0,
            Self::Turin => 1,
        }
    }

    /// The length of the hardware ID in bytes. Turin fills the rest of the report's field with zeros.
    pub fn hwid_length(self) -> usize {
        match self {
            Self::Milan | Self::Genoa => 64,
            Self::Turin => 8,
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn is_stepping(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, digit] if letter.is_ascii_uppercase() && digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_known_by_family_and_model() {
        for (family, model, product) in [
            (0x19, 0x01, Some(Product::Milan)),
            (0x19, 0x11, Some(Product::Genoa)),
            (0x19, 0xa0, Some(Product::Genoa)),
            (0x1a, 0x02, Some(Product::Turin)),
            (0x1a, 0x11, Some(Product::Turin)),
            (0x19, 0x20, None),
            (0x19, 0xb0, None),
            (0x1a, 0x12, None),
            (0x1a, 0x50, None),
            (0x17, 0x01, None),
            (0, 0, None),
        ] {
            assert_eq!(Product::of_cpuid(family, model), product);
        }
    }

    #[test]
    fn a_product_is_known_by_its_name_in_certificates() {
        for (name, product) in [
            ("Milan", Some(Product::Milan)),
            ("Milan-B0", Some(Product::Milan)),
            ("Genoa-B1", Some(Product::Genoa)),
            ("Siena", Some(Product::Genoa)),
            ("Turin-C1", Some(Product::Turin)),
            ("Milan-", None),
            ("Milan-B00", None),
            ("milan", None),
            ("Venice", None),
            ("", None),
        ] {
            assert_eq!(Product::of_certificate(name), product, "{name}");
        }
    }
}
