//! The PROXY protocol: what a load balancer says of the client, before TLS.
//!
//! <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>, versions 1 and 2. It is not authenticated, so it is read from
//! configured addresses alone, and there it must stand.

use std::io;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;

use atls_axum::Preamble;
use atls_core::BoxFuture;
use ipnet::IpNet;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Load balancers that say who the client is.
#[derive(Debug)]
pub(super) struct Balancers(Vec<IpNet>);

impl Balancers {
    pub(super) fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    fn include(&self, address: IpAddr) -> bool {
        // A socket for both has addresses of IPv4 in those of IPv6.
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl Preamble for Balancers {
    fn read<'a>(
        &'a self,
        socket: &'a mut TcpStream,
        remote: SocketAddr,
    ) -> BoxFuture<'a, io::Result<SocketAddr>> {
        Box::pin(async move {
            if !self.include(remote.ip()) {
                return Ok(remote);
            }
            Ok(read(socket).await?.unwrap_or(remote))
        })
    }
}

/// Reads the header and not a byte more. There is no client where the balancer speaks for itself, as for its health checks.
pub(super) async fn read<R: AsyncRead + Unpin>(socket: &mut R) -> io::Result<Option<SocketAddr>> {
    let mut start = [0; SIGNATURE.len()];
    socket.read_exact(&mut start).await?;
    match start == SIGNATURE {
        true => binary(socket).await,
        false => text(&start, socket).await,
    }
}

/// Version 2: command, family, length, addresses, and extensions, which are passed over.
async fn binary<R: AsyncRead + Unpin>(socket: &mut R) -> io::Result<Option<SocketAddr>> {
    let [command, family] = [socket.read_u8().await?, socket.read_u8().await?];
    let length = socket.read_u16().await?;
    if length > MAX_BINARY {
        return Err(wrong());
    }
    let mut rest = vec![0; length.into()];
    socket.read_exact(&mut rest).await?;
    match (command, family) {
        (0x20, _) => Ok(None),
        (0x21, 0x11) => {
            let (addresses, _) = rest.split_first_chunk::<12>().ok_or_else(wrong)?;
            let [a, b, c, d, _, _, _, _, high, low, _, _] = *addresses;
            let port = u16::from_be_bytes([high, low]);
            Ok(Some((Ipv4Addr::new(a, b, c, d), port).into()))
        }
        (0x21, 0x21) => {
            let (source, rest) = rest.split_first_chunk::<16>().ok_or_else(wrong)?;
            let (_, rest) = rest.split_first_chunk::<16>().ok_or_else(wrong)?;
            let ([high, low, _, _], _) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
            let port = u16::from_be_bytes([*high, *low]);
            Ok(Some((Ipv6Addr::from(*source), port).into()))
        }
        // A client that is not reached over TCP, such as one on a Unix socket.
        (0x21, 0x00 | 0x12 | 0x22 | 0x31 | 0x32) => Ok(None),
        _ => Err(wrong()),
    }
}

/// Version 1: one line of at most 107 bytes.
async fn text<R: AsyncRead + Unpin>(
    start: &[u8],
    socket: &mut R,
) -> io::Result<Option<SocketAddr>> {
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() >= MAX_LINE || !line.starts_with(b"PROXY ") {
            return Err(wrong());
        }
        line.push(socket.read_u8().await?);
    }
    let line = std::str::from_utf8(&line).map_err(|_| wrong())?;
    let words: Vec<_> = line.trim_end_matches("\r\n").split(' ').collect();
    match words[..] {
        ["PROXY", "UNKNOWN", ..] => Ok(None),
        ["PROXY", family, from, to, from_port, to_port] => {
            let from = end(family, from, from_port).ok_or_else(wrong)?;
            end(family, to, to_port).ok_or_else(wrong)?;
            Ok(Some(from))
        }
        _ => Err(wrong()),
    }
}

