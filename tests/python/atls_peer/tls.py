"""TLS 1.3 (§1) by pyOpenSSL, over a socket with one deadline for everything."""

import socket
import time

from OpenSSL import SSL, crypto

from .der import subject_public_key_info
from .errors import Refused

SUITES = {"sha256": "TLS_AES_128_GCM_SHA256", "sha384": "TLS_AES_256_GCM_SHA384", "chacha": "TLS_CHACHA20_POLY1305_SHA256"}


class Channel:
    """One TLS connection whose handshake is complete and as §1 wants it."""

    def __init__(self, tls: SSL.Connection, wire: socket.socket, seconds: float):
        self.tls, self.wire, self.ends = tls, wire, time.monotonic() + seconds
        self.unread = b""
        self.run(tls.do_handshake)
        if tls.get_protocol_version_name() != "TLSv1.3" or SSL._lib.SSL_session_reused(tls._ssl):
            raise Refused("§1", "not a full handshake of TLS 1.3")
        self.hash = "sha384" if tls.get_cipher_name().endswith("SHA384") else "sha256"
        presented = tls.get_peer_certificate()
        self.peer_spki = None
        if presented is not None:
            self.peer_spki = subject_public_key_info(crypto.dump_certificate(crypto.FILETYPE_ASN1, presented))

    def exporter(self, label: bytes, context: bytes, length: int) -> bytes:
        return self.tls.export_keying_material(label, length, context)

    def write(self, data: bytes):
        while data:
            data = data[self.run(lambda: self.tls.send(data)) :]

    def read(self, count: int) -> bytes:
        """Exactly so many bytes."""
        while len(self.unread) < count:
            more = self.receive()
            if not more:
                raise Refused("§8", "the peer closed the connection")
            self.unread += more
        taken, self.unread = self.unread[:count], self.unread[count:]
        return taken

    def read_some(self) -> bytes:
        """Whatever comes next, or nothing at the end."""
        taken, self.unread = self.unread, b""
        return taken or self.receive()

    def receive(self) -> bytes:
        """OpenSSL keeps to itself what else TLS sends, such as a ticket, which is discarded."""
        try:
            return self.run(lambda: self.tls.recv(16_384))
        except (SSL.ZeroReturnError, SSL.SysCallError, ConnectionError):
            return b""

    def ahead(self) -> bool:
        """Whether the peer sent more than was read, as far as it has arrived."""
        self.wire.settimeout(0)
        try:
            if received := self.wire.recv(65_536):
                self.tls.bio_write(received)
        except (BlockingIOError, ConnectionError):
            pass
        try:
            self.unread += self.tls.recv(16_384)
        except SSL.Error:
            pass
        return self.unread != b""

    def close(self):
        try:
            self.tls.shutdown()
            self.flush()
        except (SSL.Error, OSError):
            pass
        self.wire.close()

    def run(self, operation):
        """Does it, and moves bytes between TLS and the socket for as long as it needs more."""
        while True:
            try:
                result = operation()
                self.flush()
                return result
            except SSL.WantReadError:
                self.flush()
                self.wait()
                received = self.wire.recv(65_536)
                if not received:
                    self.tls.bio_shutdown()
                else:
                    self.tls.bio_write(received)

    def flush(self):
        while True:
            try:
                data = self.tls.bio_read(65_536)
            except SSL.WantReadError:
                return
            self.wait()
            self.wire.sendall(data)

    def wait(self):
        left = self.ends - time.monotonic()
        if left <= 0:
            raise Refused("§9", "the deadline passed")
        self.wire.settimeout(left)


def context(method, suites: list[str]) -> SSL.Context:
    made = SSL.Context(method)
    made.set_min_proto_version(SSL.TLS1_3_VERSION)
    made.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    if SSL._lib.SSL_CTX_set_ciphersuites(made._context, ":".join(SUITES[name] for name in suites).encode()) != 1:
        raise ValueError("the suites cannot be set")
    return made


def connect(wire: socket.socket, name: str, authorities: str, suites: list[str], seconds: float = 10, presented=None) -> Channel:
    """`presented` is the key and certificate of a client that has one in the handshake."""
    made = context(SSL.TLS_CLIENT_METHOD, suites)
    if presented is not None:
        use(made, *presented)
    made.load_verify_locations(authorities)
    made.set_verify(SSL.VERIFY_PEER, lambda _tls, _cert, _error, _depth, ok: bool(ok))
    made.set_alpn_protos([b"http/1.1"])
    tls = SSL.Connection(made, None)
    tls.set_connect_state()
    tls.set_tlsext_host_name(name.encode())
    if SSL._lib.X509_VERIFY_PARAM_set1_host(SSL._lib.SSL_get0_param(tls._ssl), name.encode(), len(name)) != 1:
        raise ValueError("the name cannot be set")
    return Channel(tls, wire, seconds)


def accept(wire: socket.socket, made: SSL.Context, seconds: float = 10) -> Channel:
    tls = SSL.Connection(made, None)
    tls.set_accept_state()
    return Channel(tls, wire, seconds)


def server_context(key, certificate: bytes, suites: list[str], asks: bool = False) -> SSL.Context:
    """One that asks clients for a certificate takes any, or none: its names mean nothing here, and its key is proven."""
    made = context(SSL.TLS_SERVER_METHOD, suites)
    use(made, key, certificate)
    if asks:
        made.set_verify(SSL.VERIFY_PEER, lambda _tls, _cert, _error, _depth, _ok: True)
    made.set_alpn_select_callback(lambda _tls, names: b"http/1.1" if b"http/1.1" in names else SSL.NO_OVERLAPPING_PROTOCOLS)
    return made


def use(made: SSL.Context, key, certificate: bytes):
    made.use_privatekey(crypto.PKey.from_cryptography_key(key))
    made.use_certificate(crypto.load_certificate(crypto.FILETYPE_ASN1, certificate))
