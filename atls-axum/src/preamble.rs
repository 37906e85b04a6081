//! What stands before TLS on a connection.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use atls_core::BoxFuture;
use tokio::net::TcpStream;

/// Reads what a load balancer sends before TLS, such as a header of the PROXY protocol.
///
/// It decides by `remote` whom it believes: whoever reaches the port can send such a header too. It runs beside other connections, and has
/// [`DEFAULT_FIRST_BYTE`](atls_core::limits::DEFAULT_FIRST_BYTE).
pub trait Preamble: fmt::Debug + Send + Sync + 'static {
    /// Reads it, and no byte of TLS, and says who the client is.
    ///
    /// # Errors
    /// Those of the socket, and where what stands there is wrong. The connection is closed then.
    fn read<'a>(
        &'a self,
        socket: &'a mut TcpStream,
        remote: SocketAddr,
    ) -> BoxFuture<'a, io::Result<SocketAddr>>;
}
