//! What a valid authenticator proved, before anybody appraised it.

use crate::bound::Bound;
use crate::cmw::Cmw;
use crate::exchange::Selection;

/// A CMW, the value that its Evidence must carry, and the key that presented it on this connection.
///
/// Comes out of [`Pending::finish`](crate::Pending::finish) only, and goes into
/// [`RelyingParty::decide`](crate::RelyingParty::decide) only. Proves who spoke, not what they are.
#[derive(Debug)]
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
