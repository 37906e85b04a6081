//! The short form of every scenario: the program judges, and says what broke.

use std::process::Command;

#[test]
fn load_hostile_peers_and_ends_leave_nothing_behind() {
    let ran = Command::new(env!("CARGO_BIN_EXE_reliability"))
        .args(["--quick", "all"])
        .status();
    assert!(ran.is_ok_and(|status| status.success()));
}
