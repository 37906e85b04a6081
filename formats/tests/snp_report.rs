//! Forged SEV-SNP reports, cut and altered, and a genuine one field by field.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use atls_formats::snp::Product;
use atls_formats::snp::REPORT_LENGTH;
use atls_formats::snp::Report;
use atls_formats::snp::SnpFormatError;
use atls_snp::testing::ForgedReport;
use proptest::prelude::*;
use test_support::vectors;

fn good() -> Vec<u8> {
    ForgedReport::new(Product::Milan).encode()
}

fn decoded(change: impl FnOnce(&mut Vec<u8>)) -> Result<(), SnpFormatError> {
    let mut bytes = good();
    change(&mut bytes);
    Report::decode(&bytes).map(drop)
}

/// Values of a report that AMD's firmware made. Writer and reader of forged reports could agree on a wrong offset.
#[test]
fn a_genuine_report_is_read_field_by_field() {
    let Some(vectors) = vectors() else { return };
    let read = |name: &str| std::fs::read(vectors.join("snp").join(name)).unwrap();
    let bytes = read("genoa-v3-azure-vcek.report");
    let report = Report::decode(&bytes).unwrap();
    let numbers = (
        report.version,
        report.guest_svn,
        report.vmpl,
        report.key_info,
    );
    assert_eq!(numbers, (3, 0x1000b, 0, 0));
    let bits = (report.policy.bits(), report.platform_info.bits());
    assert_eq!(bits, (0x3001f, 0x24));
    assert_eq!(report.cpuid, Some([0x19, 0x11, 1]));
    assert_eq!(report.reported_tcb, [10, 0, 0, 0, 0, 0, 0x17, 0x54]);
    let versions = (report.current_version, report.committed_version);
    assert_eq!(versions, ([0x28, 0x37, 1], [0x28, 0x37, 1]));
    let beginnings: [(&[u8], [u8; 4]); 9] = [
        (&report.family_id, [0x01, 0x23, 0x20, 0x00]),
        (&report.image_id, [0x02, 0x00, 0x00, 0x00]),
        (&report.report_data, [0xb5, 0x81, 0xf1, 0x2e]),
        (&report.measurement, [0xf5, 0x7d, 0xc0, 0x9a]),
        (&report.id_key_digest, [0x94, 0x2f, 0xd9, 0x3e]),
        (&report.report_id, [0x8c, 0x67, 0x8f, 0x0c]),
        (&report.chip_id, [0x05, 0x06, 0xff, 0xba]),
        (&report.signature_r, [0xe8, 0x59, 0xbc, 0x31]),
        (&report.signature_s, [0x65, 0xfb, 0xbb, 0x25]),
    ];
    for (field, beginning) in beginnings {
        assert_eq!(field[..4], beginning);
    }
    assert_eq!(
        (report.host_data, report.report_id_ma),
        ([0; 32], [0xff; 32])
    );
    let bytes = read("genoa-v5-vcek.report");
    let report = Report::decode(&bytes).unwrap();
    let mitigations = (report.launch_mitigations, report.current_mitigations);
    assert_eq!(mitigations, (Some(1), Some(1)));
}

#[test]
fn a_report_of_another_length_is_refused() {
    let whole = good();
    for length in 0..whole.len() {
        assert!(Report::decode(&whole[..length]).is_err(), "{length}");
    }
    assert!(Report::decode(&whole).is_ok());
    assert!(Report::decode(&[&whole[..], &[0]].concat()).is_err());
}

#[test]
fn versions_are_2_to_5() {
    for version in [0, 1, 6, 7, 255, u32::MAX] {
        let refused = decoded(|bytes| bytes[..4].copy_from_slice(&version.to_le_bytes()));
        assert_eq!(refused, Err(SnpFormatError::Report), "{version}");
    }
    for version in 2..=5 {
        let mut report = ForgedReport::new(Product::Genoa);
        report.version = version;
        let bytes = report.encode();
        let decoded = Report::decode(&bytes).unwrap();
        assert_eq!(decoded.version, version);
        let product = (version > 2).then_some(Product::Genoa);
        assert_eq!(decoded.product(), Ok(product));
    }
}

#[test]
fn reserved_bytes_are_zero() {
    let reserved = |version: u32| {
        let cpuid = if version == 2 { 0x188 } else { 0x18b };
        let end = if version == 5 { 0x208 } else { 0x1f8 };
        [
            0x04c..0x050,
            cpuid..0x1a0,
            0x1eb..0x1ec,
            0x1ef..0x1f0,
            end..0x2a0,
            0x330..REPORT_LENGTH,
        ]
    };
    for version in 2..=5 {
        let mut report = ForgedReport::new(Product::Milan);
        report.version = version;
        let bytes = report.encode();
        for offset in reserved(version).into_iter().flatten() {
            let mut altered = bytes.clone();
            altered[offset] = 1;
            let refused = Report::decode(&altered).map(drop);
            assert_eq!(refused, Err(SnpFormatError::Report), "{offset:#x}");
        }
    }
}

