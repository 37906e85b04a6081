//! The claims of trustworthiness of AR4SI, and their tiers.

use std::fmt;

/// How good a peer, a part of it, or one aspect is (draft-ietf-rats-ar4si §2.3.2). Ordered from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "AR4SI defines exactly these")]
pub enum Tier {
    /// Known good.
    Affirming,
    /// Something is off, and the relying party may decide.
    Warning,
    /// Nothing is asserted. **Not** a success.
    None,
    /// Known bad.
    Contraindicated,
}

impl Tier {
    /// The worse of the two.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        self.max(other)
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        match word {
            "affirming" => Some(Self::Affirming),
            "warning" => Some(Self::Warning),
            "none" => Some(Self::None),
            "contraindicated" => Some(Self::Contraindicated),
            _ => None,
        }
    }

    /// Its number in a CWT.
    pub(super) fn number(self) -> i128 {
        match self {
            Self::None => 0,
            Self::Affirming => 2,
            Self::Warning => 32,
            Self::Contraindicated => 96,
        }
    }

    pub(super) fn from_number(number: i128) -> Option<Self> {
        match number {
            0 => Some(Self::None),
            2 => Some(Self::Affirming),
            32 => Some(Self::Warning),
            96 => Some(Self::Contraindicated),
            _ => None,
        }
    }
}

/// The word of the standard.
impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Affirming => "affirming",
            Self::Warning => "warning",
            Self::None => "none",
            Self::Contraindicated => "contraindicated",
        })
    }
}

/// A verifier's claim about one aspect, −128 to 127.
///
/// | values | tier |
/// |---|---|
/// | −1, 0, 1 | none |
/// | 2 to 31, −2 to −32 | affirming |
/// | 32 to 95, −33 to −96 | warning |
/// | 96 to 127, −97 to −128 | contraindicated |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TrustClaim(i8);

impl TrustClaim {
    /// No claim is made.
    pub const NO_CLAIM: Self = Self(0);
    /// The Evidence holds something that the verifier does not understand.
    pub const UNEXPECTED_EVIDENCE: Self = Self(1);
    /// The verifier itself failed.
    pub const VERIFIER_MALFUNCTION: Self = Self(-1);
    /// In every category: a signature or other cryptographic check failed.
    pub const CRYPTO_FAILED: Self = Self(99);

    /// A claim of any value. The standard leaves room for more than it defines.
    pub fn new(value: i8) -> Self {
        Self(value)
    }

    /// The value.
    pub fn value(self) -> i8 {
        self.0
    }

    /// Its tier.
    pub fn tier(self) -> Tier {
        match self.0 {
            -1..=1 => Tier::None,
            2..=31 | -32..=-2 => Tier::Affirming,
            32..=95 | -96..=-33 => Tier::Warning,
            96..=127 | -128..=-97 => Tier::Contraindicated,
        }
    }
}

/// The aspects of the trustworthiness vector, with their CBOR labels and the values that AR4SI defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "AR4SI defines exactly these")]
pub enum Category {
    /// 0: is the instance known? 2 recognised, 96 contraindicated, 97 unrecognised.
    InstanceIdentity,
    /// 1: is it configured well? 2, 3 approved, 32, 36 unsafe or unavailable, 96 contraindicated.
    Configuration,
    /// 2: what does it run? 2, 3 approved at boot or at run time, 32, 33 unrecognised, 96 contraindicated.
    Executables,
    /// 3: 2 approved, 32 unrecognised, 96 contraindicated.
    FileSystem,
    /// 4: 2 genuine, 32 unsafe, 96 contraindicated, 97 unrecognised.
    Hardware,
    /// 5: is memory encrypted? 2 encrypted, 32 shielded, 96 visible.
    RuntimeOpaque,
    /// 6: is storage encrypted? 2 hardware-held, 32 software-held, 96 not.
    StorageOpaque,
    /// 7: is data it sources trustworthy? 2 trusted, 32 untrusted, 96 contraindicated.
    SourcedData,
}

impl Category {
    /// Every one, by label.
    pub const ALL: [Self; 8] = [
        Self::InstanceIdentity,
        Self::Configuration,
        Self::Executables,
        Self::FileSystem,
        Self::Hardware,
        Self::RuntimeOpaque,
        Self::StorageOpaque,
        Self::SourcedData,
    ];

    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InstanceIdentity => "instance-identity",
            Self::Configuration => "configuration",
            Self::Executables => "executables",
            Self::FileSystem => "file-system",
            Self::Hardware => "hardware",
            Self::RuntimeOpaque => "runtime-opaque",
            Self::StorageOpaque => "storage-opaque",
            Self::SourcedData => "sourced-data",
        }
    }
}

