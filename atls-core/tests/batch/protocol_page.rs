//! The example of docs/protocol.md.

use atls_core::cmw::Cmw;
use atls_core::exchange::batch::InclusionProof;

use crate::connections::BATCH;
use crate::connections::Connection;
use crate::connections::cbor_proof;
use crate::connections::collection;
use crate::connections::leaf;
use crate::connections::node;

#[test]
fn the_example_of_the_protocol_page_is_what_the_code_gives() {
    let page = include_str!("../../../docs/protocol.md");
    // A line `name = hex`, lines of hex below it that are indented, and no more.
    let value = |name: &str| {
        let mut lines = page
            .lines()
            .skip_while(|line| !line.starts_with(&format!("{name} ")));
        let (_, first) = lines.next().unwrap().split_once("= ").unwrap();
        let further = lines.take_while(|line| line.starts_with(' '));
        let digits = std::iter::once(first)
            .chain(further)
            .flat_map(str::split_whitespace);
        test_support::hex(&digits.collect::<String>())
    };
    let binders = ["binder 0", "binder 1", "binder 2"].map(value);
    assert_eq!(binders.each_ref().map(Vec::len), [32, 48, 32]);
    let leaves = binders.each_ref().map(|binder| leaf(binder));
    assert_eq!(leaves[0][..], value("leaf 0"));
    assert_eq!(leaves[1][..], value("leaf 1"));
    assert_eq!(leaves[2][..], value("leaf 2"));
    let inner = node(&leaves[0], &leaves[1]);
    assert_eq!(inner[..], value("node 01"));
    let root = node(&inner, &leaves[2]);
    assert_eq!(root[..], value("root"));

    let path_of_1 = [leaves[0], leaves[2]].concat();
    assert_eq!(cbor_proof(1, 3, &path_of_1), value("proof 1"));
    assert_eq!(cbor_proof(2, 3, &inner), value("proof 2"));
    for name in ["proof 1", "proof 2"] {
        assert_eq!(
            InclusionProof::decode(&value(name)).unwrap().encode(),
            value(name)
        );
    }
    let evidence = Cmw::evidence("application/x-evidence".parse().unwrap(), root.to_vec());
    assert_eq!(
        collection(&evidence, &value("proof 2")),
        value("cmw_data 2")
    );
    // A relying party takes it, and does what the page says with a binder of its own.
    let connection = Connection::new();
    let expected = node(&inner, &leaf(&connection.bound()));
    let credential = connection.presented(&value("cmw_data 2"), BATCH).unwrap();
    assert_eq!(credential.bound().as_bytes(), expected);
    assert_eq!(credential.cmw(), &evidence);
}
