"""Authenticator requests (§3) and authenticators (§4)."""

import hashlib
import hmac
from dataclasses import dataclass, field

from . import keys
from .der import subject_public_key_info
from .errors import Refused
from .reader import Reader, extension, extensions, message, vector

SERVER_NAME, SIGNATURE_ALGORITHMS, CMW_ATTESTATION, PARAMETERS = 0, 13, 0xFF00, 0xFF02
REQUEST_TYPE = {"client": 17, "server": 13}
CERTIFICATE, CERTIFICATE_VERIFY, FINISHED = 11, 15, 20


@dataclass(frozen=True)
class Request:
    raw: bytes
    context: bytes
    extensions: dict[int, bytes]

    @staticmethod
    def make(side: str, context: bytes, parameters: bytes | None, attest: bool, schemes=keys.SCHEMES) -> "Request":
        listed = b"".join(scheme.to_bytes(2, "big") for scheme in schemes)
        wanted = {SIGNATURE_ALGORITHMS: vector(2, listed)}
        wanted |= {CMW_ATTESTATION: b""} if attest else {}
        wanted |= {PARAMETERS: parameters} if parameters is not None else {}
        block = b"".join(extension(kind, data) for kind, data in wanted.items())
        return Request(message(REQUEST_TYPE[side], vector(1, context) + vector(2, block)), context, wanted)

    @staticmethod
    def decode(side: str, raw: bytes) -> "Request":
        """`side` is the sender's."""
        outer = Reader(raw, "§3")
        if outer.number(1) != REQUEST_TYPE[side]:
            raise Refused("§3", f"not a request of a {side}")
        body = Reader(outer.vector(3), "§3")
        outer.end()
        context, block = body.vector(1), extensions(body.vector(2), "§3")
        body.end()
        if SERVER_NAME in block and side == "server":
            raise Refused("§3", "server_name from a server", "unsolicited-extension")
        if block.get(CMW_ATTESTATION):
            raise Refused("§3", "cmw_attestation of a request is not empty")
        request = Request(raw, context, block)
        if not request.schemes():
            raise Refused("§3", "no signature_algorithms")
        return request

    def schemes(self) -> list[int]:
        reader = Reader(self.extensions.get(SIGNATURE_ALGORITHMS, b"\0\0"), "§3")
        listed = Reader(reader.vector(2), "§3")
        reader.end()
        return [listed.number(2) for _ in range((len(listed.data) + 1) // 2)]

    def wants_attestation(self) -> bool:
        return CMW_ATTESTATION in self.extensions


@dataclass(frozen=True)
class Secrets:
    """The exporter's values for the authenticators of one side."""

    hash: str
    context: bytes
    finished_key: bytes

    @staticmethod
    def export(side: str, hash_name: str, exporter) -> "Secrets":
        """`exporter(label, context, length)` is that of the TLS connection."""
        label, length = f"EXPORTER-{side} authenticator ", hashlib.new(hash_name).digest_size
        return Secrets(
            hash_name,
            exporter((label + "handshake context").encode(), b"", length),
            exporter((label + "finished key").encode(), b"", length),
        )

    def digest(self, *parts: bytes) -> bytes:
        return hashlib.new(self.hash, self.context + b"".join(parts)).digest()

    def mac(self, *parts: bytes) -> bytes:
        return hmac.digest(self.finished_key, self.digest(*parts), self.hash)

    def to_sign(self, *parts: bytes) -> bytes:
        return b" " * 64 + b"Exported Authenticator\0" + self.digest(*parts)


@dataclass(frozen=True)
class Authenticator:
    """What a full authenticator says, once verified; `extensions` are those of the first entry."""

    chain: list[bytes]
    extensions: dict[int, bytes] = field(default_factory=dict)

    def spki(self) -> bytes:
        return subject_public_key_info(self.chain[0])


def make(secrets: Secrets, request: Request, key, chain: list[bytes], said: dict[int, bytes]) -> bytes:
    block = b"".join(extension(kind, data) for kind, data in said.items())
    entries = b"".join(vector(3, cert) + vector(2, b"" if at else block) for at, cert in enumerate(chain))
    certificate = message(CERTIFICATE, vector(1, request.context) + vector(3, entries))
    scheme = keys.scheme_for(key, request.schemes())
    signature = keys.sign(key, scheme, secrets.to_sign(request.raw, certificate))
    verify = message(CERTIFICATE_VERIFY, scheme.to_bytes(2, "big") + vector(2, signature))
    return certificate + verify + message(FINISHED, secrets.mac(request.raw, certificate, verify))


def make_empty(secrets: Secrets, request: Request) -> bytes:
    return message(FINISHED, secrets.mac(request.raw, no_certificate(request)))


def no_certificate(request: Request) -> bytes:
    return message(CERTIFICATE, vector(1, request.context) + vector(3, b""))


def verify(secrets: Secrets, request: Request, raw: bytes, handshake_spki: bytes | None) -> Authenticator | None:
    """None is the empty authenticator. `handshake_spki` is the key that the sender presented in the handshake, if it did."""
    reader = Reader(raw, "§4")
    if raw[:1] == bytes([FINISHED]):
        check_mac(reader, secrets.mac(request.raw, no_certificate(request)))
        return None
    certificate, verify_message = part(reader, CERTIFICATE), part(reader, CERTIFICATE_VERIFY)
    said = read_certificate(certificate, request)
    check_mac(reader, secrets.mac(request.raw, certificate, verify_message))
    check_signature(verify_message, said, request, secrets.to_sign(request.raw, certificate))
    if handshake_spki is not None and said.spki() != handshake_spki:
        raise Refused("§4", "the end-entity key is not that of the handshake", "key-mismatch")
    return said


def part(reader: Reader, kind: int) -> bytes:
    start = reader.at
    if reader.number(1) != kind:
        raise Refused("§4", f"handshake message {kind} is not where it belongs")
    reader.vector(3)
    return reader.data[start : reader.at]


def check_mac(reader: Reader, expected: bytes):
    finished = part(reader, FINISHED)
    reader.end()
    if not hmac.compare_digest(finished[4:], expected):
        raise Refused("§4", "the MAC of Finished is wrong", "bad-finished")


def check_signature(verify_message: bytes, said: Authenticator, request: Request, signed: bytes):
    reader = Reader(verify_message[4:], "§4")
    scheme, signature = reader.number(2), reader.vector(2)
    reader.end()
    if scheme not in request.schemes() or scheme not in keys.SCHEMES:
        raise Refused("§4", f"scheme {scheme:#06x} was not offered, or is none of TLS 1.3", "scheme-not-offered")
    keys.verify(said.chain[0], scheme, signature, signed)


def read_certificate(certificate: bytes, request: Request) -> Authenticator:
    reader = Reader(certificate[4:], "§4")
    if reader.vector(1) != request.context:
        raise Refused("§4", "certificate_request_context is not the request's", "context-mismatch")
    entries = Reader(reader.vector(3), "§4")
    reader.end()
    chain, first = [], {}
    while entries.more():
        chain.append(entries.vector(3))
        said = extensions(entries.vector(2), "§4")
        if not chain[-1]:
            raise Refused("§4", "an empty certificate")
        if len(chain) > 8:
            raise Refused("§4", "more than 8 certificates", "too-large")
        check_offered(said, request, len(chain) == 1)
        first = said if len(chain) == 1 else first
    if not chain:
        raise Refused("§4", "a Certificate without entries that is not an empty authenticator")
    return Authenticator(chain, first)


def check_offered(said: dict[int, bytes], request: Request, is_first: bool):
    for kind in said:
        if kind not in request.extensions:
            raise Refused("§4", f"extension {kind} was not offered", "unsolicited-extension")
        if kind in (CMW_ATTESTATION, PARAMETERS) and not is_first:
            raise Refused("§4", f"extension {kind} is not in the first entry", "unsolicited-extension")
