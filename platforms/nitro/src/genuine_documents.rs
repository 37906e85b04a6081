//! Documents that AWS signed, against the pinned root. They were made for others: their nonces are no binder, and none has both a
//! nonce and a key.

#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_formats::nitro::Document;
use atls_formats::nitro::SignedDocument;
use atls_reference::Digest;
use atls_reference::Live;
use ring::digest;
use test_support::Connection;
use test_support::at;
use test_support::ready;

use crate::authentic::Authentic;
use crate::chain::AWS_ROOT_G1;
use crate::claims;
use crate::image::NitroImage;
use crate::policy::NitroPolicy;
use crate::trust_vector::appraise_registers;
use crate::verifier::NitroVerifier;

#[test]
fn documents_of_aws_verify_at_their_time() {
    for sample in samples() {
        let made_at = sample.document.timestamp_ms / 1000;
        for now in [made_at, made_at + 1, sample.until] {
            assert!(sample.verify(now).is_ok(), "{} at {now}", sample.name);
        }
    }
}

#[test]
fn documents_of_aws_are_refused_at_other_times() {
    for sample in samples() {
        let made_at = sample.document.timestamp_ms / 1000;
        for now in [0, made_at - 61, sample.until + 1, 2_000_000_000, u64::MAX] {
            let refused = sample.verify(now).map(drop);
            assert_eq!(
                refused,
                Err(AppraisalError::Expired),
                "{} at {now}",
                sample.name
            );
        }
        // Within the chain's validity, and older than the policy has it.
        let (root, age) = (Digest::from(AWS_ROOT_G1), Duration::from_secs(300));
        let late = Authentic::verify(&sample.bytes, &root, age, at(made_at + 301));
        assert_eq!(late.map(drop), Err(AppraisalError::Expired));
    }
}

#[test]
fn a_result_ends_with_the_chain() {
    for sample in samples() {
        assert_eq!(sample.verified().valid_until, at(sample.until));
    }
}

#[test]
fn another_root_than_that_of_aws_vouches_for_none_of_them() {
    for sample in samples() {
        let mut other = AWS_ROOT_G1;
        other[31] ^= 1;
        let made_at = at(sample.document.timestamp_ms / 1000);
        let refused = Authentic::verify(&sample.bytes, &Digest::from(other), AGE, made_at);
        assert_eq!(
            refused.map(drop),
            Err(AppraisalError::UnknownKey),
            "{}",
            sample.name
        );
    }
}

#[test]
fn every_flipped_byte_and_every_truncation_is_refused() {
    for (sample, step) in samples().iter().zip([1, 16, 16]) {
        let made_at = at(sample.document.timestamp_ms / 1000);
        let root = Digest::from(AWS_ROOT_G1);
        let refused = |bytes: &[u8]| Authentic::verify(bytes, &root, AGE, made_at).is_err();
        for index in (0..sample.bytes.len()).step_by(step) {
            assert!(
                refused(&sample.bytes[..index]),
                "{} cut at {index}",
                sample.name
            );
            let mut flipped = sample.bytes.clone();
            flipped[index] ^= 1 << (index % 8);
            assert!(refused(&flipped), "{} at {index}", sample.name);
        }
    }
}

