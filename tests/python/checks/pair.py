"""Both ends of the Python peer, over a pair of sockets."""

import socket
import tempfile
import threading

from atls_peer import client, identity, server, tls
from atls_peer.end import End
from atls_peer.sim import Device

DEVICES = {"client": Device(), "server": Device()}


def end(kind: str = "p256", **settings) -> tuple[End, bytes]:
    key, certificate = identity.make(kind, "localhost")
    return End(key, [certificate], **settings), certificate


def run(ours: End, theirs: End, certificate: bytes, suite: str = "sha384", client_exchange=client.exchange):
    """The outcome of client and server, each an exchange or the exception that ended it."""
    outcomes = {}
    near, far = socket.socketpair()

    def serve():
        outcomes["server"] = attempt(lambda: tls.accept(far, tls.server_context(theirs.key, certificate, [suite])), server.exchange, theirs)

    thread = threading.Thread(target=serve)
    thread.start()
    with tempfile.NamedTemporaryFile() as authorities:
        authorities.write(identity.pem(certificate))
        authorities.flush()
        outcomes["client"] = attempt(lambda: tls.connect(near, "localhost", authorities.name, [suite]), client_exchange, ours)
    thread.join()
    return outcomes["client"], outcomes["server"]


def attempt(connect, exchange, end: End):
    channel = None
    try:
        channel = connect()
        return exchange(channel, end).outcome
    except Exception as error:  # the outcome is what the check is about
        return error
    finally:
        if channel is not None:
            channel.close()
