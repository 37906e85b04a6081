"""Both ends of the Python peer, over a pair of sockets."""

import socket
import tempfile
import threading

from atls_peer import client, identity, server, tls
from atls_peer.end import End
from atls_peer.sim import Device

DEVICES = {"client": Device(), "server": Device()}


def end(kind: str = "p256", **settings) -> End:
    key, certificate = identity.make(kind, "localhost")
    return End(key, [certificate], **settings)


def run(ours: End, theirs: End, suite: str = "sha384", presented=None, handshake=None, client_exchange=client.exchange):
    """
    The outcome of client and server, each an exchange or the exception that ended it. `presented` is the key and certificate of a
    client in the handshake, `handshake` those of the server where they are not those of its authenticators.
    """
    near, far = socket.socketpair()
    outcomes = {}
    with tempfile.NamedTemporaryFile() as servers:
        key, certificate = handshake or (theirs.key, theirs.chain[0])
        written(servers, certificate)
        asks = presented is not None
        made = tls.server_context(key, certificate, [suite], asks)

        def serve():
            outcomes["server"] = attempt(lambda: tls.accept(far, made), server.exchange, theirs)

        thread = threading.Thread(target=serve)
        thread.start()
        connect = lambda: tls.connect(near, "localhost", servers.name, [suite], presented=presented)
        outcomes["client"] = attempt(connect, client_exchange, ours)
        thread.join()
    return outcomes["client"], outcomes["server"]


def written(file, certificate: bytes) -> str:
    file.write(identity.pem(certificate))
    file.flush()
    return file.name


def attempt(connect, exchange, this: End):
    channel = None
    try:
        channel = connect()
        return exchange(channel, this).outcome
    except Exception as error:  # the outcome is what the check is about
        return error
    finally:
        if channel is not None:
            channel.close()
