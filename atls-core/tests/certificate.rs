//! Evidence in certificates: what is written is read, and what deployed peers write is read too.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Binding;
use atls_core::BoxFuture;
use atls_core::Credential;
use atls_core::Evidence;
use atls_core::Handshake;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::OwnedAttestRequest;
use atls_core::PolicyViolation;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::Side;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::certificate;
use atls_core::cmw::Cmw;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::PrivateKeyDer;
use atls_core::pki_types::UnixTime;
use atls_core::pki_types::pem::PemObject;
use rcgen::CertificateParams;
use rcgen::CustomExtension;
use rcgen::KeyPair;
use rustls::crypto::ring;
use rustls::sign::SigningKey;

const NOW: u64 = 1_800_000_000;

/// "Evidence" that is the very value that it must carry.
struct Mirror([MediaType; 1]);

impl Mirror {
    fn new() -> Self {
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
            if evidence.bytes() != evidence.bound().as_bytes() || evidence.report_data().is_some() {
                return Err(AppraisalError::NotBound);
            }
            let vector = TrustVector::new().with(Category::Hardware, TrustClaim::new(2));
            let ear = Ear::local(
                VerifierId::new("test", "1"),
                now,
                "mirror",
                Appraisal::new(vector),
            );
            Ok(Appraised::new(ear, Origin::Device))
        })
    }
}

fn media_type() -> MediaType {
    "application/vnd.atls.mirror".parse().unwrap()
}

fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(NOW))
}

struct Key {
    pair: KeyPair,
    signing: Arc<dyn SigningKey>,
}

fn key() -> Key {
    let pair = KeyPair::generate().unwrap();
    let der = pair.serialize_der();
    let signing = ring::sign::any_ecdsa_type(&PrivateKeyDer::Pkcs8(der.into())).unwrap();
    Key { pair, signing }
}

fn certificate(key: &Key, extensions: &[(&[u64], Vec<u8>)]) -> CertificateDer<'static> {
    let mut parameters = CertificateParams::default();
    for (oid, value) in extensions {
        let extension = CustomExtension::from_oid_content(oid, value.clone());
        parameters.custom_extensions.push(extension);
    }
    parameters.not_before = rcgen::date_time_ymd(2027, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2027, 2, 1);
    parameters.self_signed(&key.pair).unwrap().der().clone()
}

fn handshake(leaf: &CertificateDer<'static>) -> Handshake {
    let suite = ring::cipher_suite::TLS13_AES_128_GCM_SHA256
        .tls13()
        .unwrap();
    Handshake::observed(Side::Client, suite, None, vec![leaf.clone()]).unwrap()
}

fn cmw_extension(request: &OwnedAttestRequest) -> (&'static [u64], Vec<u8>) {
    let value = request.as_request().bound().as_bytes().to_vec();
    let cmw = Cmw::evidence(media_type(), value);
    (
        certificate::ID_PE_CMW,
        certificate::cmw_extension(&cmw).unwrap(),
    )
}

fn weak(binding: Binding) -> RelyingParty {
    RelyingParty::builder()
        .verifier(Arc::new(Mirror::new()))
        .standard_policy(StandardPolicy::new().dangerous_accept_binding(binding))
        .build()
        .unwrap()
}

fn decide(party: &RelyingParty, credential: Credential, now: UnixTime) -> Result<Binding, Refusal> {
    let deciding = party.decide(credential, now);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(deciding).poll(&mut context) {
        std::task::Poll::Ready(decided) => decided.map(|peer| peer.binding()),
        std::task::Poll::Pending => panic!("nothing to wait for"),
    }
}

#[test]
fn evidence_about_a_key_is_read_and_says_that_it_is_about_a_key() {
    let key = key();
    let request = OwnedAttestRequest::for_key(&*key.signing).unwrap();
    let leaf = certificate(&key, &[cmw_extension(&request)]);
    let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
    assert_eq!(
        decide(&weak(Binding::Key), credential, now()),
        Ok(Binding::Key)
    );
}

#[test]
fn the_default_policy_refuses_both_weaker_modes() {
    let key = key();
    let strict = RelyingParty::builder()
        .verifier(Arc::new(Mirror::new()))
        .build()
        .unwrap();
    let request = OwnedAttestRequest::for_key(&*key.signing).unwrap();
    let leaf = certificate(&key, &[cmw_extension(&request)]);
    let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
    let refused = Refusal::Policy(PolicyViolation::Binding(Binding::Key));
    assert_eq!(decide(&strict, credential, now()), Err(refused));

    let request = OwnedAttestRequest::for_handshake(Side::Server, &[7; 32], &*key.signing).unwrap();
    let leaf = certificate(&key, &[cmw_extension(&request)]);
    let credential = Credential::in_handshake(&handshake(&leaf), &[7; 32]).unwrap();
    let refused = Refusal::Policy(PolicyViolation::Binding(Binding::Handshake));
    assert_eq!(decide(&strict, credential, now()), Err(refused));
}

#[test]
fn a_policy_for_handshakes_refuses_evidence_about_a_key() {
    let key = key();
    let request = OwnedAttestRequest::for_key(&*key.signing).unwrap();
    let leaf = certificate(&key, &[cmw_extension(&request)]);
    let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
    let refused = Refusal::Policy(PolicyViolation::Binding(Binding::Key));
    assert_eq!(
        decide(&weak(Binding::Handshake), credential, now()),
        Err(refused)
    );
}

