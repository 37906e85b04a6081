//! Exporters and binders.

use atls_core::exchange::Challenge;
use atls_core::session::ExporterSecret;
use vectors::Hex;
use vectors::binder;
use vectors::exporter;

use crate::ends;
use crate::load;

#[test]
fn the_exporter_gives_every_output() {
    let page: exporter::Page = load("exporter.json");
    assert!(!page.cases.is_empty());
    for provider in ends::providers() {
        for case in &page.cases {
            let suite = ends::suite(&provider, &case.suite);
            let secret = ExporterSecret::new(suite, &case.exporter_secret).unwrap();
            let mut output = vec![0; case.length];
            let label = case.label.as_bytes();
            secret.export(label, &case.context, &mut output).unwrap();
            assert_eq!(Hex(output), case.output, "{}", case.name);
        }
    }
}

#[test]
fn the_exporter_secret_is_that_of_rfc_8448() {
    let page: exporter::Page = load("exporter.json");
    let printed = "fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50";
    assert_eq!(page.secrets[0].exporter_secret.to_string(), printed);
    let used = page
        .cases
        .iter()
        .filter(|case| case.exporter_secret.to_string() == printed);
    assert!(used.count() > 0);
}

#[test]
fn attesters_are_given_every_binder() {
    let page: binder::Page = load("binder.json");
    assert!(!page.cases.is_empty());
    for provider in ends::providers() {
        for case in &page.cases {
            let (secret, attester) = (&case.exporter_secret, case.attester);
            let end = ends::answerer(&provider, &case.suite, secret, attester, &case.key);
            let challenge = Challenge::receive(&end, &case.request).unwrap();
            let to_attest = challenge.to_attest().unwrap();
            let bound = to_attest.bound();
            assert_eq!(Hex::from(bound.as_bytes()), case.binder, "{}", case.name);
            assert_eq!(Hex::from(to_attest.leaf_key()), case.public_key);
            assert_eq!(Hex::from(bound.sha256().bytes()), case.sha256_of_binder);
            assert_eq!(Hex::from(bound.sha512().bytes()), case.sha512_of_binder);
        }
    }
}
