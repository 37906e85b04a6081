"""The presentation language of TLS (RFC 9846 §3): vectors and numbers, read strictly."""

from .errors import Refused


class Reader:
    def __init__(self, data: bytes, rule: str):
        self.data, self.rule, self.at = data, rule, 0

    def take(self, count: int) -> bytes:
        taken = self.data[self.at : self.at + count]
        if len(taken) != count:
            raise Refused(self.rule, "the message ends early")
        self.at += count
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        return self.take(self.number(size))

    def more(self) -> bool:
        return self.at < len(self.data)

    def end(self):
        if self.more():
            raise Refused(self.rule, "bytes after the message")


def vector(size: int, data: bytes) -> bytes:
    return len(data).to_bytes(size, "big") + data


def message(kind: int, body: bytes) -> bytes:
    """A handshake message with its header."""
    return bytes([kind]) + vector(3, body)


def extensions(data: bytes, rule: str) -> dict[int, bytes]:
    found, reader = {}, Reader(data, rule)
    while reader.more():
        kind, content = reader.number(2), reader.vector(2)
        if kind in found:
            raise Refused(rule, f"extension {kind} stands twice", "duplicate-extension")
        if len(found) == 32:
            raise Refused(rule, "more than 32 extensions", "too-large")
        found[kind] = content
    return found


def extension(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2, "big") + vector(2, data)