#[test]
fn evidence_of_a_handshake_answers_its_nonce_its_role_and_its_key() {
    let (key, other) = (key(), key());
    let party = weak(Binding::Handshake);
    let read = |side, nonce: [u8; 32], about: &Key| {
        let request = OwnedAttestRequest::for_handshake(side, &nonce, &*about.signing).unwrap();
        let leaf = certificate(&key, &[cmw_extension(&request)]);
        let credential = Credential::in_handshake(&handshake(&leaf), &[7; 32]).unwrap();
        decide(&party, credential, now())
    };
    let not_bound = Err(Refusal::Appraisal(AppraisalError::NotBound));
    assert_eq!(read(Side::Server, [7; 32], &key), Ok(Binding::Handshake));
    assert_eq!(read(Side::Server, [8; 32], &key), not_bound);
    assert_eq!(read(Side::Client, [7; 32], &key), not_bound);
    assert_eq!(read(Side::Server, [7; 32], &other), not_bound);
}

#[test]
fn evidence_about_another_key_is_not_bound() {
    let (key, other) = (key(), key());
    let request = OwnedAttestRequest::for_key(&*other.signing).unwrap();
    let leaf = certificate(&key, &[cmw_extension(&request)]);
    let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
    let refused = decide(&weak(Binding::Key), credential, now());
    assert_eq!(refused, Err(Refusal::Appraisal(AppraisalError::NotBound)));
}

#[test]
fn a_certificate_ends_what_it_carries() {
    let key = key();
    let request = OwnedAttestRequest::for_key(&*key.signing).unwrap();
    let leaf = certificate(&key, &[cmw_extension(&request)]);
    for seconds in [NOW - 30 * 86_400, NOW + 30 * 86_400] {
        let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let refused = decide(&weak(Binding::Key), credential, at);
        assert_eq!(refused, Err(Refusal::Expired(atls_core::Fault::Peer)));
    }
}

#[test]
fn a_certificate_without_evidence_attests_nothing() {
    let leaf = certificate(&key(), &[]);
    let refused = Credential::in_certificate(&handshake(&leaf)).unwrap_err();
    assert_eq!(refused, ProtocolError::NoAttestation);
}

#[test]
fn an_extension_twice_or_malformed_is_refused() {
    let key = key();
    let request = OwnedAttestRequest::for_key(&*key.signing).unwrap();
    let (oid, value) = cmw_extension(&request);
    let longer = [&value[..], &[0]].concat();
    let shorter = value[..value.len() - 1].to_vec();
    let raw = value[2..].to_vec();
    let json = [&[4, 2][..], b"[]"].concat();
    for extensions in [
        vec![(oid, value.clone()), (oid, value)],
        vec![(oid, longer)],
        vec![(oid, shorter)],
        vec![(oid, raw)],
        vec![(oid, json)],
        vec![(oid, Vec::new())],
    ] {
        let leaf = certificate(&key, &extensions);
        assert!(Credential::in_certificate(&handshake(&leaf)).is_err());
    }
}

#[test]
fn tagged_evidence_must_name_the_key_and_fixes_the_report_data() {
    let (key, other) = (key(), key());
    let spki = |key: &Key| key.signing.public_key().unwrap().as_ref().to_vec();
    let mut quote = vec![0; 600];
    quote[0] = 3;
    let tagged = |claims: &[u8]| {
        vec![(
            certificate::TAGGED_EVIDENCE,
            certificate::tagged_evidence(&quote, claims).unwrap(),
        )]
    };
    let (claims, report_data) = certificate::claims_for_key(&spki(&key)).unwrap();
    let leaf = certificate(&key, &tagged(&claims));
    let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
    assert_eq!(credential.report_data(), Some(&report_data));
    assert_eq!(report_data[32..], [0; 32]);

    let (of_other, _) = certificate::claims_for_key(&spki(&other)).unwrap();
    for claims in [&of_other[..], &[0xa0], &[0xa1, 0x61, 0x61, 1]] {
        let leaf = certificate(&key, &tagged(claims));
        let refused = Credential::in_certificate(&handshake(&leaf)).unwrap_err();
        assert_eq!(refused, ProtocolError::KeyMismatch);
    }
}

#[test]
fn certificates_of_deployed_peers_parse_and_bind() {
    let root = std::env::var("ATLS_VECTORS").map_or_else(
        |_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors")),
        PathBuf::from,
    );
    let folder = root.join("ra-tls");
    if !folder.exists() {
        assert!(
            std::env::var_os("ATLS_REQUIRE_VECTORS").is_none(),
            "the vectors are required and not there"
        );
        eprintln!("SKIPPED: no vectors at {}", folder.display());
        return;
    }
    for name in [
        "gramine-cert.pem",
        "intel-sgxsdk-cert.pem",
        "rats-tls-cert.pem",
    ] {
        let leaf = CertificateDer::from_pem_file(folder.join(name)).unwrap();
        let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
        let items = credential.cmw().items();
        let quote = items[0].value();
        // The report data field of an SGX quote.
        assert_eq!(
            Some(&quote[368..432]),
            credential.report_data().map(|data| &data[..]),
            "{name}"
        );
        assert_eq!(
            items[0].media_type().unwrap().to_string(),
            "application/vnd.atls.sgx-quote"
        );
        // A certificate whose key is another: the claims name the first.
        let mut forged = leaf.to_vec();
        let spki = find(&forged, &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]).or_else(|| {
            find(
                &forged,
                &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1],
            )
        });
        forged[spki.unwrap() + 60] ^= 1;
        let forged = CertificateDer::from(forged);
        let refused = Credential::in_certificate(&handshake(&forged)).unwrap_err();
        assert_eq!(refused, ProtocolError::KeyMismatch, "{name}");
        for length in 0..leaf.len() {
            let cut = CertificateDer::from(leaf[..length].to_vec());
            assert!(Credential::in_certificate(&handshake(&cut)).is_err());
        }
    }
}

fn find(octets: &[u8], part: &[u8]) -> Option<usize> {
    octets.windows(part.len()).position(|window| window == part)
}
