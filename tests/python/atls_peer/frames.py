"""Frames (§2) and verdicts (§7)."""

from dataclasses import dataclass

from .errors import Refused
from .reader import Reader, vector

REQUEST, AUTHENTICATOR, VERDICT = 1, 2, 3
LONGEST = 131_072
ACCEPTED, NOT_OFFERED, NOT_ACCEPTED, NOT_APPRAISED, NOTHING_IN_COMMON = 0, 1, 2, 3, 4
MEANING = {
    1: "attestation is required and was not offered",
    2: "the attestation was not accepted",
    3: "the attestation could not be appraised now",
    4: "no common order or format",
}


def encode(kind: int, payload: bytes) -> bytes:
    return bytes([kind]) + vector(4, payload)


def length(head: bytes) -> int:
    """Of the payload behind these 5 bytes."""
    if head[0] not in (REQUEST, AUTHENTICATOR, VERDICT):
        raise Refused("§2", f"the peer does not speak attested TLS: its first byte is {head[:1]!r}")
    size = int.from_bytes(head[1:5], "big")
    if size > LONGEST:
        raise Refused("§2", "a frame that is too long")
    return size


@dataclass(frozen=True)
class Verdict:
    code: int
    valid_for: int = 0

    def encode(self) -> bytes:
        return bytes([self.code]) + self.valid_for.to_bytes(4, "big")

    @staticmethod
    def decode(payload: bytes) -> "Verdict":
        reader = Reader(payload, "§7")
        verdict = Verdict(reader.number(1), reader.number(4))
        reader.end()
        if verdict.code != ACCEPTED and verdict.valid_for:
            raise Refused("§7", "a refusal that is valid for some time")
        return verdict

    def __str__(self):
        return MEANING.get(self.code, f"refused, code {self.code}") if self.code else f"accepted, {self.valid_for} s"
