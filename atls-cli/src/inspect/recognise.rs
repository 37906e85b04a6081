//! Finds out what some bytes are.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::pem::SectionKind;

use super::authenticator;
use super::azure;
use super::certificate;
use super::cmw;
use super::corim;
use super::cose;
use super::dcap;
use super::event_log;
use super::found::Found;
use super::found::Within;
use super::json;
use super::policy_file;
use super::snp;
use super::tpm;
use super::tree::Node;

/// Recognises anything of this field; `None` for all else.
pub(crate) fn recognise(bytes: &[u8]) -> Option<Found> {
    Within::new(MAX_DEPTH, either).recognise(bytes)
}

fn either(bytes: &[u8], within: Within) -> Option<Found> {
    binary(bytes, within).or_else(|| {
        let text = std::str::from_utf8(bytes).ok()?.trim();
        self::text(text, within)
    })
}

fn binary(bytes: &[u8], within: Within) -> Option<Found> {
    dcap::read(bytes)
        .or_else(|| azure::read(bytes))
        .or_else(|| snp::read(bytes))
        .or_else(|| cose::read(bytes))
        .or_else(|| corim::read(bytes))
        .or_else(|| cmw::read(bytes, within))
        .or_else(|| certificate::read(bytes, within))
        .or_else(|| authenticator::read(bytes, within))
        .or_else(|| tpm::read(bytes))
        .or_else(|| event_log::read(bytes))
}

fn text(text: &str, within: Within) -> Option<Found> {
    if text.contains("-----BEGIN ") {
        return pem(text, within);
    }
    json::jwt(text)
        .or_else(|| policy_file::read(text))
        .or_else(|| within.recognise(&unwrapped(text)?))
}

/// Each section of a PEM file.
fn pem(text: &str, within: Within) -> Option<Found> {
    let mut found = Vec::new();
    let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes());
    for section in sections.take(MAX_SECTIONS) {
        let (kind, der) = section.ok()?;
        found.push(match kind {
            // A private key is not for a terminal.
            SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey => {
                Found::of(Node::branch("private key").meaning("not shown"))
            }
            _ => within
                .recognise(&der)
                .unwrap_or_else(|| Found::of(Node::bytes(format!("{kind:?}"), &der))),
        });
    }
    match found.len() {
        0 => None,
        1 => found.pop(),
        _ => {
            let evidence = found
                .iter()
                .flat_map(|found| found.evidence.clone())
                .collect();
            let trees = found.into_iter().map(|found| found.tree);
            let tree = Node::branch("PEM file").with_all(trees);
            Some(Found::holding(tree, evidence))
        }
    }
}

/// Hexadecimal, or base64 of either alphabet, over lines.
fn unwrapped(text: &str) -> Option<Vec<u8>> {
    let packed: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    if packed.len() < MIN_WRAPPED {
        return None;
    }
    if let (pairs, []) = packed.as_chunks::<2>()
        && let Some(bytes) = pairs.iter().map(|pair| hex_byte(*pair)).collect()
    {
        return Some(bytes);
    }
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabets = [alphabet::STANDARD, alphabet::URL_SAFE];
    let mut engines = alphabets
        .iter()
        .map(|alphabet| GeneralPurpose::new(alphabet, config));
    engines.find_map(|engine| engine.decode(&packed).ok())
}

fn hex_byte([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    Some(digit(high)? << 4 | digit(low)?)
}

/// Wrappers within each other: a CMW in a certificate in an authenticator in base64 is four.
const MAX_DEPTH: u8 = 6;

/// A system's authorities are some 150.
const MAX_SECTIONS: usize = 1000;

/// Fewer characters are a word, and nothing wrapped.
const MIN_WRAPPED: usize = 16;

#[cfg(test)]
mod tests {
    use atls_core::MediaType;
    use atls_core::cmw::Cmw;
    use proptest::prelude::*;

    use super::*;
    use crate::terminal::Style;

    /// One of each kind, well-formed.
    fn samples() -> Vec<Vec<u8>> {
        let quote = test_support::td_quote(&[7; 64]);
        let report = test_support::snp_report(&[7; 64]);
        let media_type = MediaType::parse("application/vnd.example").unwrap();
        let cmw = Cmw::evidence(media_type, report.clone());
        let certificate = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let jwt = "eyJhbGciOiJFUzI1NiJ9.eyJpYXQiOjE4MDAwMDAwMDB9.c2lnbmF0dXJl";
        let policy = "version = 1\n[tdx]\naccept-tcb = [\"UpToDate\"]\n";
        let finished = [&[20, 0, 0, 32][..], &[7; 32]].concat();
        vec![
            quote,
            report,
            cmw.encode().unwrap(),
            cmw.to_json().unwrap(),
            certificate.cert.der().to_vec(),
            certificate.cert.pem().into_bytes(),
            jwt.into(),
            policy.into(),
            finished,
        ]
    }

    /// No line of what is shown controls a terminal.
    fn is_harmless(bytes: &[u8]) -> bool {
        let shown = recognise(bytes).map(|found| found.tree.lines(Style::plain()));
        let lines = shown.unwrap_or_default();
        lines.iter().all(|line| !line.chars().any(char::is_control))
    }

    #[test]
    fn each_sample_is_recognised() {
        for sample in samples() {
            let shown = String::from_utf8_lossy(&sample).into_owned();
            assert!(recognise(&sample).is_some(), "{shown}");
        }
    }

    #[test]
    fn every_truncation_is_harmless() {
        for sample in samples() {
            for length in 0..sample.len() {
                assert!(is_harmless(&sample[..length]), "{length}");
            }
        }
    }

    #[test]
    fn wrappers_within_each_other_come_to_an_end() {
        let media_type = MediaType::parse("application/cmw+cbor").unwrap();
        let mut wrapped = test_support::snp_report(&[7; 64]);
        for _ in 0..20 {
            wrapped = Cmw::evidence(media_type.clone(), wrapped).encode().unwrap();
        }
        let found = recognise(&wrapped).unwrap();
        assert!(found.tree.lines(Style::plain()).len() < 100);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert!(is_harmless(&bytes));
        }

        #[test]
        fn altered_samples_are_harmless(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte: u8) {
            let samples = samples();
            let mut sample = which.get(&samples).clone();
            let at = at.index(sample.len());
            sample[at] = byte;
            prop_assert!(is_harmless(&sample));
        }

        #[test]
        fn arbitrary_text_is_harmless(text in "\\PC{0,200}", control in "[\\x00-\\x1f\\x7f\u{80}-\u{9f}]{0,20}") {
            let both = [text, control].concat();
            prop_assert!(is_harmless(both.as_bytes()));
        }
    }
}
