//! Genuine documents read as their makers mean them.

use atls_reference::corim;
use atls_reference::corim::Corim;
use atls_reference::corim::Field;
use atls_reference::corim::HashAlgorithm;
use atls_reference::corim::Id;
use atls_reference::corim::MeasuredElement;
use atls_reference::corim::Svn;
use test_support::at;
use test_support::hex;
use test_support::vectors;

use crate::documents::NOW;

#[test]
fn the_snp_corim_reads_as_its_maker_means_it() {
    let Some(corim) = genuine("corim-sevsnp-valid.cbor") else {
        return;
    };
    assert_eq!(corim.id(), "00000000-0000-0000-5596-0000000000001");
    assert_eq!(corim.profile(), Some("tag:amd.com,2024:snp-corim-profile"));
    assert_eq!(corim.left_out(), ["tag 1: attest-key-triples"]);
    assert_eq!(corim.expires_at(), None);
    let [reference] = corim.references() else {
        panic!("one triple");
    };
    let class = hex("2b060104019c780301");
    let Some(Id::Oid(oid)) = &reference.environment.class_id else {
        panic!("{reference:?}");
    };
    assert!(oid.starts_with(&class[..8]), "{oid:02x?}");
    assert!(matches!(&reference.environment.instance, Some(Id::Bytes(id)) if id.len() == 48));
    let by_number = |number| {
        let element = Some(MeasuredElement::Number(number));
        let mut measurements = reference.measurements.iter();
        measurements
            .find(|measurement| measurement.element == element)
            .unwrap()
    };
    assert_eq!(reference.measurements.len(), 18);
    assert_eq!(by_number(1).svn, Some(Svn::AtLeast(0)));
    assert_eq!(
        by_number(647).svn,
        Some(Svn::Exactly(6_059_311_823_650_291_722))
    );
    let version = by_number(3330).version.as_ref().unwrap();
    assert_eq!((&*version.text, version.scheme), ("1.55.8", Some(16384)));
    let raw = by_number(640).raw.as_ref().unwrap();
    assert_eq!((raw.value.len(), &raw.mask), (64, &None));
    let launch = by_number(641);
    assert_eq!(launch.says_only(&[Field::Digests]), Ok(()));
    let digest = launch.digest::<48>(&HashAlgorithm::Sha384).unwrap();
    assert!(digest.to_string().starts_with("7699e6ac12ccdfd1"));
    assert_eq!(launch.digest::<48>(&HashAlgorithm::Sha256), None);
    assert_eq!(launch.digest::<32>(&HashAlgorithm::Sha384), None);
}

#[test]
fn the_psa_corim_reads_as_its_maker_means_it() {
    let Some(corim) = genuine("corim-psa-valid.cbor") else {
        return;
    };
    assert_eq!(corim.profile(), Some("tag:arm.com,2025:psa#1.0.0"));
    let [reference] = corim.references() else {
        panic!("one triple");
    };
    let implementation = Id::Bytes(b"acme-implementation-id-000000001".to_vec());
    assert_eq!(reference.environment.class_id, Some(implementation));
    let component = MeasuredElement::Text("psa.software-component".to_owned());
    let names = reference.measurements.iter().map(|measurement| {
        assert_eq!(measurement.element, Some(component.clone()));
        let all = [Field::Digests, Field::KeyIds, Field::Name];
        assert_eq!(measurement.says_only(&all), Ok(()));
        assert_eq!(
            measurement.says_only(&[Field::Digests]).unwrap_err(),
            "cryptokeys, name would not be looked at".into()
        );
        assert_eq!(measurement.digests.len(), 1);
        assert_eq!(measurement.digests[0].algorithm, HashAlgorithm::Sha256);
        assert_eq!(measurement.key_ids[0].len(), 32);
        measurement.name.clone().unwrap()
    });
    assert_eq!(Vec::from_iter(names), ["BL", "PRoT", "ARoT"]);
}

#[test]
fn the_other_genuine_corims_read() {
    for (file, profile, triples, measurements) in [
        (
            "corim-cca-platform-valid.cbor",
            "tag:arm.com,2025:cca_platform#1.0.0",
            1,
            5,
        ),
        (
            "corim-cca-realm-valid.cbor",
            "tag:arm.com,2025:cca_realm#1.0.0",
            1,
            6,
        ),
        (
            "corim-enacttrust-valid.cbor",
            "https://enacttrust.com/veraison/1.0.0",
            1,
            1,
        ),
    ] {
        let Some(corim) = genuine(file) else { return };
        assert_eq!(corim.profile(), Some(profile), "{file}");
        assert_eq!(corim.references().len(), triples, "{file}");
        assert_eq!(
            corim.references()[0].measurements.len(),
            measurements,
            "{file}"
        );
        for measurement in &corim.references()[0].measurements {
            assert_eq!(measurement.further, [""; 0], "{file}");
        }
    }
}

#[test]
fn genuine_corims_cut_anywhere_are_errors_and_altered_anywhere_no_panics() {
    let Some(folder) = vectors() else { return };
    for file in ["corim-sevsnp-valid.cbor", "corim-psa-valid.cbor"] {
        let bytes = std::fs::read(folder.join("corim").join(file)).unwrap();
        for end in 0..bytes.len() {
            assert!(corim::unsigned(&bytes[..end], at(NOW)).is_err(), "{end}");
        }
        for position in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[position] ^= 0xff;
            let _ = corim::unsigned(&altered, at(NOW));
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(corim::unsigned(&longer, at(NOW)).is_err());
    }
}

fn genuine(file: &str) -> Option<Corim> {
    let bytes = std::fs::read(vectors()?.join("corim").join(file)).unwrap();
    Some(corim::unsigned(&bytes, at(NOW)).unwrap())
}