/// The claims of a verifier, at most one in each category.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustVector {
    /// In the order of [`Category::ALL`].
    claims: [Option<TrustClaim>; Category::ALL.len()],
}

impl TrustVector {
    /// A vector without claims. Its tier is `none`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a claim.
    #[must_use]
    pub fn with(mut self, category: Category, claim: TrustClaim) -> Self {
        let mut places = Category::ALL.into_iter().zip(&mut self.claims);
        if let Some((_, place)) = places.find(|(known, _)| *known == category) {
            *place = Some(claim);
        }
        self
    }

    /// The claim of one category, or [`TrustClaim::NO_CLAIM`].
    pub fn get(&self, category: Category) -> TrustClaim {
        let found = self.claims().find(|(known, _)| *known == category);
        found.map_or(TrustClaim::NO_CLAIM, |(_, claim)| claim)
    }

    /// The claims, ordered by label.
    pub fn claims(&self) -> impl Iterator<Item = (Category, TrustClaim)> {
        let all = Category::ALL.into_iter().zip(self.claims);
        all.filter_map(|(category, claim)| Some((category, claim?)))
    }

    /// The worst tier of all claims. A 0 claims nothing and worsens nothing. A vector of zeros is `none`.
    pub fn tier(&self) -> Tier {
        self.claims()
            .filter(|(_, claim)| *claim != TrustClaim::NO_CLAIM)
            .map(|(_, claim)| claim.tier())
            .reduce(Tier::worst)
            .unwrap_or(Tier::None)
    }
}

/// Prints `hardware 2, executables 33`, or `nothing claimed`.
impl fmt::Display for TrustVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.claims().next().is_none() {
            return f.write_str("nothing claimed");
        }
        let mut separator = "";
        for (category, claim) in self.claims() {
            write!(f, "{separator}{} {}", category.name(), claim.value())?;
            separator = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that AR4SI has for every category.
    #[test]
    fn claims_without_a_tier_have_the_values_of_the_standard() {
        let claims = [
            TrustClaim::VERIFIER_MALFUNCTION,
            TrustClaim::NO_CLAIM,
            TrustClaim::UNEXPECTED_EVIDENCE,
        ];
        assert_eq!(claims.map(TrustClaim::value), [-1, 0, 1]);
        assert_eq!(TrustClaim::CRYPTO_FAILED.value(), 99);
    }

    #[test]
    fn ranges_are_exact() {
        for (values, tier) in [
            (-1..=1, Tier::None),
            (2..=31, Tier::Affirming),
            (-32..=-2, Tier::Affirming),
            (32..=95, Tier::Warning),
            (-96..=-33, Tier::Warning),
            (96..=127, Tier::Contraindicated),
            (-128..=-97, Tier::Contraindicated),
        ] {
            for value in values {
                assert_eq!(TrustClaim::new(value).tier(), tier, "{value}");
            }
        }
    }

    #[test]
    fn none_is_worse_than_warning_and_better_than_contraindicated() {
        assert_eq!(Tier::Affirming.worst(Tier::Warning), Tier::Warning);
        assert_eq!(Tier::None.worst(Tier::Warning), Tier::None);
        assert_eq!(
            Tier::None.worst(Tier::Contraindicated),
            Tier::Contraindicated
        );
    }

    #[test]
    fn a_vector_is_as_good_as_its_worst_claim() {
        let good = TrustVector::new().with(Category::Hardware, TrustClaim::new(2));
        assert_eq!(good.tier(), Tier::Affirming);
        let unclaimed = good
            .clone()
            .with(Category::FileSystem, TrustClaim::NO_CLAIM);
        assert_eq!(unclaimed.tier(), Tier::Affirming);
        for (claim, tier) in [
            (TrustClaim::VERIFIER_MALFUNCTION, Tier::None),
            (TrustClaim::UNEXPECTED_EVIDENCE, Tier::None),
            (TrustClaim::new(33), Tier::Warning),
            (TrustClaim::CRYPTO_FAILED, Tier::Contraindicated),
        ] {
            let vector = good.clone().with(Category::Executables, claim);
            assert_eq!(vector.tier(), tier, "{claim:?}");
        }
        assert_eq!(TrustVector::new().tier(), Tier::None);
        let zero = TrustVector::new().with(Category::Hardware, TrustClaim::NO_CLAIM);
        assert_eq!(zero.tier(), Tier::None);
    }
}
