"""CBOR (RFC 8949), as much as the protocol needs. Maps keep their order, so that a caller can tell how they were written."""

from dataclasses import dataclass

from .errors import Refused

BREAK = object()


@dataclass(frozen=True)
class Tag:
    number: int
    value: object


@dataclass(frozen=True)
class Other:
    """A float or a simple value without a meaning here, as its bytes."""

    raw: bytes


class Map(list):
    """Pairs of key and value as they were written, in that order."""

    def get(self, key, default=None):
        found = [value for known, value in self if same(known, key)]
        if len(found) > 1:
            raise Refused("CBOR", f"key {key} stands twice")
        return found[0] if found else default

    def keys(self):
        return [key for key, _ in self]

    def once(self) -> bool:
        """Whether each key stands once."""
        return len({encode(key) for key in self.keys()}) == len(self)


def same(a, b) -> bool:
    return type(a) is type(b) and a == b


def encode(value) -> bytes:
    """The deterministic encoding (RFC 8949 §4.2.1)."""
    if value is False or value is True or value is None:
        return bytes([{False: 0xF4, True: 0xF5, None: 0xF6}[value]])
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, (dict, Map)):
        pairs = value.items() if isinstance(value, dict) else value
        return head(5, len(value)) + b"".join(sorted(encode(k) + encode(v) for k, v in pairs))
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encode, value))
    if isinstance(value, Tag):
        return head(6, value.number) + encode(value.value)
    return value.raw


def head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    size = next(size for size in (1, 2, 4, 8) if number < 1 << 8 * size)
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[size]]) + number.to_bytes(size, "big")


def decode(data: bytes, rule: str, values: int = 256, depth: int = 16):
    """One value and nothing behind it; `rule` names who asks."""
    reader = Reader(data, rule, values)
    value = reader.item(depth)
    if value is BREAK or reader.at != len(data):
        raise Refused(rule, "bytes after the CBOR value")
    return value


class Reader:
    def __init__(self, data: bytes, rule: str, values: int):
        self.data, self.rule, self.values, self.at = data, rule, values, 0

    def take(self, count: int) -> bytes:
        taken = self.data[self.at : self.at + count]
        if len(taken) != count:
            raise Refused(self.rule, "CBOR ends early")
        self.at += count
        return taken

    def item(self, depth: int):
        self.values -= 1
        if self.values < 0:
            raise Refused(self.rule, "CBOR has too many values", "too-large")
        start = self.at
        major, low = divmod(self.take(1)[0], 32)
        if 28 <= low <= 30 or (low == 31 and major in (0, 1, 6)):
            raise Refused(self.rule, "CBOR is not well-formed")
        if low == 31:
            return BREAK if major == 7 else self.indefinite(major, depth)
        number = low if low < 24 else int.from_bytes(self.take(1 << low - 24), "big")
        if major == 7:
            return self.simple(low, number, self.data[start : self.at])
        if major in (0, 1):
            return number if major == 0 else -1 - number
        if major == 2:
            return self.take(number)
        if major == 3:
            return self.text(self.take(number))
        if major == 6:
            if number in (2, 3):
                raise Refused(self.rule, "a bignum")
            return self.tag(number, depth)
        return self.container(major, depth, number)

    def tag(self, number: int, depth: int) -> Tag:
        if depth == 0:
            raise Refused(self.rule, "CBOR is nested too deep")
        return Tag(number, self.value(depth - 1))

    def value(self, depth: int):
        value = self.item(depth)
        if value is BREAK:
            raise Refused(self.rule, "CBOR is not well-formed")
        return value

    def simple(self, low: int, number: int, raw: bytes):
        if low == 24 and number < 32:
            raise Refused(self.rule, "CBOR is not well-formed")
        return {20: False, 21: True, 22: None}.get(low, Other(raw))

    def text(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise Refused(self.rule, "text is not UTF-8") from None

    def indefinite(self, major: int, depth: int):
        if major in (4, 5):
            return self.container(major, depth, None)
        parts = b""
        while self.data[self.at : self.at + 1] != b"\xff":
            chunk = self.data[self.at : self.at + 1]
            if not chunk or chunk[0] >> 5 != major or chunk[0] & 31 == 31:
                raise Refused(self.rule, "CBOR is not well-formed")
            part = self.value(depth)
            parts += part if major == 2 else part.encode()
        self.at += 1
        return parts if major == 2 else parts.decode()

    def container(self, major: int, depth: int, count: int | None):
        """An array or a map of so many elements, or of those up to a break."""
        found, taken = (Map() if major == 5 else []), 0
        if depth == 0:
            raise Refused(self.rule, "CBOR is nested too deep")
        while taken != count:
            first = self.item(depth - 1)
            if first is BREAK and count is None:
                return found
            if first is BREAK:
                raise Refused(self.rule, "CBOR has a break out of place")
            found.append((first, self.value(depth - 1)) if major == 5 else first)
            taken += 1
        return found
