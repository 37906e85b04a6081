use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::pem::PemObject;

use super::*;

#[test]
fn the_constants_are_amds_certificates() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let folder = folder.join("snp");
    let roots = Roots::amd();
    for (product, key, file) in [
        (Product::Milan, SigningKey::Vcek, "ask_ark_milan.pem"),
        (Product::Milan, SigningKey::Vlek, "ask_ark_milan_vlek.pem"),
        (Product::Genoa, SigningKey::Vcek, "ask_ark_genoa.pem"),
        (Product::Genoa, SigningKey::Vlek, "ask_ark_genoa_vlek.pem"),
        (Product::Turin, SigningKey::Vcek, "ask_ark_turin_vcek.pem"),
        (Product::Turin, SigningKey::Vlek, "ask_ark_turin_vlek.pem"),
    ] {
        let chain = CertificateDer::pem_file_iter(folder.join(file)).unwrap();
        let chain: Vec<_> = chain.collect::<Result<_, _>>().unwrap();
        let anchor = roots.anchor(product).unwrap();
        let expected = [anchor.intermediate(key).unwrap(), &anchor.ark];
        assert_eq!(chain.len(), expected.len());
        for (der, expected) in chain.iter().zip(expected) {
            let certificate = Certificate::decode(der).unwrap();
            let found = Authority::of(&certificate).unwrap();
            assert_eq!(found.common_name, expected.common_name);
            assert_eq!(found.validity, expected.validity);
            assert!(found.serial == expected.serial, "{file}");
            assert!(found.key == expected.key, "{file}");
            assert_eq!(certificate.verify(&anchor.ark.key), Ok(()));
        }
        assert_eq!(anchor.intermediate_name(key), expected[0].common_name);
        assert_eq!(ark_name(product), expected[1].common_name);
    }
}

#[test]
fn another_root_than_amds_is_simulated() {
    let platform = crate::testing::ForgedSnp::new(Product::Milan).unwrap();
    let roots = Roots::from(platform.root().unwrap());
    assert_eq!(roots.origin(), Origin::Simulated);
    assert!(roots.anchor(Product::Genoa).is_err());
    assert_eq!(Roots::amd().origin(), Origin::Device);
    let no_root = SnpRoot::decode(&platform.ask.certificate());
    assert_eq!(no_root.unwrap_err(), AppraisalError::UnknownKey);
}
