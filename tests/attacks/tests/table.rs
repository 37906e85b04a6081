//! Every attack comes out as it must, and the page in `docs` says so.

use attacks::EXPECTED;

#[tokio::test]
async fn every_attack_comes_out_as_expected_and_as_written() {
    let rows = attacks::run().await;
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row.id, row.cells.each_ref().map(ToString::to_string)))
        .collect();
    let expected: Vec<_> = EXPECTED
        .iter()
        .map(|(id, cells)| (*id, cells.map(str::to_owned)))
        .collect();
    assert_eq!(found, expected);
    let committed = include_str!("../../../docs/attacks.md");
    assert!(
        attacks::page(&rows) == committed,
        "docs/attacks.md is not what the attacks give: cargo run -p attacks"
    );
}
