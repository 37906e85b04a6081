//! `TCB_VERSION`: the versions of the firmware under a guest, in 8 bytes of a report.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use super::product::Product;

/// `TCB_VERSION`: a security version number for each part of the firmware (AMD document 56860 §2.2). A higher number is a newer
/// part. The whole has no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[allow(
    clippy::exhaustive_structs,
    reason = "the bytes that AMD defines; a policy states each"
)]
pub struct Tcb {
    /// The FMC of the secure processor. Turin only; required there and refused elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fmc: Option<u8>,
    /// The boot loader of the secure processor.
    pub bootloader: u8,
    /// The operating system of the secure processor.
    pub tee: u8,
    /// The SNP firmware.
    pub snp: u8,
    /// The microcode of the processor, at its lowest over all cores.
    pub microcode: u8,
}

/// The order of the parts in a `TCB_VERSION` (AMD document 56860 §2.2, table 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TcbLayout {
    /// From Turin on.
    WithFmc,
    /// Milan and Genoa.
    WithoutFmc,
}

impl From<Product> for TcbLayout {
    fn from(product: Product) -> Self {
        match product {
            Product::Milan | Product::Genoa => Self::WithoutFmc,
            Product::Turin => Self::WithFmc,
        }
    }
}

impl Tcb {
    /// Reads 8 bytes of a report. `None` where a reserved byte is not zero.
    pub fn decode(layout: impl Into<TcbLayout>, bytes: [u8; 8]) -> Option<Self> {
        let (fmc, bootloader, tee, snp, microcode) = match (layout.into(), bytes) {
            (TcbLayout::WithoutFmc, [bootloader, tee, 0, 0, 0, 0, snp, microcode]) => {
                (None, bootloader, tee, snp, microcode)
            }
            (TcbLayout::WithFmc, [fmc, bootloader, tee, snp, 0, 0, 0, microcode]) => {
                (Some(fmc), bootloader, tee, snp, microcode)
            }
            _ => return None,
        };
        Some(Self {
            fmc,
            bootloader,
            tee,
            snp,
            microcode,
        })
    }

    /// Whether every part is as new as that of `minimum`.
    pub fn is_at_least(&self, minimum: &Self) -> bool {
        self.parts()
            .into_iter()
            .zip(minimum.parts())
            .all(|((_, part), (_, least))| part >= least)
    }

    /// The parts that are older than those of `minimum`, as text: `snp 20 of 24`.
    pub fn behind(&self, minimum: &Self) -> Vec<String> {
        self.parts()
            .into_iter()
            .zip(minimum.parts())
            .filter(|((_, part), (_, least))| part < least)
            .map(|((name, part), (_, least))| {
                let version =
                    |part: Option<u8>| part.map_or_else(|| "none".to_owned(), |it| it.to_string());
                format!("{name} {} of {}", version(part), version(least))
            })
            .collect()
    }

    /// Each part by AMD's name. A missing FMC is older than any.
    fn parts(&self) -> [(&'static str, Option<u8>); 5] {
        [
            ("fmc", self.fmc),
            ("bootloader", Some(self.bootloader)),
            ("tee", Some(self.tee)),
            ("snp", Some(self.snp)),
            ("microcode", Some(self.microcode)),
        ]
    }
}

impl fmt::Display for Tcb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(fmc) = self.fmc {
            write!(f, "fmc {fmc}, ")?;
        }
        write!(
            f,
            "bootloader {}, tee {}, snp {}, microcode {}",
            self.bootloader, self.tee, self.snp, self.microcode
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILAN: [u8; 8] = [4, 1, 0, 0, 0, 0, 24, 219];
    const TURIN: [u8; 8] = [1, 4, 2, 24, 0, 0, 0, 219];

    #[test]
    fn the_layout_is_the_products() {
        let milan = Tcb::decode(Product::Milan, MILAN).unwrap();
        let expected = Tcb {
            fmc: None,
            bootloader: 4,
            tee: 1,
            snp: 24,
            microcode: 219,
        };
        assert_eq!(milan, expected);
        assert_eq!(Tcb::decode(Product::Genoa, MILAN), Some(expected));
        let turin = Tcb::decode(Product::Turin, TURIN).unwrap();
        let expected = Tcb {
            fmc: Some(1),
            tee: 2,
            ..expected
        };
        assert_eq!(turin, expected);
        assert_eq!(Tcb::decode(Product::Turin, MILAN), None, "reserved bytes");
        assert_eq!(Tcb::decode(Product::Milan, TURIN), None, "reserved bytes");
    }

    #[test]
    fn each_part_must_reach_its_minimum() {
        let minimum = Tcb::decode(Product::Turin, TURIN).unwrap();
        assert!(minimum.is_at_least(&minimum));
        for part in [0, 1, 2, 3, 7] {
            let mut older = TURIN;
            older[part] -= 1;
            let mut newer = TURIN;
            newer[part] += 1;
            let decode = |bytes| Tcb::decode(Product::Turin, bytes).unwrap();
            assert!(!decode(older).is_at_least(&minimum), "{part}");
            assert!(decode(newer).is_at_least(&minimum), "{part}");
        }
        let without = Tcb {
            fmc: None,
            ..minimum
        };
        assert!(!without.is_at_least(&minimum));
    }
}
