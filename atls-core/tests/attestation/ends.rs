//! Two ends of a connection, and a verifier that says what a test wants.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Bound;
use atls_core::BoxFuture;
use atls_core::ConceptualMessage;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::PeerAttestation;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::RelyingPartyBuilder;
use atls_core::Stale;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::Credential;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::Parameters;
use atls_core::exchange::Pending;
use atls_core::pki_types::UnixTime;
use atls_core::session::Side;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use test_support::at;
use test_support::ready;

use crate::support::Pair;
use crate::support::forge;
use crate::support::forge::Forge;
use crate::support::identity;
use crate::support::providers;

pub(crate) const NOW: u64 = 1_000_000;

/// A verifier that does as the Evidence says, so that each test can say what is found.
pub(crate) struct Scripted {
    pub(crate) media_types: Vec<MediaType>,
    pub(crate) conceptual_message: ConceptualMessage,
}

impl Scripted {
    pub(crate) fn evidence() -> Self {
        Self {
            media_types: vec![evidence_type()],
            conceptual_message: ConceptualMessage::Evidence,
        }
    }

    pub(crate) fn passports() -> Self {
        Self {
            media_types: vec![result_type()],
            conceptual_message: ConceptualMessage::AttestationResults,
        }
    }

    fn act(evidence: &Evidence<'_>, now: UnixTime) -> Result<Appraised, AppraisalError> {
        let word = std::str::from_utf8(evidence.bytes()).unwrap();
        let (word, number) = word.split_once(' ').unwrap_or((word, ""));
        let seconds = || {
            now.as_secs()
                .checked_add_signed(number.parse().unwrap())
                .unwrap()
        };
        let claim = match word {
            "warning" => 32,
            "none" => 0,
            "contraindicated" => 99,
            _ => 2,
        };
        let vector = TrustVector::new().with(Category::Hardware, TrustClaim::new(claim));
        let issued_at = if word == "iat" { at(seconds()) } else { now };
        let mut ear = Ear::local(
            VerifierId::new("test", "1"),
            issued_at,
            "device",
            Appraisal::new(vector),
        );
        if word == "exp" {
            ear = ear.with_expiry(at(seconds()));
        }
        let origin = if word == "simulated" {
            Origin::Simulated
        } else {
            Origin::Device
        };
        let matched = match word {
            "stashed" => crate::support::matched(&another()),
            _ => crate::support::matched(evidence.bound()),
        };
        let appraised = Appraised::bound_to_connection(ear, origin, matched)
            .with_claims(format!("claims of {word}"));
        match word {
            "unbound" => Err(AppraisalError::NotBound),
            "unreachable" => Err(AppraisalError::Unreachable),
            "bad" => Err(AppraisalError::BadResult),
            "old" => Err(AppraisalError::ResultExpired),
            "expired" => Err(AppraisalError::Expired),
            "stale" => Err(AppraisalError::StaleCollateral(Stale::undated("list"))),
            "timeless" => Err(AppraisalError::Local("no time")),
            "malformed" => Err(AppraisalError::Malformed),
            "endorsed" => {
                assert_eq!(evidence.endorsements().len(), 1);
                Ok(appraised)
            }
            "other" => Ok(appraised.with_attested_key(b"another key".to_vec())),
            _ => Ok(appraised),
        }
    }
}

impl Verifier for Scripted {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn conceptual_message(&self) -> ConceptualMessage {
        self.conceptual_message
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move { Self::act(evidence, now) })
    }
}

/// The value of a key that is nobody's here.
pub(crate) fn another() -> Bound {
    let request = OwnedAttestRequest::for_key(&*identity(&providers()[0]).key).unwrap();
    request.as_request().bound().clone()
}

pub(crate) fn evidence_type() -> MediaType {
    "test/evidence".parse().unwrap()
}

pub(crate) fn result_type() -> MediaType {
    "test/result".parse().unwrap()
}

pub(crate) fn token(word: &[u8]) -> Cmw {
    Cmw::evidence(evidence_type(), word.to_vec())
}

/// A relying party with the standard policy.
pub(crate) fn device() -> RelyingPartyBuilder {
    RelyingParty::builder().verifier(Arc::new(Scripted::evidence()))
}

pub(crate) fn appraise(
    party: RelyingPartyBuilder,
    credential: Credential,
) -> Result<PeerAttestation, Refusal> {
    ready(party.build().unwrap().appraise(credential, at(NOW)))
}

/// The credential of a server that sent this CMW, and its key.
pub(crate) fn credential(cmw: &Cmw) -> (Credential, Vec<u8>) {
    let case = Case::new(None);
    let authenticator = attesting(&case.forge, cmw);
    let credential = case.pending.finish(&authenticator).unwrap();
    let leaf_key = credential.leaf_key().to_vec();
    (credential, leaf_key)
}

pub(crate) fn attesting(forge: &Forge, cmw: &Cmw) -> Vec<u8> {
    let data = forge::vec16(&cmw.encode().unwrap());
    forge.seal(&forge.certificate(&[(CMW_ATTESTATION, &data)]))
}

/// A client that asks, and what forges the server's answer.
pub(crate) struct Case {
    pub(crate) pending: Pending,
    pub(crate) forge: Forge,
    pub(crate) pair: Arc<Pair>,
    pub(crate) server: Arc<CertifiedKey>,
}

impl Case {
    pub(crate) fn new(parameters: Option<&Parameters>) -> Self {
        let provider = providers()[0].clone();
        let server = identity(&provider);
        Self::over(Arc::new(pair(&provider, &server)), server, parameters)
    }

    fn over(pair: Arc<Pair>, server: Arc<CertifiedKey>, parameters: Option<&Parameters>) -> Self {
        let (request, pending) =
            atls_core::exchange::request(&pair.client, &providers()[0], parameters).unwrap();
        let forge = Forge::new(&pair.server, Side::Server, &server, &request);
        Self {
            pending,
            forge,
            pair,
            server,
        }
    }

    fn again(&self, parameters: Option<&Parameters>) -> Self {
        Self::over(self.pair.clone(), self.server.clone(), parameters)
    }

    /// The errors of both ways to finish, given this Certificate under the context of two further requests.
    pub(crate) fn finished(
        &self,
        certificate: &[u8],
        parameters: Option<&Parameters>,
    ) -> [Option<ProtocolError>; 2] {
        let seal = |case: &Self| {
            let certificate = replace_context(certificate, &self.forge, &case.forge);
            case.forge.seal(&certificate)
        };
        let (attesting, plain) = (self.again(parameters), self.again(parameters));
        let (first, second) = (seal(&attesting), seal(&plain));
        [
            attesting.pending.finish(&first).err(),
            plain.pending.finish_without_attestation(&second).err(),
        ]
    }
}

pub(crate) fn replace_context(certificate: &[u8], from: &Forge, to: &Forge) -> Vec<u8> {
    let mut replaced = certificate.to_vec();
    assert_eq!(&replaced[5..37], from.context());
    replaced[5..37].copy_from_slice(&to.context());
    replaced
}

pub(crate) fn pair(provider: &CryptoProvider, server: &Arc<CertifiedKey>) -> Pair {
    Pair::new(provider.clone(), server, Some(identity(provider)))
}
