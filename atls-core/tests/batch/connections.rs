//! Connections that share Evidence, and proofs that are written by hand.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::PeerAttestation;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::cmw::Type;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::exchange::ATTESTATION_PARAMETERS;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use atls_core::exchange::Order;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::Parameters;
use atls_core::exchange::Pending;
use atls_core::exchange::batch::Batch;
use atls_core::pki_types::UnixTime;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::CipherSuite;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use sha2::Digest;
use sha2::Sha256;
use test_support::at;
use test_support::ready;

use crate::support::Pair;
use crate::support::forge;
use crate::support::forge::Forge;
use crate::support::identity;
use crate::support::identity_of;
use crate::support::providers;

/// A key that attests.
pub(crate) struct Party {
    pub(crate) key: Arc<CertifiedKey>,
}

impl Party {
    pub(crate) fn new() -> Self {
        Self {
            key: identity_of(&providers()[0], &rcgen::PKCS_ECDSA_P256_SHA256),
        }
    }
}

/// Both ends of one connection, of which one was asked.
pub(crate) struct Connection {
    pair: Arc<Pair>,
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) attests: Side,
    pub(crate) parameters: Option<Parameters>,
    pub(crate) request: Vec<u8>,
    pub(crate) pending: Pending,
    pub(crate) challenge: Challenge,
}

impl Connection {
    pub(crate) fn new() -> Self {
        Self::of(Side::Server, SHA256, &Party::new())
    }

    pub(crate) fn with(adjust: impl FnOnce(&mut Parameters)) -> Self {
        let mut parameters = client_parameters();
        adjust(&mut parameters);
        Self::asked(Side::Server, SHA256, &Party::new(), Some(parameters))
    }

    pub(crate) fn minimal(party: &Party) -> Self {
        Self::asked(Side::Server, SHA256, party, None)
    }

    pub(crate) fn of(attests: Side, suite: CipherSuite, party: &Party) -> Self {
        let parameters = match attests {
            Side::Server => client_parameters(),
            Side::Client => Parameters::server(vec![media_type()], Order::ClientLast),
        };
        Self::asked(attests, suite, party, Some(parameters))
    }

    pub(crate) fn asked(
        attests: Side,
        suite: CipherSuite,
        party: &Party,
        parameters: Option<Parameters>,
    ) -> Self {
        let provider = provider(suite);
        let pair = match attests {
            Side::Server => Pair::new(provider, &party.key, None),
            Side::Client => {
                let server = identity(&provider);
                Pair::new(provider, &server, Some(party.key.clone()))
            }
        };
        Self::over(Arc::new(pair), party.key.clone(), attests, parameters)
    }

    /// A further request on the same connection.
    pub(crate) fn again(&self) -> Self {
        let (pair, key) = (self.pair.clone(), self.key.clone());
        Self::over(pair, key, self.attests, self.parameters.clone())
    }

    fn over(
        pair: Arc<Pair>,
        key: Arc<CertifiedKey>,
        attests: Side,
        parameters: Option<Parameters>,
    ) -> Self {
        let (asker, answerer): (&dyn Session, &dyn Session) = match attests {
            Side::Server => (&pair.client, &pair.server),
            Side::Client => (&pair.server, &pair.client),
        };
        let (request, pending) =
            atls_core::exchange::request(asker, &providers()[0], parameters.as_ref()).unwrap();
        let challenge = Challenge::receive(answerer, &request).unwrap();
        Self {
            pair,
            key,
            attests,
            parameters,
            request,
            pending,
            challenge,
        }
    }

    pub(crate) fn to_attest(&self) -> OwnedAttestRequest {
        self.challenge.to_attest().unwrap().to_owned()
    }

    pub(crate) fn bound(&self) -> Vec<u8> {
        self.challenge
            .to_attest()
            .unwrap()
            .bound()
            .as_bytes()
            .to_vec()
    }

    pub(crate) fn finish(self, answer: &Cmw) -> Credential {
        self.pending
            .finish(&self.challenge.answer(answer).unwrap())
            .unwrap()
    }

    /// The outcome of these bytes at the asking end, under a genuine signature and MAC of this connection.
    pub(crate) fn presented(
        self,
        cmw: &[u8],
        selection: &[u8],
    ) -> Result<Credential, ProtocolError> {
        let answerer: &dyn Session = match self.attests {
            Side::Server => &self.pair.server,
            Side::Client => &self.pair.client,
        };
        let forge = Forge::new(answerer, self.attests, &self.key, &self.request);
        let data = forge::vec16(cmw);
        let mut extensions = vec![(CMW_ATTESTATION, &data[..])];
        if !selection.is_empty() {
            extensions.push((ATTESTATION_PARAMETERS, selection));
        }
        self.pending
            .finish(&forge.seal(&forge.certificate(&extensions)))
    }
}

