"""`attestation_parameters` (§6): what a request offers, and what its answer selects."""

import re
from dataclasses import dataclass

from . import cbor, media_type
from .errors import Refused

RULE = "§6"
PROFILE = "expat-03"
OTHER_PROFILE = "other-profile"
UNSUPPORTED = "unsupported-parameters"
VERSION = 1
MOST_FORMATS = 64
SERVER_FIRST, CLIENT_FIRST = 1, 2


@dataclass(frozen=True)
class Parameters:
    """Of a request. `wants` and `can_attest` stand in a client's, `order` in a server's."""

    formats: list[str]
    verdicts: bool = True
    batches: bool = False
    version: int = VERSION
    wants: bool | None = None
    can_attest: int | None = None
    order: int | None = None

    def encode(self) -> bytes:
        keys = {1: self.version, 2: self.formats, 3: self.batches or None, 4: self.verdicts}
        keys |= {5: self.wants, 6: self.can_attest, 7: self.order}
        return cbor.encode({key: value for key, value in keys.items() if value is not None})

    @staticmethod
    def decode(data: bytes, of_client: bool) -> "Parameters":
        table = read(data)
        formats = table.get(2)
        if not isinstance(formats, list) or not all(isinstance(name, str) for name in formats):
            raise Refused(RULE, "key 2 is not an array of media types")
        if len(formats) > MOST_FORMATS:
            raise Refused(RULE, "more than 64 media types", "too-large")
        formats = [media_type.normal(name, RULE) for name in formats]
        check_profile(table.get(8, PROFILE))
        return Parameters(
            formats=formats,
            verdicts=flag(table, 4),
            batches=flag(table, 3, False),
            version=version(table),
            wants=flag(table, 5) if of_client else None,
            can_attest=among(table, 6, (0, 1, 2)) if of_client else None,
            order=None if of_client else among(table, 7, (SERVER_FIRST, CLIENT_FIRST)),
        )


@dataclass(frozen=True)
class Selection:
    verdicts: bool
    batch: bool = False
    version: int = VERSION

    def encode(self) -> bytes:
        keys = {1: self.version, 4: self.verdicts}
        return cbor.encode(keys | {3: True} if self.batch else keys)

    @staticmethod
    def decode(data: bytes, offered: Parameters) -> "Selection":
        table = read(data)
        chosen = Selection(flag(table, 4), flag(table, 3, False), version(table))
        if chosen.version > offered.version:
            raise Refused(RULE, "a version was chosen that was not offered", UNSUPPORTED)
        if (chosen.batch and not offered.batches) or (chosen.verdicts and not offered.verdicts):
            raise Refused(RULE, "something was chosen that was not offered", UNSUPPORTED)
        return chosen


def read(data: bytes) -> cbor.Map:
    table = cbor.decode(data, RULE)
    if not isinstance(table, cbor.Map):
        raise Refused(RULE, "not a map")
    return table


def flag(table: cbor.Map, key: int, absent=None) -> bool:
    value = table.get(key, absent)
    if not isinstance(value, bool):
        raise Refused(RULE, f"key {key} is absent or no boolean")
    return value


def check_profile(name):
    """§13: the peer's wire profile, which is named where it is another than the first."""
    if not isinstance(name, str) or not re.fullmatch("[A-Za-z0-9._-]{1,64}", name):
        raise Refused(RULE, "key 8 is no name of a wire profile")
    if name != PROFILE:
        raise Refused("§13", f"the peer's wire profile is {name}", OTHER_PROFILE)


def version(table: cbor.Map) -> int:
    value = table.get(1)
    if type(value) is not int or value < 0:
        raise Refused(RULE, "key 1 is no version")
    if value == 0:
        raise Refused(RULE, "version 0 does not exist", UNSUPPORTED)
    return value


def among(table: cbor.Map, key: int, allowed: tuple) -> int:
    value = table.get(key)
    if type(value) is not int or value < 0:
        raise Refused(RULE, f"key {key} is absent or no number")
    if value not in allowed:
        raise Refused(RULE, f"key {key} is none of {allowed}", UNSUPPORTED)
    return value
