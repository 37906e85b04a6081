//! The answering end: a request goes in, an authenticator comes out.

use std::fmt;

use super::ATTESTATION_PARAMETERS;
use super::parameters::Parameters;
use super::parameters::Selection;
use super::parameters::Verdicts;
use crate::attest_request::AttestRequest;
use crate::bound::Bound;
use crate::bound::ExportedValue;
use crate::cmw::Cmw;
use crate::cmw::CmwError;
use crate::codec::put_vec16;
use crate::error::ProtocolError;
use crate::error::SendError;
use crate::exchange::authenticator;
use crate::exchange::authenticator::Extension;
use crate::exchange::authenticator::ReceivedRequest;
use crate::exchange::batch::Batches;
use crate::session::Session;
use crate::wire_profile::WireProfile;

/// A request for attestation that arrived on this connection. It is answered once.
pub struct Challenge {
    profile: WireProfile,
    request: ReceivedRequest,
    parameters: Option<Parameters>,
    /// The end-entity key that will answer, and the value that Evidence must carry for it.
    bound: Option<(Vec<u8>, Bound)>,
}

impl Challenge {
    /// Parses the request, spends its context, and derives the value that Evidence must carry from the live connection. This end is
    /// of the default [`WireProfile`].
    ///
    /// # Errors
    /// Those of [`ReceivedRequest::receive`]. [`ProtocolError::OtherProfile`] for parameters of another profile. [`ProtocolError::Malformed`] for a `cmw_attestation` that is not empty, and for
    /// parameters that want attestation without that extension. Those of decoding [`Parameters`]. [`SendError::Leaf`] where this
    /// end's certificate does not parse.
    pub fn receive(session: &dyn Session, request: &[u8]) -> Result<Self, ProtocolError> {
        Self::in_profile(WireProfile::default(), session, request)
    }

    /// The same for an end of another [`WireProfile`].
    ///
    /// # Errors
    /// Those of [`receive`](Self::receive).
    pub fn in_profile(
        profile: WireProfile,
        session: &dyn Session,
        request: &[u8],
    ) -> Result<Self, ProtocolError> {
        let handshake = session.handshake();
        let request = ReceivedRequest::receive(session, request)?;
        // Before all that depends on the profile, so that a peer of another one is told apart from a peer that errs.
        let parameters = request
            .extension(ATTESTATION_PARAMETERS)
            .map(|data| Parameters::decode(data, handshake.side().peer(), profile))
            .transpose()?;
        let offers_cmw = match request.extension(profile.cmw_attestation()) {
            Some([]) => true,
            Some(_) => return Err(ProtocolError::Malformed),
            None => false,
        };
        if !offers_cmw
            && parameters
                .as_ref()
                .is_some_and(Parameters::wants_attestation)
        {
            return Err(ProtocolError::Malformed);
        }
        let leaf = request
            .identity()
            .and_then(|identity| identity.cert.first());
        let bound = match leaf {
            Some(leaf) if offers_cmw => {
                let key = authenticator::spki(leaf).map_err(|_| SendError::Leaf)?;
                let bound = ExportedValue::of(profile, session, request.context())?.bind(&key);
                Some((key, bound))
            }
            _ => None,
        };
        Ok(Self {
            profile,
            request,
            parameters,
            bound,
        })
    }

    /// The peer's parameters. A peer that speaks the minimal exchange sends none.
    pub fn parameters(&self) -> Option<&Parameters> {
        self.parameters.as_ref()
    }