#[test]
fn signatures_are_ecdsa_p384_by_a_known_key() {
    let algorithm = decoded(|bytes| bytes[0x34] = 2);
    assert_eq!(algorithm, Err(SnpFormatError::Report));
    for key in 2..7 {
        let reserved = decoded(|bytes| bytes[0x48] = key << 2);
        assert_eq!(reserved, Err(SnpFormatError::Report), "{key}");
    }
    let unsigned = decoded(|bytes| bytes[0x48] = 7 << 2);
    assert_eq!(unsigned, Err(SnpFormatError::Unsigned));
    let bit = decoded(|bytes| bytes[0x48] = 1 << 5);
    assert_eq!(bit, Err(SnpFormatError::Report));
    let policy = decoded(|bytes| bytes[0x0a] = 1);
    assert_eq!(policy, Err(SnpFormatError::Report), "bit 17 of POLICY");
}

#[test]
fn a_signature_is_turned_round_and_its_padding_is_zero() {
    let mut bytes = good();
    bytes[0x2a0..0x330].fill(0);
    bytes[0x2a0] = 1;
    bytes[0x2a0 + 47] = 2;
    bytes[0x2e8] = 3;
    let signature = Report::decode(&bytes).unwrap().signature().unwrap();
    assert_eq!((signature[47], signature[0], signature[95]), (1, 2, 3));
    for padding in (0x2a0 + 48..0x2e8).chain(0x2e8 + 48..0x330) {
        let mut padded = bytes.clone();
        padded[padding] = 1;
        let decoded = Report::decode(&padded).unwrap();
        assert_eq!(decoded.signature(), None, "{padding:#x}");
    }
}

#[test]
fn turin_fills_8_bytes_of_its_chip_id() {
    let mut bytes = ForgedReport::new(Product::Turin).encode();
    let decoded = Report::decode(&bytes).unwrap();
    assert_eq!(decoded.hwid(Product::Turin).unwrap().len(), 8);
    bytes[0x1a0 + 8] = 1;
    let decoded = Report::decode(&bytes).unwrap();
    assert_eq!(decoded.hwid(Product::Turin), None);
    bytes[0x1a0..0x1e0].fill(0);
    let decoded = Report::decode(&bytes).unwrap();
    assert!(decoded.hides_chip());
    assert_eq!(decoded.hwid(Product::Turin), None);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), REPORT_LENGTH)) {
        let _ = Report::decode(&bytes);
    }

    #[test]
    fn an_encoded_report_is_decoded(
        version in 2u32..=5,
        guest_svn: u32,
        abi: u16,
        flags in 0u64..1 << 10,
        ids: [u8; 32],
        vmpl: u32,
        tcbs: [[u8; 8]; 4],
        platform_info: u64,
        report_data in proptest::collection::vec(any::<u8>(), 64),
        digests in proptest::collection::vec(any::<u8>(), 48 * 3 + 32 * 2 + 64),
    ) {
        let mut report = ForgedReport::new(Product::Milan);
        report.version = version;
        report.guest_svn = guest_svn;
        report.policy = u64::from(abi) | flags << 16 | 1 << 17;
        report.family_id = ids[..16].try_into().unwrap();
        report.image_id = ids[16..].try_into().unwrap();
        report.vmpl = vmpl;
        [report.current_tcb, report.reported_tcb, report.committed_tcb, report.launch_tcb] = tcbs;
        report.platform_info = platform_info;
        report.report_data = report_data[..].try_into().unwrap();
        report.measurement = digests[..48].try_into().unwrap();
        report.id_key_digest = digests[48..96].try_into().unwrap();
        report.author_key_digest = digests[96..144].try_into().unwrap();
        report.host_data = digests[144..176].try_into().unwrap();
        report.report_id = digests[176..208].try_into().unwrap();
        report.chip_id = digests[208..].try_into().unwrap();
        let bytes = report.encode();
        let decoded = Report::decode(&bytes).unwrap();
        prop_assert_eq!(decoded.version, version);
        prop_assert_eq!(decoded.guest_svn, guest_svn);
        prop_assert_eq!(decoded.policy.bits(), report.policy);
        prop_assert_eq!(decoded.family_id, report.family_id);
        prop_assert_eq!(decoded.image_id, report.image_id);
        prop_assert_eq!(decoded.vmpl, vmpl);
        prop_assert_eq!(decoded.current_tcb, tcbs[0]);
        prop_assert_eq!(decoded.reported_tcb, tcbs[1]);
        prop_assert_eq!(decoded.committed_tcb, tcbs[2]);
        prop_assert_eq!(decoded.launch_tcb, tcbs[3]);
        prop_assert_eq!(decoded.platform_info.bits(), platform_info);
        prop_assert_eq!(&decoded.report_data[..], &report_data[..]);
        prop_assert_eq!(decoded.measurement, report.measurement);
        prop_assert_eq!(decoded.id_key_digest, report.id_key_digest);
        prop_assert_eq!(decoded.author_key_digest, report.author_key_digest);
        prop_assert_eq!(decoded.host_data, report.host_data);
        prop_assert_eq!(decoded.report_id, report.report_id);
        prop_assert_eq!(decoded.chip_id, report.chip_id);
        prop_assert_eq!(decoded.bytes(), &bytes);
        prop_assert_eq!(decoded.signed(), &bytes[..0x2a0]);
    }
}
