//! The certificate of the chip's or the provider's key.

use atls_core::AppraisalError;
use atls_snp::CertificateKind;
use atls_snp::Product;
use atls_snp::testing::ForgedAuthority;
use atls_snp::testing::ForgedKey;
use atls_snp::testing::ForgedSnp;

use crate::changes::appraise_table;
use crate::changes::each_is_refused;
use crate::changes::refused;
use crate::support::appraise;
use crate::support::milan;

#[test]
fn the_intermediate_of_the_other_kind_of_key_is_refused() {
    fn with_asvk(platform: &mut ForgedSnp) {
        platform.ask = ForgedAuthority::asvk(Product::Milan);
        platform.vek.signed_by = ForgedKey::Asvk;
    }
    each_is_refused(
        &AppraisalError::UnknownKey,
        &[with_asvk, |it| {
            with_asvk(it);
            it.vek.issuer = "SEV-VLEK-Milan".to_owned();
        }],
    );
}

#[test]
fn each_extension_of_a_vek_must_fit_the_report() {
    for product in Product::ALL {
        let forged = || ForgedSnp::new(product).unwrap();
        let length = product.hwid_length();
        let mut changes: Vec<(&[u8], Option<Vec<u8>>)> = vec![
            (&[4], Some(vec![0xc2; length])),
            (&[4], Some(vec![0xc1; length - 1])),
            (&[4], None),
        ];
        let parts: &[&[u8]] = &[&[3, 1], &[3, 2], &[3, 3], &[3, 8], &[3, 9]];
        let parts = match product {
            Product::Turin => parts,
            _ => &parts[..4],
        };
        for part in parts {
            changes.push((part, Some(vec![0x02, 0x01, 0x7e])));
            changes.push((part, None));
        }
        for (extension, value) in changes {
            let mut platform = forged();
            match &value {
                Some(value) => platform.vek.set(extension, value),
                None => platform.vek.remove(extension),
            }
            let refused = refused(&platform);
            assert_eq!(
                refused,
                AppraisalError::UnknownKey,
                "{product} {extension:?} {value:?}"
            );
        }
    }
}

/// As in AMD's document, and not in AMD's certificates.
#[test]
fn a_hardware_id_may_be_an_octet_string() {
    let mut platform = milan();
    platform
        .vek
        .set(&[4], &[&[0x04, 64], &[0xc1; 64][..]].concat());
    assert!(appraise(&platform).is_ok());
}

#[test]
fn a_vek_of_another_product_is_refused() {
    for name in ["Genoa-B0", "Turin", "Venice", "milan", ""] {
        let mut platform = milan();
        let value = [&[0x16, u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
        platform.vek.set(&[2], &value);
        assert_eq!(refused(&platform), AppraisalError::UnknownKey, "{name}");
    }
    // A report of version 2 names no product. The certificate does, and its own root must have signed it.
    each_is_refused(
        &AppraisalError::UnknownKey,
        &[|it| {
            it.report.version = 2;
            it.vek.set(&[2], b"\x16\x05Genoa");
        }],
    );
}

#[test]
fn reserved_extensions_of_a_vek_are_zero() {
    each_is_refused(
        &AppraisalError::UnknownKey,
        &[
            |it| it.vek.set(&[3, 4], &[0x02, 0x01, 0x01]),
            |it| it.vek.set(&[3, 5], &[0x02, 0x01, 0x01]),
            |it| it.vek.set(&[3, 6], &[0x02, 0x01, 0x01]),
            |it| it.vek.set(&[3, 7], &[0x02, 0x01, 0x01]),
            // Only Turin has an FMC.
            |it| it.vek.set(&[3, 9], &[0x02, 0x01, 0x01]),
        ],
    );
}

#[test]
fn each_product_has_one_structure_of_vek_certificates() {
    for product in Product::ALL {
        for structure in 0..=2 {
            let mut platform = ForgedSnp::new(product).unwrap();
            platform.vek.set(&[1], &[0x02, 0x01, structure]);
            let expected = match structure == u8::from(product == Product::Turin) {
                true => Ok(()),
                false => Err(AppraisalError::UnknownKey),
            };
            let appraised = appraise(&platform).map(drop);
            assert_eq!(appraised, expected, "{product} {structure}");
        }
    }
}

#[test]
fn a_key_of_the_other_kind_is_refused() {
    each_is_refused(
        &AppraisalError::UnknownKey,
        &[
            // The certificate names a chip and a provider.
            |it| it.vek.set(&[5], b"\x16\x02CN"),
            // It names a provider, under the name of a chip's key.
            |it| {
                it.vek.set(&[5], b"\x16\x02CN");
                it.vek.remove(&[4]);
            },
        ],
    );
    // The report says that the chip's key signed it.
    let mut platform = ForgedSnp::with_vlek(Product::Milan).unwrap();
    let table = platform.certificates();
    platform.report.signer = 0;
    let vlek = table.get(CertificateKind::Vlek).unwrap().to_vec();
    let table = table.with(CertificateKind::Vcek, vlek);
    let refused = appraise_table(&platform, table).unwrap_err();
    assert_eq!(refused, AppraisalError::UnknownKey);
}

#[test]
fn unknown_critical_and_repeated_extensions_are_refused() {
    each_is_refused(
        &AppraisalError::UnknownKey,
        &[
            |it| it.vek.is_narrowed = true,
            |it| it.vek.extensions.push((vec![4], vec![0xc1; 64])),
        ],
    );
}
