//! The program's arguments.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[test]
fn it_teaches_and_refuses_what_it_does_not_know() {
    let directory = "https://acme.example/directory";
    let unknown = [
        &[][..],
        &["--listen"],
        &[directory, "roots.pem"],
        &["--listen", "127.0.0.1:443", directory, "roots.pem"],
        &[directory, "roots.pem", "a.example", "no name"],
        &[directory, "roots.pem", "*.example"],
        &["no URL", "roots.pem", "a.example"],
    ];
    demo::testing::teaches_and_refuses(env!("CARGO_BIN_EXE_acme"), &unknown).unwrap();
}
