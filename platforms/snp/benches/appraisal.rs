//! The cost of an appraisal, compared with that of its signatures.
//!
//! `cargo bench -p atls-snp` prints the median time of one appraisal, of the same signature checks by `ring` alone, and
//! their ratio, all in one run. The goal is a ratio of 1.1 at most. "cached" is the same verifier behind `Cached`: where each
//! connection has Evidence of its own, which is never found again, and where it is another connection of the same batch.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that measures and prints"
)]

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use atls_core::Evidence;
use atls_core::Verifier;
use atls_core::combine::Cached;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::Product;
use atls_snp::SnpEvidence;
use atls_snp::testing::ForgedSnp;
use ring::signature::ECDSA_P384_SHA384_FIXED;
use ring::signature::RSA_PSS_2048_8192_SHA384;
use ring::signature::UnparsedPublicKey;
use test_support::Connection;
use test_support::at;
use test_support::ready;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

const ROUNDS: usize = 301;

fn main() {
    let platform = ForgedSnp::new(Product::Milan).unwrap();
    let verifier = Arc::new(platform.verifier(platform.policy()).unwrap());
    let connection = Connection::new();
    let envelope = connection.evidence(&mut platform.attester().unwrap());
    let media_type = verifier.media_types().first().unwrap().clone();
    let evidence = Evidence::new(&media_type, &envelope, connection.bound());
    // Nothing is young enough to be found again, as where every binder is another.
    let new_each = Cached::new(Arc::clone(&verifier)).with_max_age(Duration::ZERO);
    let of_a_batch = Cached::new(Arc::clone(&verifier));
    let now = at(1_750_000_000);
    let appraisal = |verifier: &dyn Verifier| {
        ready(verifier.appraise(&evidence, now)).unwrap();
    };
    let decoded = SnpEvidence::decode(&envelope).unwrap();
    let signatures = Signatures::of(&decoded, decoded.certificates(), &platform.crl.encode());
    appraisal(&verifier);
    signatures.verify();
    // Alternating, so that all see the same machine.
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    let (mut new, mut again) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(time(|| appraisal(&verifier)));
        bare.push(time(|| signatures.verify()));
        new.push(time(|| appraisal(&new_each)));
        again.push(time(|| appraisal(&of_a_batch)));
    }
    let (ours, bare) = (median(ours), median(bare));
    let ratio = ours.as_secs_f64() / bare.as_secs_f64();
    println!("appraisal        {ours:?}");
    println!("signatures alone {bare:?}  (1 ECDSA P-384, 4 RSA-PSS with 4096 bits)");
    println!("ratio            {ratio:.3}  (goal: at most 1.1)");
    println!("cached, new each time {:?}", median(new));
    println!("cached, of one batch  {:?}", median(again));
}

/// Every signature that an appraisal verifies: of the report, VEK, ASK, ARK and the revocation list.
struct Signatures {
    rsa: Vec<[Vec<u8>; 3]>,
    ecdsa: [Vec<u8>; 3],
}

impl Signatures {
    fn of(evidence: &SnpEvidence, table: &CertTable, crl: &[u8]) -> Self {
        let certificate = |kind| {
            X509Certificate::from_der(table.get(kind).unwrap())
                .unwrap()
                .1
        };
        let vek = certificate(CertificateKind::Vcek);
        let ask = certificate(CertificateKind::Ask);
        let ark = certificate(CertificateKind::Ark);
        let key = |of: &X509Certificate<'_>| of.public_key().subject_public_key.data.to_vec();
        let signed = |issuer: &X509Certificate<'_>, of: &X509Certificate<'_>| {
            let body = of.tbs_certificate.as_ref().to_vec();
            [key(issuer), body, of.signature_value.data.to_vec()]
        };
        let list = CertificateRevocationList::from_der(crl).unwrap().1;
        let body = list.tbs_cert_list.as_ref().to_vec();
        let list = [key(&ark), body, list.signature_value.data.to_vec()];
        let (message, rest) = evidence.report().split_at(0x2a0);
        let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<_>>();
        let (r, rest) = rest.split_at(72);
        let signature = [reversed(r.split_at(48).0), reversed(rest.split_at(48).0)].concat();
        Self {
            rsa: vec![
                signed(&ask, &vek),
                signed(&ark, &ask),
                signed(&ark, &ark),
                list,
            ],
            ecdsa: [key(&vek), message.to_vec(), signature],
        }
    }

    fn verify(&self) {
        for [key, message, signature] in &self.rsa {
            let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA384, key);
            key.verify(message, signature).unwrap();
        }
        let [key, message, signature] = &self.ecdsa;
        let key = UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key);
        key.verify(message, signature).unwrap();
    }
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
