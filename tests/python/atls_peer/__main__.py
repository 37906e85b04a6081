"""`python3 -m atls_peer client …`, `… server …`, `… keys …`: says in one line of JSON how each connection went."""

import argparse
import json
import socket
import sys
import threading
from pathlib import Path

from . import client, http, identity, server, tls
from .end import End
from .errors import Refused, Rejected
from .sim import Device

REFUSED = 2
FAILURES = (Refused, Rejected, tls.SSL.Error, OSError, ValueError)


def main() -> int:
    arguments = parse()
    try:
        return arguments.run(arguments)
    except FAILURES as error:
        tell(failure(error))
        return REFUSED


def parse():
    parser = argparse.ArgumentParser(prog="atls_peer", description=__doc__)
    commands = parser.add_subparsers(required=True)
    ask = ends(commands.add_parser("client", help="asks a server, once"), run_client)
    ask.add_argument("--ca", required=True, help="the authorities of the server's certificate, in PEM")
    ask.add_argument("--name", default="localhost", help="of the server's certificate")
    ask.add_argument("--present", help="a certificate and key for the handshake, FILE.pem and FILE.key")
    ask.add_argument("--path", default="/", help="what to ask for")
    ask.add_argument("--connections", type=int, default=1, help="how many at a time")
    ask.add_argument("--again", action="store_true", help="one after the other, until nobody listens")
    serve = ends(commands.add_parser("server", help="serves until it is killed"), run_server)
    serve.add_argument("--identity", help="its certificate and key, FILE.pem and FILE.key, instead of new ones")
    serve.add_argument("--ask-certificate", action="store_true", help="ask clients for a certificate in the handshake, and take any")
    serve.add_argument("--cert", help="where to write its certificate, in PEM")
    serve.add_argument("--ask", action="store_true", help="ask clients to attest, and serve the others too")
    keys = commands.add_parser("keys", help="writes certificates and keys of each kind, and two devices")
    keys.add_argument("folder")
    keys.set_defaults(run=run_keys)
    return parser.parse_args()


def ends(parser, run):
    parser.add_argument("address", help="HOST:PORT to go to, or to listen at; port 0 is any")
    parser.add_argument("--key", choices=identity.KINDS, default="p256", help="kind of this end's key")
    parser.add_argument("--suite", choices=tls.SUITES, action="append", help="may stand several times")
    parser.add_argument("--trust-sim", help="file with the public key of the device that the peer must have")
    parser.add_argument("--device", help="this end attests, by this P-256 key in PKCS #8 (DER or PEM)")
    parser.add_argument("--minimal", action="store_true", help="send no parameters, and look at none")
    parser.add_argument("--attest-first", action="store_true", help="the client attests before the server")
    parser.add_argument("--seconds", type=float, default=10, help="for handshake and exchange, and HTTP")
    parser.add_argument("--batch", action="store_true", help="give Evidence of a batch where the peer takes it")
    parser.set_defaults(run=run)
    return parser


def end_of(arguments, key, certificate: bytes) -> End:
    end = End(key, [certificate])
    end.device = Device(identity.load_key(arguments.device)) if arguments.device else None
    end.peer = Path(arguments.trust_sim).read_bytes() if arguments.trust_sim else None
    end.minimal, end.attest_first, end.in_batch = arguments.minimal, arguments.attest_first, arguments.batch
    return end


def run_client(arguments) -> int:
    presented = identity.load(arguments.present) if arguments.present else None
    end, codes = end_of(arguments, *(presented or identity.make(arguments.key, "client"))), []
    if arguments.again:
        return again(arguments, end, presented)
    threads = [threading.Thread(target=lambda: codes.append(ask(arguments, end, presented))) for _ in range(arguments.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(codes, default=REFUSED)


def again(arguments, end: End, presented) -> int:
    """One connection after the other, until nobody listens any more."""
    while True:
        try:
            wire = connect(arguments)
        except ConnectionRefusedError:
            return 0
        over(wire, arguments, end, presented)


def ask(arguments, end: End, presented) -> int:
    try:
        wire = connect(arguments)
    except OSError as error:
        tell(failure(error))
        return REFUSED
    return over(wire, arguments, end, presented)


def connect(arguments) -> socket.socket:
    return socket.create_connection(address(arguments.address), arguments.seconds)


def over(wire: socket.socket, arguments, end: End, presented) -> int:
    try:
        channel = tls.connect(wire, arguments.name, arguments.ca, suites(arguments), arguments.seconds, presented)
        outcome = client.exchange(channel, end).outcome
        status, body = http.get(channel, arguments.name, arguments.path)
        channel.close()
    except FAILURES as error:
        tell(failure(error))
        return REFUSED
    finally:
        wire.close()
    tell(report(channel, outcome) | {"status": status, "body": body})
    return 0


def run_server(arguments) -> int:
    key, certificate = identity.load(arguments.identity) if arguments.identity else identity.make(arguments.key, "localhost")
    end = end_of(arguments, key, certificate)
    end.must = not arguments.ask
    if arguments.cert:
        Path(arguments.cert).write_bytes(identity.pem(certificate))
    made = tls.server_context(key, certificate, suites(arguments), arguments.ask_certificate)
    listener = socket.create_server(address(arguments.address))
    tell({"outcome": "listening", "port": listener.getsockname()[1]})
    while True:
        wire, _ = listener.accept()
        threading.Thread(target=serve, args=(wire, made, end, arguments.seconds), daemon=True).start()


def serve(wire: socket.socket, made, end: End, seconds: float):
    channel = None
    try:
        channel = tls.accept(wire, made, seconds)
        outcome = server.exchange(channel, end).outcome
        told = report(channel, outcome)
        request = http.answer(channel, "hello, attested client\n" if outcome.peer_attested else "hello\n")
        tell(told | {"request": request})
    except FAILURES as error:
        tell(failure(error))
    finally:
        (wire if channel is None else channel).close()


def run_keys(arguments) -> int:
    folder = Path(arguments.folder)
    for kind in identity.KINDS:
        identity.write(folder / kind, *identity.make(kind, "localhost"))
    for name in ("client-device", "server-device"):
        device = Device()
        (folder / f"{name}.key").write_bytes(identity.pkcs8(device.key))
        (folder / f"{name}.pub").write_bytes(device.anchor())
    return 0


def tell(said: dict):
    """One line in one piece, as several threads may have something to tell."""
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def report(channel, outcome) -> dict:
    told = {"outcome": "done", "suite": channel.tls.get_cipher_name(), "attested": outcome.attested}
    told |= {"certificate": channel.peer_spki is not None}
    return told | {"peer_attested": outcome.peer_attested, "batch": outcome.batch, "verdict": outcome.verdict}


def failure(error: Exception) -> dict:
    kind = {Refused: "refused", Rejected: "rejected"}.get(type(error), "failed")
    return {"outcome": kind, "why": f"{error}" or repr(error), "reason": getattr(error, "reason", None)}


def suites(arguments) -> list[str]:
    return arguments.suite or list(tls.SUITES)


def address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    sys.exit(main())
