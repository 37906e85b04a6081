//! Evidence that connections share, with its inclusion proof altered, on its own connection, on another of the batch, and on one that is in none.
//! It is accepted on its own alone, with the device's token whole and a proof that leads to what the token is about.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;

use atls_core::Attester;
use atls_core::Evidence;
use atls_core::Verifier;
use atls_core::exchange;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Parameters;
use atls_core::exchange::Pending;
use atls_core::exchange::authenticator::Extension;
use atls_core::exchange::authenticator::ReceivedRequest;
use atls_core::exchange::batch::Batch;
use atls_core::session::Side;
use atls_formats::tpm::wire::Reader;
use atls_fuzz::batch;
use atls_fuzz::changes::altered;
use atls_fuzz::changes::contains;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use test_support::ObservedSession;
use test_support::at;
use test_support::ready;

struct Setting {
    provider: CryptoProvider,
    identity: Arc<CertifiedKey>,
    device: SimAttester,
    verifier: SimVerifier,
}

// Whose Evidence, on which connection; then triples: where in it, high and low, and what is exclusive-ored there.
atls_fuzz::target!(|bytes: &[u8]| {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    let setting = SETTING.get_or_init(Setting::new);
    let [of, on, changes @ ..] = bytes else {
        return;
    };
    let (of, on) = (usize::from(*of) % MEMBERS, usize::from(*on) % (MEMBERS + 1));
    let (requests, mut pending): (Vec<_>, Vec<_>) = (0..=MEMBERS).map(|_| setting.ask()).unzip();
    let (extensions, batch) = setting.extensions(&requests, of);
    let altered: Vec<_> = extensions
        .iter()
        .map(|extension| alter(extension, changes))
        .collect();
    let received = ReceivedRequest::receive(&setting.session(Side::Server), &requests[on]);
    let authenticator = received.expect("a request").authenticate(&altered);
    let accepted = authenticator.is_ok_and(|it| setting.accepts(pending.swap_remove(on), &it));
    assert!(!accepted || on == of, "on a connection that is not its own");
    assert!(
        !accepted || batch.is_whole(&altered),
        "the device made another"
    );
    assert!(
        accepted || on != of || altered != extensions,
        "it is genuine"
    );
});

/// What Evidence of the batch must be for one of its members.
struct Member {
    binder: Vec<u8>,
    root: Vec<u8>,
    token: Vec<u8>,
}

impl Member {
    fn is_whole(&self, extensions: &[Extension]) -> bool {
        let mut extensions = extensions.iter();
        let evidence = extensions.find(|extension| extension.code == CMW_ATTESTATION);
        let Some((_, message)) = evidence.and_then(|found| found.data.split_at_checked(2)) else {
            return false;
        };
        let root = batch::proof(message).and_then(|proof| batch::root(&self.binder, &proof));
        contains(message, &self.token) && root.is_some_and(|root| root[..] == self.root)
    }
}

impl Setting {
    fn new() -> Self {
        let device = SimAttester::generate().expect("a device");
        Self {
            provider: rustls::crypto::ring::default_provider(),
            identity: test_support::identity(),
            verifier: SimVerifier::new(device.trust_anchor()),
            device,
        }
    }

    fn session(&self, side: Side) -> ObservedSession {
        let mut suites = self.provider.cipher_suites.iter();
        let suite = suites.find_map(|suite| suite.tls13()).expect("TLS 1.3");
        let secret = vec![7; suite.common.hash_provider.output_len()];
        let chain = self.identity.cert.clone();
        ObservedSession::new(side, suite, &secret, Some(self.identity.clone()), chain)
    }

    /// A client asks, and takes Evidence of a batch.
    fn ask(&self) -> (Vec<u8>, Pending) {
        let formats = Attester::media_types(&self.device).to_vec();
        let parameters = Parameters::client(formats, true, CanAttest::No);
        let client = self.session(Side::Client);
        exchange::request(&client, &self.provider, Some(&parameters)).expect("a request")
    }

    /// Those of an honest answer to one of the members, which are the first requests.
    fn extensions(&self, requests: &[Vec<u8>], of: usize) -> (Vec<Extension>, Member) {
        let challenge = |request: &Vec<u8>| {
            let received = Challenge::receive(&self.session(Side::Server), request);
            received.expect("a request")
        };
        let members = requests[..MEMBERS]
            .iter()
            .enumerate()
            .map(|(number, request)| {
                let challenge = challenge(request);
                let asked = challenge.to_attest().expect("it wants Evidence").to_owned();
                (asked, (number, challenge))
            });
        let batch = Batch::new(members.collect()).expect("a batch");
        let root = batch.request().bound().as_bytes().to_vec();
        let made = ready(Attester::attest(&self.device, batch.request()));
        let made = made.expect("Evidence");
        let token = made.items()[0].value().to_vec();
        let mut answers = batch.answer(Ok(made));
        let own = answers.find(|((number, _), _)| *number == of);
        let ((_, challenge), answer) = own.expect("a member");
        let asked = challenge.to_attest().expect("it wants Evidence");
        let member = Member {
            binder: asked.bound().as_bytes().to_vec(),
            root,
            token,
        };
        let authenticator = challenge.answer(&answer.expect("an answer"));
        let extensions = read(&authenticator.expect("an authenticator"));
        (extensions.expect("extensions"), member)
    }

    fn accepts(&self, pending: Pending, authenticator: &[u8]) -> bool {
        let Ok(credential) = pending.finish(authenticator) else {
            return false;
        };
        let items = credential.cmw().items();
        let media_type = &self.verifier.media_types()[0];
        items.iter().all(|item| {
            let evidence = Evidence::new(media_type, item.value(), credential.bound());
            ready(self.verifier.appraise(&evidence, at(NOW))).is_ok()
        })
    }
}

/// The Evidence altered; other extensions stay.
fn alter(extension: &Extension, changes: &[u8]) -> Extension {
    let data = match extension.code {
        CMW_ATTESTATION => altered(&extension.data, changes),
        _ => extension.data.clone(),
    };
    Extension {
        code: extension.code,
        data,
    }
}

/// The extensions of the first certificate of an authenticator (RFC 8446 §4.4.2).
fn read(authenticator: &[u8]) -> Option<Vec<Extension>> {
    let mut reader = Reader::of(authenticator);
    // Type and length of the message.
    reader.take(4)?;
    let context = reader.u8()?;
    reader.take(context.into())?;
    // Length of the list.
    reader.take(3)?;
    let [high, middle, low] = reader.array()?;
    let certificate = u32::from_be_bytes([0, high, middle, low]);
    reader.take(usize::try_from(certificate).ok()?)?;
    let mut extensions = Reader::of(reader.sized()?);
    let mut read = Vec::new();
    while !extensions.rest.is_empty() {
        let code = extensions.u16()?;
        let data = extensions.sized()?.to_vec();
        read.push(Extension { code, data });
    }
    Some(read)
}

const MEMBERS: usize = 3;

const NOW: u64 = 1_800_000_000;
