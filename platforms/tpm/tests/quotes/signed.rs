//! What is signed, and for which connection.

use atls_core::AppraisalError;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::TpmEvidence;
use atls_tpm::testing::ForgedTpm;

use crate::setting::SUITES;
use crate::setting::Setting;
use crate::support::at;

#[test]
fn the_quote_of_another_tpm_is_refused() {
    let (ours, theirs) = (Setting::new(), ForgedTpm::new());
    let evidence = theirs.evidence(&ours.expected());
    assert_eq!(ours.refusal(&evidence), AppraisalError::UnknownKey);
    let claims_ours = TpmEvidence {
        ak: ours.evidence().ak,
        ..evidence
    };
    assert_eq!(ours.refusal(&claims_ours), AppraisalError::BadSignature);
}

#[test]
fn the_quote_of_another_connection_is_refused() {
    let (one, other) = (Setting::new(), Setting::new());
    let replayed = one.forged.evidence(&other.expected());
    assert_eq!(one.refusal(&replayed), AppraisalError::NotBound);
}

/// The binding, under a signature that verifies: a genuine TPM that was asked for another quote.
#[test]
fn qualifying_data_that_is_cut_padded_empty_or_another_is_refused() {
    for suite in SUITES {
        let setting = Setting::of(suite);
        let whole = setting.expected();
        assert_eq!(whole.len(), 32);
        for extra_data in [
            Vec::new(),
            whole[..8].to_vec(),
            whole[..31].to_vec(),
            [&whole[..], &[0]].concat(),
            [&whole[..], &[0; 32]].concat(),
            vec![0; 32],
            whole.iter().rev().copied().collect(),
        ] {
            let refusal = setting.refusal(&setting.forged.evidence(&extra_data));
            assert_eq!(refusal, AppraisalError::NotBound, "{extra_data:?}");
        }
    }
}

#[test]
fn a_flipped_bit_in_anything_signed_is_refused() {
    let setting = Setting::new();
    let evidence = setting.evidence();
    let fields: [fn(&mut TpmEvidence) -> &mut Vec<u8>; 4] = [
        |evidence| &mut evidence.ak,
        |evidence| &mut evidence.attest,
        |evidence| &mut evidence.signature,
        |evidence| &mut evidence.pcrs,
    ];
    for field in fields {
        let length = field(&mut evidence.clone()).len();
        for bit in 0..length * 8 {
            let mut other = evidence.clone();
            field(&mut other)[bit / 8] ^= 1 << (bit % 8);
            assert!(setting.appraise(&other).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn evidence_that_is_cut_or_continued_is_refused() {
    let setting = Setting::new();
    let verifier = setting.verifier();
    let evidence = setting.evidence();
    let whole = evidence.clone().encode().unwrap();
    for length in 0..whole.len() {
        let cut = setting
            .connection
            .appraise(&verifier, &whole[..length], at());
        assert_eq!(cut.map(drop), Err(AppraisalError::Malformed), "{length}");
    }
    let more = [&whole[..], &[0]].concat();
    let refused = setting
        .connection
        .appraise(&verifier, &more, at())
        .map(drop);
    assert_eq!(refused, Err(AppraisalError::Malformed));
    // And every field within it.
    let fields: [fn(&mut TpmEvidence) -> &mut Vec<u8>; 4] = [
        |evidence| &mut evidence.ak,
        |evidence| &mut evidence.attest,
        |evidence| &mut evidence.signature,
        |evidence| &mut evidence.pcrs,
    ];
    for field in fields {
        for length in 0..field(&mut evidence.clone()).len() {
            let mut other = evidence.clone();
            field(&mut other).truncate(length);
            assert!(setting.appraise(&other).is_err(), "{length}");
        }
    }
}

/// A key that signs anything but quotes is none that is trusted; were it one, this is the second line.
#[test]
fn what_is_signed_is_a_quote() {
    let setting = Setting::new();
    let attest = setting.forged.attest(&setting.expected());
    let bytes = attest.encode().unwrap();
    // Magic, and the type of a structure: certified creation, time, and NV.
    for (index, value) in [(0, 0xfe), (1, b't'), (5, 0x1a), (5, 0x19), (5, 0x14)] {
        let mut other = bytes.clone();
        other[index] = value;
        let refusal = setting.refusal(&setting.forged.seal(&other));
        assert_eq!(refusal, AppraisalError::Malformed, "{index}");
    }
    let more = [&bytes[..], &[0]].concat();
    let refusal = setting.refusal(&setting.forged.seal(&more));
    assert_eq!(refusal, AppraisalError::Malformed);
}

#[test]
fn registers_are_those_whose_digest_is_signed() {
    let setting = Setting::new();
    let mut attest = setting.forged.attest(&setting.expected());
    attest.pcr_digest = vec![0; 32];
    let evidence = setting.forged.seal(&attest.encode().unwrap());
    assert_eq!(setting.refusal(&evidence), AppraisalError::BadSignature);
    attest.pcr_digest = Vec::new();
    let evidence = setting.forged.seal(&attest.encode().unwrap());
    assert_eq!(setting.refusal(&evidence), AppraisalError::BadSignature);
    // The right digest of too few values.
    let mut attest = setting.forged.attest(&setting.expected());
    attest.pcr_digest = HashAlgorithm::Sha256.digest(&[&[0; 32]]);
    let evidence = TpmEvidence {
        pcrs: vec![0; 32],
        ..setting.forged.seal(&attest.encode().unwrap())
    };
    assert_eq!(setting.refusal(&evidence), AppraisalError::Malformed);
}