pub(crate) fn batch(connections: Vec<Connection>) -> Batch<Connection> {
    let with_request = |connection: Connection| (connection.to_attest(), connection);
    Batch::new(connections.into_iter().map(with_request).collect()).unwrap()
}

/// Attests these connections by a device whose Evidence is the value itself.
pub(crate) fn attest(connections: Vec<Connection>) -> Vec<(Connection, Result<Cmw, AttestError>)> {
    let batch = batch(connections);
    let made = evidence(batch.request().bound().as_bytes());
    batch.answer(Ok(made)).collect()
}

pub(crate) fn provider(suite: CipherSuite) -> CryptoProvider {
    let mut provider = providers()[0].clone();
    provider
        .cipher_suites
        .retain(|known| known.suite() == suite);
    provider
}

pub(crate) fn client_parameters() -> Parameters {
    Parameters::client(vec![media_type()], true, CanAttest::No)
}

pub(crate) fn evidence(value: &[u8]) -> Cmw {
    Cmw::evidence(media_type(), value.to_vec())
}

pub(crate) fn media_type() -> MediaType {
    "application/x-evidence".parse().unwrap()
}

pub(crate) fn leaf(binder: &[u8]) -> [u8; 32] {
    Sha256::digest([&[0], binder].concat()).into()
}

pub(crate) fn node(left: &[u8], right: &[u8]) -> [u8; 32] {
    Sha256::digest([&[1], left, right].concat()).into()
}

/// The CBOR of a proof, whatever its parts.
pub(crate) fn cbor_proof(index: u32, size: u32, path: &[u8]) -> Vec<u8> {
    let fields = vec![
        index.into(),
        size.into(),
        ciborium::Value::Bytes(path.to_vec()),
    ];
    let mut out = Vec::new();
    ciborium::into_writer(&ciborium::Value::Array(fields), &mut out).unwrap();
    out
}

pub(crate) fn proof(index: u32, size: u32, path: &[u8]) -> Vec<u8> {
    cbor_proof(index, size, path)
}

pub(crate) fn proof_record(proof: &[u8]) -> Vec<u8> {
    let kind = "application/vnd.atls.inclusion-proof+cbor".parse().unwrap();
    cbor(&Cmw::record(Type::Media(kind), proof.to_vec(), None))
}

pub(crate) fn collection(evidence: &Cmw, proof: &[u8]) -> Vec<u8> {
    map(&[(0, &cbor(evidence)), (1, &proof_record(proof))])
}

pub(crate) fn map(members: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = vec![0xa0 + u8::try_from(members.len()).unwrap()];
    for (label, member) in members {
        out.push(*label);
        out.extend(*member);
    }
    out
}

pub(crate) fn cbor(cmw: &Cmw) -> Vec<u8> {
    cmw.encode().unwrap()
}

pub(crate) const SHA256: CipherSuite = CipherSuite::TLS13_AES_128_GCM_SHA256;

/// Selections: `{1: 1, 3: true, 4: true}`, and without key 3.
pub(crate) const BATCH: &[u8] = &[0xa3, 1, 1, 3, 0xf5, 4, 0xf5];

pub(crate) struct Plain {
    media_types: [MediaType; 1],
    pub(crate) asked: Arc<AtomicUsize>,
    names: Option<Vec<u8>>,
}

impl Plain {
    pub(crate) fn new() -> Self {
        Self::counted().0
    }

    pub(crate) fn counted() -> (Self, Arc<AtomicUsize>) {
        let asked = Arc::default();
        let plain = Self {
            media_types: [media_type()],
            asked: Arc::clone(&asked),
            names: None,
        };
        (plain, asked)
    }

    pub(crate) fn naming(key: Vec<u8>) -> Self {
        Self {
            names: Some(key),
            ..Self::new()
        }
    }
}

impl Verifier for Plain {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let matched = evidence.bound().verbatim().compare(evidence.bytes())?;
            let vector = TrustVector::new().with(Category::InstanceIdentity, TrustClaim::new(2));
            let appraisal = Appraisal::new(vector);
            let ear = Ear::local(VerifierId::new("test", "1"), now, "device", appraisal);
            let appraised = Appraised::bound_to_connection(ear, Origin::Device, matched);
            let named = self.names.iter().cloned();
            Ok(named.fold(appraised, Appraised::with_attested_key))
        })
    }
}

pub(crate) fn party(verifier: impl Verifier + 'static) -> RelyingParty {
    let party = RelyingParty::builder().verifier(Arc::new(verifier));
    party.build().unwrap()
}

pub(crate) fn appraise(verifier: Plain, credential: Credential) -> Result<(), Refusal> {
    let appraised: Result<PeerAttestation, _> = ready(party(verifier).appraise(credential, now()));
    appraised.map(drop)
}

pub(crate) fn now() -> UnixTime {
    at(1_000_000)
}
