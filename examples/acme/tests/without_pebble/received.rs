//! Chains as an ACME server sends them.

use std::sync::Arc;
use std::time::Duration;

use acme::Certificate;
use acme::OrderError;
use atls_core::limits::MAX_CHAIN;
use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertifiedIssuer;
use rcgen::IsCa;
use rcgen::KeyPair;
use rcgen::date_time_ymd;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::UnixTime;
use rustls::sign::SigningKey;

/// A certificate of 2027, for `a.example` and 192.0.2.1, and its key.
struct Sent {
    pem: String,
    key: Arc<dyn SigningKey>,
}

impl Sent {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let names = ["a.example", "192.0.2.1"].map(str::to_owned);
        let mut parameters = CertificateParams::new(names).unwrap();
        parameters.not_before = date_time_ymd(2027, 1, 1);
        parameters.not_after = date_time_ymd(2027, 4, 1);
        let pem = parameters.signed_by(&key, &authority).unwrap().pem();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        Self {
            pem: pem + &authority.pem(),
            key: demo::provider().key_provider.load_private_key(key).unwrap(),
        }
    }

    fn received(&self, names: &[&str], now: u64) -> Result<Certificate, OrderError> {
        let names: Vec<_> = names.iter().map(|name| name.parse().unwrap()).collect();
        Certificate::received(&self.pem, self.key.clone(), &names, at(now))
    }
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

const NAMES: [&str; 2] = ["a.example", "192.0.2.1"];
/// 2027-01-01 and 2027-04-01.
const BEGIN: u64 = 1_798_761_600;
const END: u64 = 1_806_537_600;

#[test]
fn a_certificate_is_due_for_renewal_two_thirds_into_its_life() {
    let certificate = Sent::new().received(&NAMES, BEGIN).unwrap();
    assert_eq!(certificate.renewal_due(), BEGIN + (END - BEGIN) / 3 * 2);
    assert_eq!(certificate.valid_for(at(END - 5)), Duration::from_secs(5));
    assert_eq!(certificate.valid_for(at(END + 5)), Duration::ZERO);
    assert_eq!(certificate.key().cert.len(), 2);
}

#[test]
fn a_certificate_for_another_key_is_refused() {
    let mut sent = Sent::new();
    sent.key = Sent::new().key;
    assert!(matches!(
        sent.received(&NAMES, BEGIN),
        Err(OrderError::Certificate("it is for another key"))
    ));
}

#[test]
fn a_certificate_without_one_of_the_names_is_refused() {
    for other in ["b.example", "192.0.2.2"] {
        assert!(matches!(
            Sent::new().received(&["a.example", other], BEGIN),
            Err(OrderError::Certificate("it has not all of the names"))
        ));
    }
}

#[test]
fn a_certificate_of_another_time_is_refused() {
    for now in [BEGIN - 1, END, u64::MAX] {
        let received = Sent::new().received(&NAMES, now);
        assert!(matches!(received, Err(OrderError::Certificate(_))), "{now}");
    }
}

#[test]
fn a_chain_longer_than_peers_take_is_refused() {
    let mut sent = Sent::new();
    let (_, authority) = sent.pem.split_at(sent.pem.find("END").unwrap());
    let (_, authority) = authority.split_once('\n').unwrap();
    let authority = authority.to_owned();
    for _ in 2..MAX_CHAIN {
        sent.pem += &authority;
    }
    assert!(sent.received(&NAMES, BEGIN).is_ok());
    sent.pem += &authority;
    assert!(sent.received(&NAMES, BEGIN).is_err());
}

#[test]
fn what_is_no_chain_is_refused() {
    let empty = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    for pem in ["", "hello", empty, "-----BEGIN CERTIFICATE-----\n!"] {
        let key = Sent::new().key;
        assert!(
            Certificate::received(pem, key, &[], at(BEGIN)).is_err(),
            "{pem}"
        );
    }
}
