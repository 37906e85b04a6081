//! What a valid authenticator proved, before anybody appraised it.

use std::fmt;

use crate::bound::Bound;
use crate::cmw::Cmw;
use crate::exchange::Selection;

/// A CMW, the value that its Evidence must carry, and the key that presented it on this connection.
///
/// Comes out of [`Pending::finish`](crate::Pending::finish) only, and goes into
/// [`RelyingParty::decide`](crate::RelyingParty::decide) only. Proves who spoke, not what they are.
pub struct Credential {
    pub(crate) cmw: Cmw,
    pub(crate) bound: Bound,
    pub(crate) leaf_key: Vec<u8>,
    pub(crate) selection: Option<Selection>,
}

impl Credential {
    /// The message that the authenticator carried, as it came.
    pub fn cmw(&self) -> &Cmw {
        &self.cmw
    }

    /// The value that the Evidence must carry.
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// DER SubjectPublicKeyInfo of the authenticator's end-entity certificate.
    pub fn leaf_key(&self) -> &[u8] {
        &self.leaf_key
    }

    /// What the peer chose of the offered parameters; `None` is the minimal exchange.
    pub fn selection(&self) -> Option<Selection> {
        self.selection
    }
}

/// Sizes only: Evidence and keys identify devices.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("cmw", &self.cmw)
            .field("bound", &self.bound)
            .field("selection", &self.selection)
            .finish_non_exhaustive()
    }
}
