//! Quotes of TDs.

use std::path::Path;
use std::sync::Arc;

use atls_core::Origin;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_reference::Live;
use atls_tdx::Collateral;
use atls_tdx::CollateralFromPeer;
use atls_tdx::QuoteError;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use test_support::at;
use test_support::ready;
use test_support::vectors;

use crate::samples::Sample;
use crate::samples::v4;
use crate::support::tier;
use crate::support::value;

/// 2026-10-08T00:28:26Z to 2026-11-06T23:45:11Z.
fn v5(folder: &Path) -> Sample {
    Sample::json(
        folder,
        "tdx/v5-td15ex-dcapqvl",
        54,
        1_791_419_306,
        1_794_008_711,
    )
}

/// 2026-02-18T10:58:51Z to 2026-03-20T10:41:15Z.
fn no_level(folder: &Path) -> Sample {
    Sample::json(
        folder,
        "tdx/v5-td15-no-tcb-level",
        54,
        1_771_412_331,
        1_774_003_275,
    )
}

/// 2026-01-27T09:49:59Z to 2026-02-26T09:01:45Z. Padded to 8,000 bytes.
fn padded(folder: &Path) -> Sample {
    let yaml = std::fs::read_to_string(folder.join("tdx/v4-flashbots.collateral.yaml")).unwrap();
    Sample {
        quote: std::fs::read(folder.join("tdx/v4-flashbots.quote")).unwrap(),
        collateral: crate::support::collateral_of_yaml(&yaml),
        body: 48,
        from: 1_769_507_399,
        until: 1_772_096_505,
    }
}

#[test]
fn genuine_quotes_are_affirmed_while_their_collateral_serves() {
    let Some(folder) = vectors() else { return };
    for sample in [v4(&folder), v5(&folder), padded(&folder)] {
        for now in [
            sample.from,
            (sample.from + sample.until) / 2,
            sample.until - 1,
        ] {
            let appraised = sample.appraise(&sample.quote, now).unwrap();
            assert_eq!(tier(&appraised), Tier::Affirming);
            assert_eq!(appraised.origin(), Origin::Device);
            let (_, part) = appraised.ear().submods().next().unwrap();
            assert_eq!(part.vector().claims().count(), 8);
            assert_eq!(part.extension("atls.tcb-status"), Some(&"UpToDate".into()));
            assert!(appraised.ear().expires_at().unwrap() <= at(sample.until));
        }
    }
}

/// The quote inside of Azure's Evidence: its report data is the paravisor's, and the quote is like any other.
#[test]
fn a_quote_of_azure_is_genuine_too() {
    let Some(folder) = vectors() else { return };
    let evidence = folder.join("azure/tdx-flashbots-1780922561.evidence.yaml");
    let evidence = std::fs::read_to_string(evidence).unwrap();
    let mut lines = evidence.lines();
    assert_eq!(lines.next(), Some("tdx_quote_base64: >-"));
    let quote = BASE64_URL_SAFE
        .decode(lines.next().unwrap().trim())
        .unwrap();
    let collateral = folder.join("azure/tdx-flashbots-1780922561.collateral.yaml");
    let yaml = std::fs::read_to_string(collateral).unwrap();
    let sample = Sample {
        quote,
        collateral: crate::support::collateral_of_yaml(&yaml),
        body: 48,
        from: 1_780_921_342,
        until: 1_783_510_126,
    };
    let appraised = sample.appraise(&sample.quote, 1_780_922_561).unwrap();
    assert_eq!(value(&appraised, Category::Hardware), 2);
    assert_eq!(tier(&appraised), Tier::Affirming);
}

#[test]
fn genuine_quotes_are_refused_before_and_after() {
    let Some(folder) = vectors() else { return };
    for sample in [v4(&folder), v5(&folder), padded(&folder)] {
        for now in [0, sample.from - 1, sample.until, 1_850_000_000] {
            let refused = sample.appraise(&sample.quote, now).unwrap_err();
            // Before 2018 the certificates are not valid either.
            let QuoteError::Outdated(stale) = refused else {
                assert_eq!((refused, now), (QuoteError::Expired, 0));
                continue;
            };
            let end = (now >= sample.until).then(|| at(sample.until));
            assert_eq!(stale.expired_at(), end, "{stale}");
            assert_eq!(stale.valid_from().is_some(), end.is_none(), "{stale}");
        }
    }
}

#[test]
fn the_challenge_is_given_whole() {
    let Some(folder) = vectors() else { return };
    for sample in [v4(&folder), v5(&folder), padded(&folder)] {
        let recorded = sample.appraise(&sample.quote, sample.from).unwrap();
        assert_eq!(recorded.challenge(), sample.report_data());
    }
}

/// Each bit of a quote, signed or not.
#[test]
fn every_flipped_bit_is_refused() {
    let Some(folder) = vectors() else { return };
    for sample in [v4(&folder), v5(&folder)] {
        let verifier = sample.verifier();
        let whole = end_of(&sample.quote);
        let refuses = |index: usize, bit: usize| {
            let mut quote = sample.quote.clone();
            quote[index] ^= 1 << bit;
            ready(verifier.appraise_quote(&quote, &[], at(sample.from))).is_err()
        };
        for index in 0..sample.quote.len() {
            assert!(refuses(index, index % 8), "byte {index}");
        }
        // The unsigned framing, bit by bit: lengths and types after the body.
        let framing = whole - 4 - signature_length(&sample.quote);
        for index in (framing..framing + 4).chain(framing + 132..framing + 138) {
            for bit in 0..8 {
                assert!(refuses(index, bit), "bit {bit} of byte {index}");
            }
        }
    }
}

