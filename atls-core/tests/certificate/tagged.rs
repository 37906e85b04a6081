//! A quote and its claims in DICE tagged evidence.

use atls_core::MediaType;
use atls_core::ProtocolError;
use atls_core::cmw::Cmw;
use atls_core::cmw::Indicator;
use atls_core::cmw::Type;
use atls_core::exchange::Credential;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::certificate;
use atls_core::exchange::certificate::Format;
use atls_core::exchange::certificate::FormatError;
use atls_core::pki_types::CertificateDer;
use atls_core::session::Side;
use ciborium::Value;
use sha2::Digest;
use sha2::Sha256;
use sha2::Sha384;
use sha2::Sha512;

use crate::support::Key;
use crate::support::certificate;
use crate::support::cmw_extension;
use crate::support::handshake;
use crate::support::key;
use crate::support::media_type;
use crate::support::spki;

#[test]
fn tagged_evidence_must_name_the_key_and_fixes_the_report_data() {
    let (key, other) = (key(), key());
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

/// As much of a quote as a certificate looks at: a header, zeros, and the report data where it stands.
fn quote(header: [u8; 8], at: usize, report_data: &[u8; 64]) -> Vec<u8> {
    let mut quote = vec![0; at];
    quote[..8].copy_from_slice(&header);
    quote.extend(report_data);
    quote.extend([0; 8]);
    quote
}

const QUOTES: [(&str, [u8; 8], usize); 5] = [
    ("sgx", [3, 0, 2, 0, 0, 0, 0, 0], 368),
    ("sgx", [4, 0, 2, 0, 0, 0, 0, 0], 368),
    ("sgx", [5, 0, 2, 0, 0, 0, 0, 0], 374),
    ("tdx", [4, 0, 2, 0, 0x81, 0, 0, 0], 568),
    ("tdx", [5, 0, 2, 0, 0x81, 0, 0, 0], 574),
];

fn quote_type(tee: &str) -> MediaType {
    format!("application/vnd.atls.{tee}-quote").parse().unwrap()
}

/// The certificate that an attester of this format presents.
fn presented(
    format: Format,
    key: &Key,
    made: &Cmw,
) -> Result<CertificateDer<'static>, FormatError> {
    let request = format.to_attest(&*key.signing).unwrap();
    let value = format.extension(request.as_request(), made)?;
    Ok(certificate(key, &[(format.oid(), value)]))
}

#[test]
fn a_quote_over_the_claims_is_presented_and_read() {
    let key = key();
    let request = Format::TaggedEvidence.to_attest(&*key.signing).unwrap();
    let report_data = *request.as_request().report_data().unwrap();
    for (tee, header, at) in QUOTES {
        let made = Cmw::evidence(quote_type(tee), quote(header, at, &report_data));
        let leaf = presented(Format::TaggedEvidence, &key, &made).unwrap();
        let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
        assert_eq!(credential.report_data(), Some(&report_data), "{header:?}");
        assert_eq!(credential.cmw(), &made);
    }
}

#[test]
fn endorsements_beside_a_quote_are_left_out() {
    let key = key();
    let request = Format::TaggedEvidence.to_attest(&*key.signing).unwrap();
    let report_data = request.as_request().report_data().unwrap();
    let (tee, header, at) = QUOTES[0];
    let evidence = Cmw::evidence(quote_type(tee), quote(header, at, report_data));
    let kind = Type::Media("application/vnd.atls.collateral".parse().unwrap());
    let endorsements = Cmw::record(kind, vec![1], Some(Indicator::ENDORSEMENTS));
    let members = vec![
        ("evidence".into(), evidence.clone()),
        ("collateral".into(), endorsements),
    ];
    let made = Cmw::collection(None, members).unwrap();
    let leaf = presented(Format::TaggedEvidence, &key, &made).unwrap();
    let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
    assert_eq!(credential.cmw(), &evidence);
}

#[test]
fn what_no_peer_would_accept_is_not_presented() {
    let (key, other) = (key(), key());
    let report_data = |key: &Key| {
        let request = Format::TaggedEvidence.to_attest(&*key.signing).unwrap();
        *request.as_request().report_data().unwrap()
    };
    let (tee, header, at) = QUOTES[0];
    let good = quote(header, at, &report_data(&key));
    let result = |made: &Cmw| presented(Format::TaggedEvidence, &key, made).map(drop);
    // An attester that knows nothing of it, one that answers for another key, a quote cut short.
    for bytes in [
        quote(header, at, &[7; 64]),
        quote(header, at, &report_data(&other)),
        good[..at + 63].to_vec(),
    ] {
        let made = Cmw::evidence(quote_type(tee), bytes);
        assert_eq!(result(&made), Err(FormatError::ReportData));
    }
    let two = [("a", good.clone()), ("b", good.clone())]
        .map(|(label, bytes)| (label.into(), Cmw::evidence(quote_type(tee), bytes)));
    for made in [
        Cmw::evidence(media_type(), good.clone()),
        Cmw::evidence(quote_type("tdx"), good.clone()),
        Cmw::evidence(quote_type(tee), vec![2; 600]),
        Cmw::evidence(quote_type(tee), Vec::new()),
        Cmw::attestation_results(quote_type(tee), good),
        Cmw::collection(None, two.into()).unwrap(),
    ] {
        assert_eq!(result(&made), Err(FormatError::NoQuote), "{made:?}");
    }
}

