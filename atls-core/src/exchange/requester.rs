//! The asking end: requests for attestation.

use rustls::crypto::CryptoProvider;

use super::ATTESTATION_PARAMETERS;
use super::parameters::Parameters;
use super::parameters::Selection;
use super::pending::Pending;
use crate::bound::ExportedValue;
use crate::error::ProtocolError;
use crate::error::SendError;
use crate::exchange::authenticator;
use crate::exchange::authenticator::Extension;
use crate::exchange::authenticator::PreparedRequest;
use crate::exchange::authenticator::RequestTemplate;
use crate::session::Session;
use crate::session::Side;
use crate::wire_profile::WireProfile;

/// Asks the peer to attest, in the default [`WireProfile`]. It returns the bytes to send, and the [`Pending`] that takes the answer.
///
/// Without `parameters` it is the minimal request of the draft.
///
/// # Errors
/// Those of [`UnsentRequest::new`] and [`UnsentRequest::on`].
pub fn request(
    session: &dyn Session,
    provider: &CryptoProvider,
    parameters: Option<&Parameters>,
) -> Result<(Vec<u8>, Pending), ProtocolError> {
    let request = UnsentRequest::new(session.handshake().side(), provider, parameters)?;
    let bytes = request.as_bytes().to_vec();
    Ok((bytes, request.on(session)?))
}

/// Makes the requests for attestation of many connections. It encodes their common part once.
#[derive(Clone, Debug)]
pub struct Requester {
    profile: WireProfile,
    template: RequestTemplate,
    /// All that the answer may choose.
    offered: Selection,
}

impl Requester {
    /// A maker of requests for one side, in the default [`WireProfile`]. Without `parameters` it makes the minimal request of the
    /// draft.
    ///
    /// # Errors
    /// Those of [`RequestTemplate::new`], and [`SendError`] for parameters that do not fit.
    pub fn new(
        side: Side,
        provider: &CryptoProvider,
        parameters: Option<&Parameters>,
    ) -> Result<Self, SendError> {
        Self::in_profile(WireProfile::default(), side, provider, parameters)
    }

    /// The same in another [`WireProfile`]. Parameters name it to the peer.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn in_profile(
        profile: WireProfile,
        side: Side,
        provider: &CryptoProvider,
        parameters: Option<&Parameters>,
    ) -> Result<Self, SendError> {
        let mut extensions = vec![Extension {
            code: profile.cmw_attestation(),
            data: Vec::new(),
        }];
        if let Some(parameters) = parameters {
            let data = parameters.encode(profile)?;
            extensions.push(Extension {
                code: ATTESTATION_PARAMETERS,
                data,
            });
        }
        Ok(Self {
            profile,
            template: RequestTemplate::new(side, provider, extensions)?,
            offered: parameters.map_or(Selection::NOTHING, Parameters::offered),
        })
    }

    /// The request for one connection, with a fresh context.
    ///
    /// # Errors
    /// Those of [`RequestTemplate::prepare`].
    pub fn prepare(&self) -> Result<UnsentRequest, ProtocolError> {
        Ok(UnsentRequest {
            profile: self.profile,
            request: self.template.prepare()?,
            offered: self.offered,
        })
    }
}

/// A request for attestation that is made before its connection is there, so that it can leave with the end of the handshake.
#[derive(Debug)]
pub struct UnsentRequest {
    profile: WireProfile,
    request: PreparedRequest,
    /// All that the answer may choose.
    offered: Selection,
}

impl UnsentRequest {
    /// A [`Requester`] and its one request, in one step.
    ///
    /// # Errors
    /// Those of [`Requester::new`] and [`Requester::prepare`].
    pub fn new(
        side: Side,
        provider: &CryptoProvider,
        parameters: Option<&Parameters>,
    ) -> Result<Self, ProtocolError> {
        Requester::new(side, provider, parameters)?.prepare()
    }

    /// The bytes to send.
    pub fn as_bytes(&self) -> &[u8] {
        self.request.as_bytes()
    }

    /// Names the connection on which the request is sent.
    ///
    /// # Errors
    /// Those of [`PreparedRequest::on`].
    pub fn on(self, session: &dyn Session) -> Result<Pending, ProtocolError> {
        let leaf = session.handshake().peer_chain().first();
        let handshake_key = leaf.map(authenticator::spki).transpose()?;
        let request = self.request.on(session)?;
        Ok(Pending {
            profile: self.profile,
            exported: ExportedValue::of(self.profile, session, request.context())?,
            request,
            handshake_key,
            offered: self.offered,
            tls: session.handshake().tls(),
        })
    }
}
