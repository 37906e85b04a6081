//! Any bytes as a header of the PROXY protocol. What was read leaves the bytes behind it; a client's address is of the text, or of the
//! family that the header names.
#![no_main]
#![allow(dead_code, reason = "the proxy uses more of it")]

use std::net::SocketAddr;

use test_support::ready;

#[path = "../../atls-cli/src/proxy/preamble.rs"]
mod preamble;

atls_fuzz::target!(|bytes: &[u8]| {
    let mut rest = bytes;
    let Ok(client) = ready(preamble::read(&mut rest)) else {
        return;
    };
    let header = &bytes[..bytes.len() - rest.len()];
    assert!(bytes.ends_with(rest) && header.len() <= 16 + 2048);
    match (client, header.starts_with(b"PROXY ")) {
        (Some(client), true) => {
            assert!(header.len() <= 107 && header.ends_with(b"\r\n"));
            let text = std::str::from_utf8(header).expect("a line");
            let stated = |part: usize| text.split(' ').nth(part).expect("a word");
            assert_eq!(Ok(client.ip()), stated(2).parse());
            assert_eq!(Ok(client.port()), stated(4).parse());
        }
        (Some(SocketAddr::V4(_)), false) => assert_eq!(header[13], 0x11),
        (Some(SocketAddr::V6(_)), false) => assert_eq!(header[13], 0x21),
        (None, _) => {}
    }
});