    /// The request for an Attester. There is none if the peer does not understand `cmw_attestation`, or if this end has no key
    /// to authenticate with.
    pub fn to_attest(&self) -> Option<AttestRequest<'_>> {
        let (leaf_key, bound) = self.bound.as_ref()?;
        Some(AttestRequest {
            bound,
            leaf_key,
            report_data: None,
            batches: self.offered().batches,
        })
    }

    /// Answers with Evidence or Attestation Results made for [`to_attest`](Self::to_attest).
    ///
    /// # Errors
    /// [`SendError::Format`] for a CMW with an item of a format that the peer did not list. [`SendError::UnwantedBatch`] and
    /// [`SendError::OtherMember`] for one of a batch, where the peer takes none or the request was another one's.
    /// [`SendError::Cmw`] for a CMW that does not fit: it may have 65,529 bytes, 65,520 beside the selection that answers
    /// parameters, and with its proof 65,518. Those of [`ReceivedRequest::authenticate`].
    pub fn answer(self, cmw: &Cmw) -> Result<Vec<u8>, ProtocolError> {
        let extensions = self.extensions(cmw)?;
        self.request.authenticate(&extensions)
    }

    /// Answers as [`answer`](Self::answer) does, or [declines](Self::decline) where the CMW does not fit: then gives the reason too.
    ///
    /// # Errors
    /// Those of [`answer`](Self::answer) and [`decline`](Self::decline), but [`SendError::Cmw`].
    pub fn answer_or_decline(
        self,
        cmw: &Cmw,
    ) -> Result<(Vec<u8>, Option<ProtocolError>), ProtocolError> {
        match self.extensions(cmw) {
            Ok(extensions) => Ok((self.request.authenticate(&extensions)?, None)),
            Err(error @ ProtocolError::Sending(SendError::Cmw(_))) => {
                Ok((self.decline()?, Some(error)))
            }
            Err(error) => Err(error),
        }
    }

    fn extensions(&self, cmw: &Cmw) -> Result<Vec<Extension>, ProtocolError> {
        self.check_formats(cmw)?;
        self.check_batch(cmw)?;
        let batches = if cmw.is_of_batch() {
            Batches::Yes
        } else {
            Batches::No
        };
        let encoded = cmw.encode().map_err(SendError::Cmw)?;
        let mut data = Vec::with_capacity(encoded.len().saturating_add(2));
        put_vec16(&mut data, &encoded)?;
        let mut extensions = vec![Extension {
            code: self.profile.cmw_attestation(),
            data,
        }];
        extensions.extend(self.selection_extension(Selection {
            batches,
            ..self.offered()
        })?);
        if authenticator::extensions_length(&extensions) > usize::from(u16::MAX) {
            return Err(SendError::Cmw(CmwError::TooLarge).into());
        }
        Ok(extensions)
    }

    /// Answers with the certificate alone, for a peer that does not want this end to attest. It selects no verdict: none follows
    /// such an answer, whatever the peer offers.
    ///
    /// # Errors
    /// Those of [`ReceivedRequest::authenticate`].
    pub fn answer_without_attestation(self) -> Result<Vec<u8>, ProtocolError> {
        let selection = self.selection_extension(Selection::NOTHING)?;
        let extensions: Vec<_> = selection.into_iter().collect();
        self.request.authenticate(&extensions)
    }

    /// Refuses by an empty authenticator, which proves to the peer that the refusal is this end's.
    ///
    /// # Errors
    /// Those of [`ReceivedRequest::decline`].
    pub fn decline(self) -> Result<Vec<u8>, ProtocolError> {
        self.request.decline()
    }

    /// Whether the peer will answer with a verdict. It does where it offered to, since this end then asks for one.
    pub fn verdicts(&self) -> Verdicts {
        self.offered().verdicts
    }

    fn offered(&self) -> Selection {
        let parameters = self.parameters.as_ref();
        parameters.map_or(Selection::NOTHING, Parameters::offered)
    }

    /// This end's choice among the peer's parameters, where it sent any.
    fn selection_extension(
        &self,
        selection: Selection,
    ) -> Result<Option<Extension>, ProtocolError> {
        if self.parameters.is_none() {
            return Ok(None);
        }
        Ok(Some(Extension {
            code: ATTESTATION_PARAMETERS,
            data: selection.encode()?,
        }))
    }

    /// Evidence of a batch must be this connection's, and its peer must take it.
    fn check_batch(&self, cmw: &Cmw) -> Result<(), SendError> {
        let Some(member) = cmw.member() else {
            return Ok(());
        };
        if self.offered().batches == Batches::No {
            return Err(SendError::UnwantedBatch);
        }
        match &self.bound {
            Some((_, bound)) if bound == member => Ok(()),
            _ => Err(SendError::OtherMember),
        }
    }

    fn check_formats(&self, cmw: &Cmw) -> Result<(), SendError> {
        let Some(parameters) = &self.parameters else {
            return Ok(());
        };
        let appraised = |item: &crate::cmw::Item<'_>| {
            let Some(media_type) = item.media_type() else {
                return false;
            };
            parameters.formats.contains(&media_type)
        };
        let mut decisive = cmw
            .items_with(|collection| parameters.formats.contains(collection))
            .into_iter()
            .filter(|item| item.is_evidence() || item.is_attestation_results());
        if decisive.all(|item| appraised(&item)) {
            Ok(())
        } else {
            Err(SendError::Format)
        }
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge")
            .field("profile", &self.profile)
            .field("request", &self.request)
            .field("parameters", &self.parameters)
            .field("attestable", &self.bound.is_some())
            .finish()
    }
}
