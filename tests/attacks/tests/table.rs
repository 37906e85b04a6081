//! Every attack comes out as it must, and the page in `docs` says so.

use attacks::Cell;

#[tokio::test]
async fn every_attack_comes_out_as_expected_and_as_written() {
    let mut rows = attacks::run().await;
    let nothing: [String; 0] = [];
    assert_eq!(attacks::unexpected(&rows), nothing);
    let committed = include_str!("../../../docs/attacks.md");
    assert!(
        attacks::page(&rows) == committed,
        "docs/attacks.md is not what the attacks give: cargo run -p attacks"
    );

    // The complaints if one came out otherwise, and if one were left out.
    let first = rows.first_mut().unwrap();
    first.cells[2] = Cell::Succeeds;
    rows.pop();
    assert_eq!(attacks::unexpected(&rows).len(), 2);
}
