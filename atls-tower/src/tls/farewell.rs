//! The end of a TLS connection that its peer must hear of.

use atls_core::limits::MAX_FAREWELL;
use atls_core::limits::MAX_FRAME;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;

/// Ends a connection so that its peer receives everything sent to it: sends `close_notify`, then reads and drops the rest
/// of the peer's bytes. Closing a socket with unread bytes would reset it, and the peer could lose data under way.
pub(crate) async fn farewell<S>(stream: &mut S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let limit = u64::try_from(MAX_FRAME).unwrap_or(u64::MAX);
    let ending = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(limit), &mut tokio::io::sink()).await
    };
    // The connection ends either way.
    let _ = tokio::time::timeout(MAX_FAREWELL, ending).await;
}
