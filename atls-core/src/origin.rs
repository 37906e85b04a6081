//! Where Evidence came from.

/// The origin of Evidence, as the platform's verifier states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// A device whose keys its maker endorses.
    Device,
    /// Software that anybody can run. Every relying party refuses it unless its policy says otherwise by name.
    Simulated,
}

impl Origin {
    /// Of Evidence with two origins: a device's only where both are.
    pub(crate) fn worse(self, other: Self) -> Self {
        match self {
            Self::Device => other,
            worse => worse,
        }
    }
}