#[test]
fn every_truncation_and_every_extension_is_refused() {
    let Some(folder) = vectors() else { return };
    let sample = v5(&folder);
    let verifier = sample.verifier();
    let appraise =
        |quote: &[u8]| ready(verifier.appraise_quote(quote, &[], at(sample.from))).map(drop);
    for length in 0..sample.quote.len() {
        assert!(
            matches!(
                appraise(&sample.quote[..length]),
                Err(QuoteError::Malformed(_))
            ),
            "cut at {length}"
        );
    }
    assert!(appraise(&[&sample.quote[..], &[0; 100]].concat()).is_ok());
    assert!(appraise(&[&sample.quote[..], &[0, 0, 1]].concat()).is_err());
    assert!(appraise(&[&sample.quote[..], &[0; 16 * 1024]].concat()).is_err());
}

#[test]
fn a_platform_without_tcb_level_is_contraindicated() {
    let Some(folder) = vectors() else { return };
    let sample = no_level(&folder);
    let policy = TdxPolicy {
        images: vec![TdxImage {
            mrtd_covers_all: true,
            ..TdxImage::new("sample", sample.measurement(136))
        }],
        ..sample.policy()
    };
    let verifier = crate::support::intel(policy, sample.collateral.clone());
    let appraise = |quote: &[u8]| ready(verifier.appraise_quote(quote, &[], at(sample.from)));
    let appraised = appraise(&sample.quote).unwrap();
    assert_eq!(tier(&appraised), Tier::Contraindicated);
    assert_eq!(value(&appraised, Category::Hardware), 97);
    // Even so it must be genuine.
    let mut forged = sample.quote.clone();
    forged[100] ^= 1;
    assert_eq!(appraise(&forged).map(drop), Err(QuoteError::BadSignature));
}

#[test]
fn a_quote_without_collateral_of_its_platform_is_refused() {
    let Some(folder) = vectors() else { return };
    let (sample, other) = (v4(&folder), no_level(&folder));
    let policy = || Arc::new(Live::fixed(sample.policy()).unwrap());
    let verifier = TdxVerifier::new(policy(), Arc::new(CollateralFromPeer::new()));
    let appraised = ready(verifier.appraise_quote(&sample.quote, &[], at(sample.from)));
    assert_eq!(appraised.map(drop), Err(QuoteError::NotSent));
    let source = SuppliedCollateral::new([other.collateral]);
    let verifier = TdxVerifier::new(policy(), Arc::new(source));
    let appraised = ready(verifier.appraise_quote(&sample.quote, &[], at(sample.from)));
    assert_eq!(appraised.map(drop), Err(QuoteError::NotSent));
}

/// No byte of what Intel signed can be changed.
#[test]
fn altered_collateral_is_refused() {
    let Some(folder) = vectors() else { return };
    let sample = v4(&folder);
    let bytes = sample.collateral.encode().unwrap();
    let mut parsed = 0;
    for index in (0..bytes.len()).step_by(3) {
        let mut altered = bytes.clone();
        altered[index] ^= 1 << (index % 8);
        let Ok(collateral) = Collateral::decode(&altered) else {
            continue;
        };
        parsed += 1;
        let verifier = crate::support::intel(sample.policy_zero(), collateral);
        let appraised = ready(verifier.appraise_quote(&sample.quote, &[], at(sample.from)));
        assert!(appraised.is_err(), "byte {index}");
    }
    assert!(parsed > 1_000, "{parsed}");
}

#[test]
fn collateral_survives_its_form() {
    let Some(folder) = vectors() else { return };
    for sample in [v4(&folder), v5(&folder), padded(&folder), no_level(&folder)] {
        let bytes = sample.collateral.encode().unwrap();
        assert!(bytes.len() < 20_000, "{}", bytes.len());
        assert_eq!(Collateral::decode(&bytes), Ok(sample.collateral));
        for length in 0..bytes.len() {
            assert!(
                Collateral::decode(&bytes[..length]).is_err(),
                "cut at {length}"
            );
        }
    }
}

#[test]
fn quotes_without_collateral_have_a_layout_and_genuine_signatures() {
    let Some(folder) = vectors() else { return };
    // It fails in the end, for want of collateral: everything before was verified.
    for (name, expected) in [
        ("v4-google-cos113", QuoteError::NotSent),
        ("v5-td15-google-nocollateral", QuoteError::NotSent),
        // Other bytes than zero after the quote.
        (
            "v4-google-SPR_E4-nocollateral",
            QuoteError::Malformed("bytes after the quote"),
        ),
    ] {
        let quote = std::fs::read(folder.join(format!("tdx/{name}.quote"))).unwrap();
        let verifier = TdxVerifier::new(
            Arc::new(Live::fixed(v4(&folder).policy()).unwrap()),
            Arc::new(CollateralFromPeer::new()),
        );
        let appraised = ready(verifier.appraise_quote(&quote, &[], at(1_770_000_000)));
        assert_eq!(appraised.map(drop), Err(expected), "{name}");
    }
}

fn end_of(quote: &[u8]) -> usize {
    let version = quote[0];
    let body = if version == 4 { 48 + 584 } else { 54 + 885 };
    body + 4 + signature_length(quote)
}

fn signature_length(quote: &[u8]) -> usize {
    let body = if quote[0] == 4 { 48 + 584 } else { 54 + 885 };
    let length = u32::from_le_bytes(quote[body..body + 4].try_into().unwrap());
    length.try_into().unwrap()
}