#[test]
fn recorded_documents_are_appraised_and_are_of_no_other_connection() {
    for sample in samples() {
        let register = |index| claims::register(&sample.document.pcrs, index).copied();
        let known = [0, 1, 2].map(|index| register(index).unwrap());
        // A policy names no image whose registers are zero, as in debug mode.
        let debug = claims::is_debug(&sample.document.pcrs);
        let [pcr0, pcr1, pcr2] = match debug {
            true => [Digest::from([1; 48]); 3],
            false => known,
        };
        let image = NitroImage::measured("known", pcr0, pcr1, pcr2);
        let policy = Live::fixed(NitroPolicy::new(vec![image])).unwrap();
        let verifier = NitroVerifier::new(Arc::new(policy));
        let made_at = at(sample.document.timestamp_ms / 1000);
        let recorded = ready(verifier.appraise_recorded(&sample.bytes, made_at)).unwrap();
        let nonce = sample.document.nonce.as_deref();
        assert_eq!(recorded.challenge(), nonce.unwrap_or_default());
        assert_eq!(recorded.origin(), Origin::Device);
        let (expected, image) = match debug {
            true => (Tier::Contraindicated, None),
            false => (Tier::Affirming, Some("known")),
        };
        assert_eq!(recorded.ear().status(), expected, "{}", sample.name);
        assert_eq!(recorded.image(), image, "{}", sample.name);
        // The nonce is compared, and an absent one is nobody's.
        let refused = recorded.bind(&Connection::new().bound().verbatim());
        assert_eq!(refused.unwrap_err(), AppraisalError::NotBound);
        let mut altered = sample.bytes.clone();
        *altered.last_mut().unwrap() ^= 1;
        let refused = ready(verifier.appraise_recorded(&altered, made_at));
        assert_eq!(refused.unwrap_err(), AppraisalError::BadSignature);
    }
}

#[test]
fn debug_mode_is_contraindicated() {
    let ones = Digest::from([1; 48]);
    let images = vec![NitroImage::measured("any", ones, ones, ones)];
    let policy = NitroPolicy::new(images);
    for sample in samples() {
        let debug = sample.name.contains("debug");
        assert_eq!(
            claims::is_debug(&sample.document.pcrs),
            debug,
            "{}",
            sample.name
        );
        let vector = appraise_registers(&policy, &sample.document.pcrs).vector;
        let expected = if debug { 96 } else { 2 };
        assert_eq!(
            vector.get(Category::Configuration).value(),
            expected,
            "{}",
            sample.name
        );
        assert_eq!(
            vector.get(Category::Executables).value(),
            33,
            "{}",
            sample.name
        );
    }
}

#[test]
fn pcr4_is_the_parent_instance_as_the_policy_says() {
    for sample in samples() {
        let (instance, _) = sample.document.module_id.split_once("-enc").unwrap();
        let hash = digest::digest(&digest::SHA384, &[&[0; 48], instance.as_bytes()].concat());
        let pcr4 = claims::register(&sample.document.pcrs, 4).unwrap();
        assert_eq!(pcr4.as_ref(), hash.as_ref(), "{}", sample.name);
    }
}

#[test]
fn reserved_registers_are_zero_as_the_policy_says() {
    for sample in samples() {
        for index in [5, 6, 7, 9, 10, 11, 12, 13, 14, 15] {
            let register = claims::register(&sample.document.pcrs, index).unwrap();
            assert!(register.is_zero(), "PCR{index} of {}", sample.name);
        }
    }
}

/// One file, and until when its chain is valid, in seconds since the epoch.
struct Sample {
    name: &'static str,
    bytes: Vec<u8>,
    until: u64,
    document: Document,
}

impl Sample {
    fn verify(&self, now: u64) -> Result<Authentic, AppraisalError> {
        Authentic::verify(&self.bytes, &Digest::from(AWS_ROOT_G1), AGE, at(now))
    }

    fn verified(&self) -> Authentic {
        self.verify(self.document.timestamp_ms / 1000).unwrap()
    }
}

/// Empty, with a line that says so, where the recorded samples are absent.
///
/// # Panics
/// The same where `ATLS_REQUIRE_VECTORS` is set: CI does not skip silently.
fn samples() -> Vec<Sample> {
    let Some(folder) = test_support::vectors() else {
        return Vec::new();
    };
    let folder = folder.join("nitro");
    let sample = |(name, until)| {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let document = SignedDocument::decode(&bytes).unwrap().document;
        Sample {
            name,
            bytes,
            until,
            document,
        }
    };
    FILES.map(sample).into_iter().collect()
}

const FILES: [(&str, u64); 3] = [
    ("eu-central-1-2025-01-06.cose", 1_736_190_425),
    ("evervault-2022-10-13.cose", 1_665_662_282),
    ("evervault-debug-2022-10-12.cose", 1_665_593_394),
];

/// Longer than any chain is valid, so that the chain ends first.
const AGE: Duration = Duration::from_secs(24 * 60 * 60);
