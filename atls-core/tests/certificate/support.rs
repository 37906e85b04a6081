//! Certificates, and a verifier whose Evidence is the value that it must carry.

use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Binding;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::exchange::Credential;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::certificate;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::PrivateKeyDer;
use atls_core::pki_types::UnixTime;
use atls_core::session::Handshake;
use atls_core::session::Side;
use rcgen::CertificateParams;
use rcgen::CustomExtension;
use rcgen::KeyPair;
use rustls::crypto::ring;
use rustls::sign::SigningKey;
use test_support::ready;

pub(crate) const NOW: u64 = 1_800_000_000;

/// 2027-01-01 and 2027-02-01, UTC: the validity of every certificate here.
pub(crate) const NOT_BEFORE: u64 = 1_798_761_600;
pub(crate) const NOT_AFTER: u64 = NOT_BEFORE + 31 * 86_400;

/// "Evidence" that is the very value that it must carry.
pub(crate) struct Mirror([MediaType; 1]);

impl Mirror {
    pub(crate) fn new() -> Self {
        Self([media_type()])
    }
}

impl Verifier for Mirror {
    fn media_types(&self) -> &[MediaType] {
        &self.0
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            if evidence.report_data().is_some() {
                return Err(AppraisalError::NotBound);
            }
            let matched = evidence.bound().verbatim().compare(evidence.bytes())?;
            let vector = TrustVector::new().with(Category::Hardware, TrustClaim::new(2));
            let ear = Ear::local(
                VerifierId::new("test", "1"),
                now,
                "mirror",
                Appraisal::new(vector),
            );
            Ok(Appraised::bound_to_connection(ear, Origin::Device, matched))
        })
    }
}

pub(crate) fn media_type() -> MediaType {
    "application/vnd.atls.mirror".parse().unwrap()
}

pub(crate) fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(NOW))
}

pub(crate) struct Key {
    pub(crate) pair: KeyPair,
    pub(crate) signing: Arc<dyn SigningKey>,
}

pub(crate) fn key() -> Key {
    let pair = KeyPair::generate().unwrap();
    let der = pair.serialize_der();
    let signing = ring::sign::any_ecdsa_type(&PrivateKeyDer::Pkcs8(der.into())).unwrap();
    Key { pair, signing }
}

impl Key {
    /// A key whose signatures are all of one length.
    pub(crate) fn ed25519() -> Self {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let der = pair.serialize_der();
        let signing = ring::sign::any_eddsa_type(&der.into()).unwrap();
        Self { pair, signing }
    }
}

pub(crate) fn certificate(key: &Key, extensions: &[(&[u64], Vec<u8>)]) -> CertificateDer<'static> {
    let mut parameters = CertificateParams::default();
    for (oid, value) in extensions {
        let extension = CustomExtension::from_oid_content(oid, value.clone());
        parameters.custom_extensions.push(extension);
    }
    parameters.not_before = rcgen::date_time_ymd(2027, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2027, 2, 1);
    parameters.self_signed(&key.pair).unwrap().der().clone()
}

pub(crate) fn handshake(leaf: &CertificateDer<'static>) -> Handshake {
    let suite = ring::cipher_suite::TLS13_AES_128_GCM_SHA256
        .tls13()
        .unwrap();
    Handshake::observed(Side::Client, suite, None, vec![leaf.clone()]).unwrap()
}

pub(crate) fn cmw_extension(request: &OwnedAttestRequest) -> (&'static [u64], Vec<u8>) {
    let value = request.as_request().bound().as_bytes().to_vec();
    let cmw = Cmw::evidence(media_type(), value);
    (
        certificate::ID_PE_CMW,
        certificate::cmw_extension(&cmw).unwrap(),
    )
}

pub(crate) fn weak(binding: Binding) -> RelyingParty {
    RelyingParty::builder()
        .verifier(Arc::new(Mirror::new()))
        .standard_policy(StandardPolicy::new().dangerous_accept_binding(binding))
        .build()
        .unwrap()
}

pub(crate) fn appraise(
    party: &RelyingParty,
    credential: Credential,
    now: UnixTime,
) -> Result<Binding, Refusal> {
    ready(party.appraise(credential, now)).map(|peer| peer.binding())
}

pub(crate) fn spki(key: &Key) -> Vec<u8> {
    key.signing.public_key().unwrap().as_ref().to_vec()
}
