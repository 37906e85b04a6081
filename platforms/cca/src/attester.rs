//! The attester half: a request goes in, a token of platform and realm comes out, through Linux' configfs-tsm. A device that fails, or
//! answers about something else, is an [`AttestError`].

use std::fmt;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_formats::psa;
use atls_formats::psa::CCA_TOKEN;
use atls_formats::psa::CcaRealm;
use atls_formats::psa::CcaToken;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::TsmError;
use atls_tsm::TsmRequest;

/// Makes CCA tokens in a realm. It blocks while the realm management monitor works: `atls_tower::Blocking` gives it a thread.
pub struct CcaAttester {
    tsm: Tsm,
    media_types: Vec<MediaType>,
}

impl CcaAttester {
    /// Opens this realm's device, over configfs-tsm at its usual place. It looks at files only. `None` on a machine that is no realm.
    ///
    /// # Errors
    /// [`AttestError::Device`] in a realm that cannot attest, such as without permission.
    pub fn open() -> Result<Option<Self>, AttestError> {
        Self::over(Tsm::new())
    }

    /// Does the same over another configfs-tsm: mounted elsewhere, or a fake.
    ///
    /// # Errors
    /// [`AttestError`]
    pub fn over(tsm: Tsm) -> Result<Option<Self>, AttestError> {
        match tsm.provider() {
            Ok(Provider::ArmCcaGuest) => Ok(Some(Self {
                tsm,
                media_types: MediaType::parse(CCA_TOKEN).into_iter().collect(),
            })),
            Ok(_) => Ok(None),
            Err(TsmError::NoConfigFs | TsmError::NoProvider | TsmError::OtherProvider(_)) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn token(&self, challenge: &[u8; 64]) -> Result<Vec<u8>, AttestError> {
        let request = TsmRequest::new(Provider::ArmCcaGuest, challenge);
        let token = self.tsm.report(&request)?.outblob;
        let realm = CcaToken::decode(&token).and_then(|token| CcaRealm::of(token.realm()));
        match realm {
            Ok(realm) if realm.challenge == *challenge => Ok(token),
            _ => {
                let reason = "device gave no token, or one about something else";
                Err(AttestError::Device(reason.to_owned()))
            }
        }
    }
}

impl LocalAttester for CcaAttester {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    /// It has no claim for it.
    fn names_leaf_key(&self) -> bool {
        false
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let token = self.token(psa::realm_challenge(request.bound()).bytes())?;
        let media_type = self.media_types.first().cloned();
        let media_type =
            media_type.ok_or_else(|| AttestError::Device("no media type".to_owned()))?;
        Ok(Cmw::evidence(media_type, token))
    }
}

impl fmt::Debug for CcaAttester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CcaAttester").finish_non_exhaustive()
    }
}
