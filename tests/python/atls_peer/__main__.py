"""`python3 -m atls_peer client …` and `… server …`: says in one line of JSON how each connection went."""

import argparse
import json
import socket
import sys
import threading
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from . import client, http, identity, server, tls
from .end import End
from .errors import Refused, Rejected
from .sim import Device

REFUSED = 2


def main() -> int:
    arguments = parse()
    try:
        return run_client(arguments) if arguments.role == "client" else run_server(arguments)
    except FAILURES as error:
        print(json.dumps(failure(error)), flush=True)
        return REFUSED


FAILURES = (Refused, Rejected, tls.SSL.Error, OSError, ValueError)


def failure(error: Exception) -> dict:
    kind = {Refused: "refused", Rejected: "rejected"}.get(type(error), "failed")
    return {"outcome": kind, "why": f"{error}" or repr(error)}


def parse():
    parser = argparse.ArgumentParser(prog="atls_peer", description=__doc__)
    parser.add_argument("role", choices=["client", "server"])
    parser.add_argument("address", help="HOST:PORT to go to, or to listen at; port 0 is any")
    parser.add_argument("--name", default="localhost", help="of the server's certificate")
    parser.add_argument("--ca", help="client: the authorities of the server's certificate, in PEM")
    parser.add_argument("--cert", help="server: where to write its certificate, in PEM")
    parser.add_argument("--key", choices=identity.KINDS, default="p256", help="kind of this end's key")
    parser.add_argument("--suite", choices=tls.SUITES, action="append", help="may stand several times")
    parser.add_argument("--trust-sim", help="file with the public key of the device that the peer must have")
    parser.add_argument("--device", help="this end attests, by this P-256 key in PKCS #8 (DER or PEM)")
    parser.add_argument("--minimal", action="store_true", help="client: no parameters")
    parser.add_argument("--attest-first", action="store_true", help="the client attests before the server")
    parser.add_argument("--batch", action="store_true", help="give Evidence of a batch where the peer takes it")
    parser.add_argument("--ask", action="store_true", help="server: ask clients to attest, and serve the others too")
    parser.add_argument("--path", default="/", help="client: what to ask for")
    parser.add_argument("--connections", type=int, default=1, help="client: how many at a time")
    return parser.parse_args()


def end_of(arguments) -> tuple[End, bytes]:
    key, certificate = identity.make(arguments.key, arguments.name)
    peer = Path(arguments.trust_sim).read_bytes() if arguments.trust_sim else None
    end = End(key, [certificate], device(arguments.device), peer, arguments.minimal)
    end.attest_first, end.in_batch, end.must = arguments.attest_first, arguments.batch, not arguments.ask
    return end, certificate


def device(path: str | None) -> Device | None:
    if path is None:
        return None
    raw = Path(path).read_bytes()
    load = serialization.load_pem_private_key if raw.startswith(b"-----") else serialization.load_der_private_key
    return Device(load(raw, None))


def address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def run_client(arguments) -> int:
    end, _ = end_of(arguments)
    codes = []
    threads = [threading.Thread(target=lambda: codes.append(one_client(arguments, end))) for _ in range(arguments.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(codes, default=REFUSED)


def one_client(arguments, end: End) -> int:
    try:
        wire = socket.create_connection(address(arguments.address), 10)
        channel = tls.connect(wire, arguments.name, arguments.ca, arguments.suite or list(tls.SUITES))
        outcome = client.exchange(channel, end).outcome
        status, body = http.get(channel, arguments.name, arguments.path)
        channel.close()
    except FAILURES as error:
        print(json.dumps(failure(error)), flush=True)
        return REFUSED
    print(json.dumps(report(channel, outcome) | {"status": status, "body": body}), flush=True)
    return 0


def report(channel, outcome) -> dict:
    told = {"outcome": "done", "suite": channel.tls.get_cipher_name(), "attested": outcome.attested}
    return told | {"peer_attested": outcome.peer_attested, "batch": outcome.batch, "verdict": outcome.verdict}


def run_server(arguments) -> int:
    end, certificate = end_of(arguments)
    Path(arguments.cert).write_bytes(identity.pem(certificate))
    made = tls.server_context(end.key, certificate, arguments.suite or list(tls.SUITES))
    listener = socket.create_server(address(arguments.address))
    print(json.dumps({"outcome": "listening", "port": listener.getsockname()[1]}), flush=True)
    while True:
        wire, _ = listener.accept()
        threading.Thread(target=serve, args=(wire, made, end), daemon=True).start()


def serve(wire: socket.socket, made, end: End):
    channel = None
    try:
        channel = tls.accept(wire, made)
        outcome = server.exchange(channel, end).outcome
        told = report(channel, outcome)
        request = http.answer(channel, "hello, attested client\n" if outcome.peer_attested else "hello\n")
        print(json.dumps(told | {"request": request}), flush=True)
    except FAILURES as error:
        print(json.dumps(failure(error)), flush=True)
    finally:
        (wire if channel is None else channel).close()


if __name__ == "__main__":
    sys.exit(main())