#[test]
fn an_attester_is_told_report_data_for_tagged_evidence_only() {
    let key = key();
    let request = Format::default().to_attest(&*key.signing).unwrap();
    assert!(request.as_request().report_data().is_none());
    let request = OwnedAttestRequest::for_handshake(Side::Server, &[7; 32], &*key.signing).unwrap();
    assert!(request.as_request().report_data().is_none());
    let request = Format::TaggedEvidence.to_attest(&*key.signing).unwrap();
    let again = request.as_request().to_owned();
    assert!(again.as_request().report_data().is_some());
    assert_eq!(
        again.as_request().report_data(),
        request.as_request().report_data()
    );
}

#[test]
fn id_pe_cmw_beside_another_carriage_is_refused() {
    let key = key();
    let request = OwnedAttestRequest::for_key(&*key.signing).unwrap();
    let (claims, report_data) = certificate::claims_for_key(&spki(&key)).unwrap();
    let (_, header, at) = QUOTES[0];
    let tagged = certificate::tagged_evidence(&quote(header, at, &report_data), &claims).unwrap();
    let tagged = (certificate::TAGGED_EVIDENCE, tagged);
    let old = (SGX_SDK, quote(header, at, &report_data));
    for beside in [tagged.clone(), old.clone()] {
        for both in [
            [cmw_extension(&request), beside.clone()],
            [beside, cmw_extension(&request)],
        ] {
            let leaf = certificate(&key, &both);
            let refused = Credential::in_certificate(&handshake(&leaf)).unwrap_err();
            assert_eq!(refused, ProtocolError::Malformed);
        }
    }
    // An old form that is not about the key stands beside the newer one without harm.
    let leaf = certificate(&key, &[old, tagged]);
    let credential = Credential::in_certificate(&handshake(&leaf)).unwrap();
    assert_eq!(credential.report_data(), Some(&report_data));
}

const SGX_SDK: &[u64] = &[1, 2, 840, 113_741, 1, 13, 1];

#[test]
fn tagged_evidence_in_another_shape_is_refused() {
    let key = key();
    let (claims, report_data) = certificate::claims_for_key(&spki(&key)).unwrap();
    let (_, header, at) = QUOTES[0];
    let quote = quote(header, at, &report_data);
    let good = certificate::tagged_evidence(&quote, &claims).unwrap();
    let mut other_tag = good.clone();
    // d9 ea60, 82: the tag's number, then an array of two.
    assert_eq!(other_tag[..4], [0xd9, 0xea, 0x60, 0x82]);
    other_tag[2] = 0x61;
    let mut three = good.clone();
    three[3] = 0x83;
    three.push(0x40);
    for (value, refused) in [
        (other_tag, ProtocolError::UnknownEvidence),
        ([&good[..], &[0]].concat(), ProtocolError::Malformed),
        (good[3..].to_vec(), ProtocolError::Malformed),
        (three, ProtocolError::Malformed),
        (quote, ProtocolError::Malformed),
    ] {
        let leaf = certificate(&key, &[(certificate::TAGGED_EVIDENCE, value)]);
        let error = Credential::in_certificate(&handshake(&leaf)).unwrap_err();
        assert_eq!(error, refused);
    }
    for length in 0..good.len() {
        let cut = good[..length].to_vec();
        let leaf = certificate(&key, &[(certificate::TAGGED_EVIDENCE, cut)]);
        assert!(Credential::in_certificate(&handshake(&leaf)).is_err());
    }
}

#[test]
fn claims_must_hold_the_digest_of_the_key_exactly_once() {
    let key = key();
    let sha256 = Sha256::digest(spki(&key)).to_vec();
    let sha384 = Sha384::digest(spki(&key)).to_vec();
    let sha512 = Sha512::digest(spki(&key)).to_vec();
    let hash = |algorithm: i64, digest: &[u8]| {
        let digest = Value::Bytes(digest.to_vec());
        Value::Bytes(cbor(&Value::Array(vec![algorithm.into(), digest])))
    };
    let good = || (Value::from("pubkey-hash"), hash(1, &sha256));
    let other = (Value::from("nonce"), Value::Bytes(vec![0; 8]));
    let longer = [&sha256[..], &[0]].concat();
    let named = |hash: Value| vec![(Value::from("pubkey-hash"), hash)];
    let read = |claims: Vec<(Value, Value)>| {
        let (_, header, at) = QUOTES[0];
        let quote = quote(header, at, &[0; 64]);
        let value = certificate::tagged_evidence(&quote, &cbor(&Value::Map(claims))).unwrap();
        let leaf = certificate(&key, &[(certificate::TAGGED_EVIDENCE, value)]);
        Credential::in_certificate(&handshake(&leaf)).map(drop)
    };
    for claims in [
        vec![good()],
        vec![other.clone(), good()],
        named(hash(7, &sha384)),
        named(hash(8, &sha512)),
    ] {
        assert_eq!(read(claims), Ok(()));
    }
    for claims in [
        vec![],
        vec![other],
        vec![good(), good()],
        vec![(Value::Bytes(b"pubkey-hash".to_vec()), hash(1, &sha256))],
        named(hash(7, &sha256)),
        named(hash(8, &sha256)),
        named(hash(2, &sha256)),
        named(hash(-1, &sha256)),
        named(hash(1, &sha256[..31])),
        named(hash(1, &longer)),
        named(hash(1, &[])),
        named(Value::from(1)),
    ] {
        let what = format!("{claims:?}");
        assert_eq!(read(claims), Err(ProtocolError::KeyMismatch), "{what}");
    }
}

fn cbor(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).unwrap();
    out
}
