//! Where Evidence came from.

/// Where Evidence came from, as the verifier that knows the platform says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// A device whose keys its maker endorses.
    Device,
    /// Software that anybody can run. Refused unless a policy names it.
    Simulated,
}
