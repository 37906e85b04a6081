//! The claims of AR4SI in words.

use super::tier::Category;
use super::tier::Tier;
use super::tier::TrustClaim;

impl Category {
    /// The claim in words, as AR4SI (draft-ietf-rats-ar4si §2.3.4) defines its value in this category. An undefined value gets the
    /// words of its tier.
    pub fn meaning(self, claim: TrustClaim) -> &'static str {
        match (self, claim.value()) {
            (_, 0) => "nothing is claimed",
            (_, 1) => "the evidence holds something that the verifier does not understand",
            (_, -1) => "the verifier failed",
            (_, 99) => "a signature or another cryptographic check failed",
            (Self::InstanceIdentity, 2) => "the instance is known and trusted",
            (Self::InstanceIdentity, 96) => "the instance is known and not trusted",
            (Self::InstanceIdentity, 97) => "the instance is not known",
            (Self::Configuration, 2) => "the configuration is approved",
            (Self::Configuration, 3) => "the configuration has no known weakness",
            (Self::Configuration, 32) => "the configuration has a known weakness",
            (Self::Configuration, 36) => "the configuration is not to be seen",
            (Self::Configuration, 96) => "the configuration is not acceptable",
            (Self::Executables, 2) => "only approved software ran, at boot and since",
            (Self::Executables, 3) => "only approved software ran at boot",
            (Self::Executables, 32) => "software with a known weakness ran",
            (Self::Executables, 33) => "unknown software ran",
            (Self::Executables, 96) => "software that must not run did",
            (Self::FileSystem, 2) => "the file system is approved",
            (Self::FileSystem, 32) => "the file system is not known",
            (Self::FileSystem, 96) => "the file system is not acceptable",
            (Self::Hardware, 2) => "hardware and firmware are genuine and approved",
            (Self::Hardware, 32) => "hardware or firmware is genuine and has a known weakness",
            (Self::Hardware, 96) => "hardware or firmware is genuine and not acceptable",
            (Self::Hardware, 97) => "hardware or firmware is not known",
            (Self::RuntimeOpaque, 2) => "memory is encrypted",
            (Self::RuntimeOpaque, 32) => "memory is isolated and not encrypted",
            (Self::RuntimeOpaque, 96) => "memory can be read from outside",
            (Self::StorageOpaque, 2) => "secrets are encrypted under keys of the hardware",
            (Self::StorageOpaque, 32) => "secrets are encrypted under keys of software",
            (Self::StorageOpaque, 96) => "secrets are not encrypted",
            (Self::SourcedData, 2) => "data comes from trusted sources",
            (Self::SourcedData, 32) => "data comes from sources that are not trusted",
            (Self::SourcedData, 96) => "data comes from sources that are not acceptable",
            _ => match claim.tier() {
                Tier::Affirming => "affirming, by a value of the verifier's own",
                Tier::Warning => "a warning, by a value of the verifier's own",
                Tier::None => "nothing is claimed",
                Tier::Contraindicated => "contraindicated, by a value of the verifier's own",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_words() {
        for category in Category::ALL {
            for value in i8::MIN..=i8::MAX {
                assert!(!category.meaning(TrustClaim::new(value)).is_empty());
            }
        }
        let unknown = Category::Executables.meaning(TrustClaim::new(33));
        assert_eq!(unknown, "unknown software ran");
        let own = Category::Executables.meaning(TrustClaim::new(40));
        assert_eq!(own, "a warning, by a value of the verifier's own");
    }
}
