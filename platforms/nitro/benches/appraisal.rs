//! The cost of an appraisal, beside the five signatures that it has to verify: four of certificates and one of the document, all ECDSA
//! with P-384. The same behind `Cached`, where each connection has a document of its own, and where a batch shares one.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and fails by panicking"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use atls_core::combine::Cached;
use atls_nitro::NitroAttester;
use atls_nitro::NitroPolicy;
use atls_nitro::NitroVerifier;
use atls_nitro::testing::ForgedNitro;
use atls_reference::Live;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1;
use ring::signature::ECDSA_P384_SHA384_ASN1;
use ring::signature::ECDSA_P384_SHA384_FIXED;
use ring::signature::UnparsedPublicKey;
use ring::signature::VerificationAlgorithm;
use test_support::Connection;
use test_support::at;
use x509_parser::prelude::FromDer;
use x509_parser::prelude::X509Certificate;

fn main() {
    let now = at(1_800_000_000);
    let connection = Connection::new();
    let forger = Arc::new(ForgedNitro::new(now));
    let policy = Live::fixed(NitroPolicy::new(vec![ForgedNitro::image()])).unwrap();
    let verifier = NitroVerifier::dangerous_with_root(forger.root(), Arc::new(policy));
    let verifier = Arc::new(verifier);
    // No entry is young enough to be found, as where each connection has another binder.
    let new_each = Cached::new(Arc::clone(&verifier)).with_max_age(Duration::ZERO);
    let of_a_batch = Cached::new(Arc::clone(&verifier));
    let mut attester = NitroAttester::over(ForgedNitro::device(&forger)).unwrap();
    let document = connection.evidence(&mut attester);
    let signatures = signatures(&document);

    // The measurements alternate, so that other load of the machine falls on all of them.
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    let (mut new, mut again) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(timed(|| {
            let appraised = connection.appraise(&verifier, black_box(&document), now);
            assert!(black_box(appraised).is_ok());
        }));
        bare.push(timed(|| signatures.iter().for_each(Signature::verify)));
        new.push(timed(|| {
            let appraised = connection.appraise(&new_each, black_box(&document), now);
            assert!(black_box(appraised).is_ok());
        }));
        again.push(timed(|| {
            let appraised = connection.appraise(&of_a_batch, black_box(&document), now);
            assert!(black_box(appraised).is_ok());
        }));
    }
    let (ours, bare) = (median(ours), median(bare));
    println!("document of {} bytes, median of {ROUNDS}", document.len());
    println!("appraisal              {:>8.1} µs", micros(ours));
    println!(
        "its {} signatures alone {:>8.1} µs",
        signatures.len(),
        micros(bare)
    );
    println!(
        "ratio                  {:>8.2}",
        micros(ours) / micros(bare)
    );
    println!("cached, new each time  {:>8.1} µs", micros(median(new)));
    println!("cached, of one batch   {:>8.1} µs", micros(median(again)));
}

struct Signature {
    algorithm: &'static dyn VerificationAlgorithm,
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Signature {
    fn verify(&self) {
        let key = UnparsedPublicKey::new(self.algorithm, &self.key);
        let verified = key.verify(black_box(&self.message), black_box(&self.signature));
        assert!(black_box(verified).is_ok());
    }
}

fn signatures(document: &[u8]) -> Vec<Signature> {
    let sign1 = CoseSign1::from_slice(document).unwrap();
    let content = Value::from_slice(sign1.payload.as_deref().unwrap()).unwrap();
    let content = content.into_map().unwrap();
    let field = |name: &str| {
        let mut fields = content.iter();
        &fields.find(|(key, _)| *key == name.into()).unwrap().1
    };
    let mut chain: Vec<&[u8]> = field("cabundle")
        .as_array()
        .unwrap()
        .iter()
        .map(|certificate| certificate.as_bytes().unwrap().as_slice())
        .collect();
    chain.push(field("certificate").as_bytes().unwrap());
    let chain: Vec<_> = chain
        .into_iter()
        .map(|certificate| X509Certificate::from_der(certificate).unwrap().1)
        .collect();
    let key = |certificate: &X509Certificate<'_>| {
        certificate.public_key().subject_public_key.data.to_vec()
    };
    let mut signatures: Vec<_> = chain
        .windows(2)
        .map(|pair| Signature {
            algorithm: &ECDSA_P384_SHA384_ASN1,
            key: key(&pair[0]),
            message: pair[1].tbs_certificate.as_ref().to_vec(),
            signature: pair[1].signature_value.data.to_vec(),
        })
        .collect();
    signatures.push(Signature {
        algorithm: &ECDSA_P384_SHA384_FIXED,
        key: key(chain.last().unwrap()),
        message: sign1.tbs_data(b""),
        signature: sign1.signature.clone(),
    });
    signatures
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1000.0
}

const ROUNDS: usize = 300;
