//! Both ends of a TLS connection, in memory.

use std::error::Error;
use std::ops::DerefMut;
use std::sync::Arc;

use atls_core::ProtocolError;
use atls_core::exchange::Challenge;
use atls_core::session::Handshake;
use atls_core::session::Session;
use demo::Authority;
use rustls::ClientConnection;
use rustls::ConnectionCommon;
use rustls::ServerConnection;
use rustls::SideData;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;

/// A connection after its handshake. In a service this is what `atls-tower` does over sockets.
pub(crate) struct Connection {
    client: End<ClientConnection>,
    server: End<ServerConnection>,
}

impl Connection {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let authority = Authority::new()?;
        let issued = authority.issue()?;
        let identity = CertifiedKey::from_der(
            issued.chain.clone(),
            issued.key.clone_key(),
            &demo::provider(),
        )?;
        let name = ServerName::try_from("localhost")?;
        let mut client = ClientConnection::new(Arc::new(authority.client(&[])?), name)?;
        let mut server = ServerConnection::new(Arc::new(issued.server()?))?;
        while client.is_handshaking() || server.is_handshaking() {
            carry(&mut client, &mut server)?;
            carry(&mut server, &mut client)?;
        }
        Ok(Self {
            client: End {
                handshake: Handshake::client(&client, None)?,
                connection: client,
            },
            server: End {
                handshake: Handshake::server(&server, Arc::new(identity))?,
                connection: server,
            },
        })
    }

    /// The client's challenge to the server.
    pub(crate) fn challenge(&self) -> Result<Challenge, ProtocolError> {
        let (request, _pending) =
            atls_core::exchange::request(&self.client, &demo::provider(), None)?;
        Challenge::receive(&self.server, &request)
    }
}

struct End<C> {
    handshake: Handshake,
    connection: C,
}

impl<C, D> Session for End<C>
where
    C: DerefMut<Target = ConnectionCommon<D>> + Send,
    D: SideData,
{
    fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    fn export(&self, label: &[u8], context: &[u8], output: &mut [u8]) -> Result<(), ProtocolError> {
        self.connection
            .export_keying_material(output, label, Some(context))
            .map(drop)
            .map_err(|_| ProtocolError::Export)
    }
}

/// Carries what one end wants to send to the other.
fn carry<A: SideData, B: SideData>(
    from: &mut ConnectionCommon<A>,
    to: &mut ConnectionCommon<B>,
) -> Result<(), Box<dyn Error>> {
    let mut wire = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut wire)?;
    }
    let mut unread = wire.as_slice();
    while !unread.is_empty() {
        to.read_tls(&mut unread)?;
        to.process_new_packets()?;
    }
    Ok(())
}
