//! `swtpm`: a TPM in software, behind sockets.
//!
//! Commands and responses go over the data channel as they are. The control channel (`swtpm_ioctls`(3)) switches the TPM on and off.
//! `swtpm` serves one client at a time and keeps the TPM's state while none is there, so each command has a connection of its own: nobody is kept
//! out in between, and no late response meets another command.

use std::io;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(unix)]
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use super::MAX_MESSAGE;
use super::TpmDevice;

/// The data channel of `swtpm socket`, without its option `--terminate`.
#[derive(Debug)]
pub struct Swtpm {
    address: Address,
    deadline: Duration,
}

/// The control channel of `swtpm socket`.
#[derive(Debug)]
pub struct SwtpmControl {
    address: Address,
    deadline: Duration,
}

#[derive(Clone, Debug)]
enum Address {
    Tcp(SocketAddr),
    #[cfg(unix)]
    Unix(PathBuf),
}

trait Socket: Read + Write + Send {
    /// Sets how long the next read or write may take.
    fn limit(&self, left: Duration) -> io::Result<()>;
}

/// A connection that ends at a time, however slowly the peer answers.
struct Stream {
    socket: Box<dyn Socket>,
    until: Instant,
}

impl Swtpm {
    /// A TPM at this address; it is connected to when it is needed.
    pub fn tcp(address: SocketAddr) -> Self {
        Self::at(Address::Tcp(address))
    }

    /// A TPM behind this socket of the file system.
    #[cfg(unix)]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::at(Address::Unix(path.into()))
    }

    /// How long one command and its response may take; 5 s unless set. A socket of the file system is connected to before.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Whether anybody listens.
    #[cfg(feature = "testing")]
    pub(crate) fn is_there(&self) -> bool {
        self.address.connect(self.deadline).is_ok()
    }

    fn at(address: Address) -> Self {
        Self {
            address,
            deadline: DEADLINE,
        }
    }
}

impl TpmDevice for Swtpm {
    fn transact(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = self.address.connect(self.deadline)?;
        exchange(&mut stream, command)
    }
}

impl SwtpmControl {
    /// The control channel at this address.
    pub fn tcp(address: SocketAddr) -> Self {
        Self::at(Address::Tcp(address))
    }

    /// The control channel behind this socket of the file system.
    #[cfg(unix)]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::at(Address::Unix(path.into()))
    }

    /// Switches the TPM on, or off and on again where it was on. It needs a `TPM2_Startup` then.
    ///
    /// # Errors
    /// Where nobody answers, or the answer is not one of success.
    pub fn init(&self) -> io::Result<()> {
        self.control(&[CMD_INIT.to_be_bytes(), [0; 4]].concat())
    }

    /// Switches the TPM off.
    ///
    /// # Errors
    /// As [`init`](Self::init).
    pub fn stop(&self) -> io::Result<()> {
        self.control(&CMD_STOP.to_be_bytes())
    }

    /// Ends the process.
    ///
    /// # Errors
    /// As [`init`](Self::init).
    pub fn shut_down(&self) -> io::Result<()> {
        self.control(&CMD_SHUTDOWN.to_be_bytes())
    }

    /// Whether anybody listens.
    #[cfg(all(unix, feature = "testing"))]
    pub(crate) fn is_there(&self) -> bool {
        self.address.connect(self.deadline).is_ok()
    }

    fn at(address: Address) -> Self {
        Self {
            address,
            deadline: DEADLINE,
        }
    }

    fn control(&self, command: &[u8]) -> io::Result<()> {
        let mut stream = self.address.connect(self.deadline)?;
        stream.write_all(command)?;
        let mut result = [0; 4];
        stream.read_exact(&mut result)?;
        match u32::from_be_bytes(result) {
            0 => Ok(()),
            code => Err(io::Error::other(format!("swtpm says {code:#x}"))),
        }
    }
}

impl Address {
    fn connect(&self, deadline: Duration) -> io::Result<Stream> {
        let until = Instant::now().checked_add(deadline);
        let until = until.ok_or(io::ErrorKind::InvalidInput)?;
        let socket: Box<dyn Socket> = match self {
            Self::Tcp(address) => {
                let stream = TcpStream::connect_timeout(address, deadline)?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            #[cfg(unix)]
            Self::Unix(path) => Box::new(UnixStream::connect(path)?),
        };
        Ok(Stream { socket, until })
    }
}

impl Stream {
    fn limit(&self) -> io::Result<()> {
        match self.until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            left => self.socket.limit(left),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.limit()?;
        self.socket.read(buffer).map_err(timed_out)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.limit()?;
        self.socket.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

impl Socket for TcpStream {
    fn limit(&self, left: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(left))?;
        self.set_write_timeout(Some(left))
    }
}

#[cfg(unix)]
impl Socket for UnixStream {
    fn limit(&self, left: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(left))?;
        self.set_write_timeout(Some(left))
    }
}

/// A response says in its header how long it is.
fn exchange(stream: &mut Stream, command: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(command)?;
    let mut header = [0; 10];
    stream.read_exact(&mut header)?;
    let [_, _, size @ .., _, _, _, _] = header;
    let size = usize::try_from(u32::from_be_bytes(size)).unwrap_or(usize::MAX);
    if size > MAX_MESSAGE {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // In one piece, which the caller clears: it may hold a secret.
    let mut response = vec![0; size];
    let parts = response.split_first_chunk_mut();
    let (start, rest) = parts.ok_or(io::ErrorKind::InvalidData)?;
    *start = header;
    stream.read_exact(rest)?;
    Ok(response)
}

/// Linux says `WouldBlock` of a read that took too long.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

/// Longer than any command of a TPM in software takes, and less than a connection has.
const DEADLINE: Duration = Duration::from_secs(5);

/// `CMD_INIT`, `CMD_SHUTDOWN` and `CMD_STOP` of `swtpm_ioctls`(3).
const CMD_INIT: u32 = 2;
const CMD_SHUTDOWN: u32 = 3;
const CMD_STOP: u32 = 14;
