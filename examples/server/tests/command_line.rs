//! The program's arguments.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[test]
fn it_teaches_and_refuses_what_it_does_not_know() {
    let unknown = [&["--port", "1"][..], &["a", "b"], &["a", "--slow"]];
    demo::testing::teaches_and_refuses(env!("CARGO_BIN_EXE_server"), &unknown).unwrap();
}