/// An address of this family, and a port without sign and leading zeros.
fn end(family: &str, address: &str, port: &str) -> Option<SocketAddr> {
    let address: IpAddr = address.parse().ok()?;
    let number: u16 = port.parse().ok()?;
    let fits = match address {
        IpAddr::V4(_) => family == "TCP4",
        IpAddr::V6(_) => family == "TCP6",
    };
    (fits && number.to_string() == port).then(|| (address, number).into())
}

fn wrong() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "no header of the PROXY protocol",
    )
}

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Bytes, with the end of the line.
const MAX_LINE: usize = 107;

/// Bytes after the fixed part. Balancers send up to some hundred.
const MAX_BINARY: u16 = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    /// The client that is understood, and the number of bytes that are left.
    fn parse(bytes: &[u8]) -> (Option<Option<SocketAddr>>, usize) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let mut rest = bytes;
        let read = runtime.block_on(read(&mut rest));
        (read.ok(), rest.len())
    }

    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    fn client(text: &str) -> (Option<Option<SocketAddr>>, usize) {
        (Some(Some(text.parse().unwrap())), 3)
    }

    #[test]
    fn each_version_and_family_is_read_and_not_a_byte_more() {
        let four = [192, 0, 2, 1, 198, 51, 100, 1, 0x12, 0x34, 0, 80];
        let mut six = [0; 36];
        six[..4].copy_from_slice(&[0x20, 1, 0x0d, 0xb8]);
        six[32..34].copy_from_slice(&[0x12, 0x34]);
        let with_extension = [&four[..], &[4, 0, 1, 0]].concat();
        for (header, expected) in [
            (binary(0x21, 0x11, &four), "192.0.2.1:4660"),
            (binary(0x21, 0x11, &with_extension), "192.0.2.1:4660"),
            (binary(0x21, 0x21, &six), "[2001:db8::]:4660"),
            (
                b"PROXY TCP4 192.0.2.1 198.51.100.1 4660 80\r\n".to_vec(),
                "192.0.2.1:4660",
            ),
            (
                b"PROXY TCP6 2001:db8:: ::1 4660 80\r\n".to_vec(),
                "[2001:db8::]:4660",
            ),
        ] {
            let read = parse(&[&header[..], b"TLS"].concat());
            assert_eq!(read, client(expected));
            for length in 0..header.len() {
                assert_eq!(parse(&header[..length]).0, None, "{length}");
            }
        }
    }

    #[test]
    fn a_balancer_that_speaks_for_itself_names_no_client() {
        for header in [
            binary(0x20, 0, &[]),
            binary(0x21, 0x31, &[0; 216]),
            b"PROXY UNKNOWN\r\n".to_vec(),
        ] {
            assert_eq!(parse(&header), (Some(None), 0));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let long = [&b"PROXY TCP4 "[..], &[b'1'; 200], b"\r\n"].concat();
        for header in [
            binary(0x31, 0x11, &[0; 12]),
            binary(0x22, 0x11, &[0; 12]),
            binary(0x21, 0x11, &[0; 11]),
            binary(0x21, 0x21, &[0; 35]),
            binary(0x21, 0x11, &[0; 4096]),
            binary(0x21, 0x41, &[0; 12]),
            b"PROXY TCP4 192.0.2.1 198.51.100.1 +4660 80\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 198.51.100.1 04660 80\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 198.51.100.1 4660 +80\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 198.51.100.1 4660 99999\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 nowhere 4660 80\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 ::1 4660 80\r\n".to_vec(),
            b"PROXY TCP4 2001:db8:: ::1 4660 80\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 198.51.100.1 99999 80\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 198.51.100.1 4660 80 x\r\n".to_vec(),
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\0\0".to_vec(),
            long,
        ] {
            assert_eq!(parse(&header).0, None, "{header:?}");
        }
    }

    #[test]
    fn only_configured_addresses_are_believed() {
        let balancers = Balancers::new(vec!["10.0.0.0/8".parse().unwrap()]);
        assert!(balancers.include("10.1.2.3".parse().unwrap()));
        assert!(balancers.include("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!balancers.include("11.1.2.3".parse().unwrap()));
        assert!(!balancers.include("::1".parse().unwrap()));
    }
}
