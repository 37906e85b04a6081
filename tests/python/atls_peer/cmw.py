"""Conceptual Message Wrappers (RFC 9999) in CBOR and JSON, with the limits of §5."""

import base64
import binascii
import json
import re
from dataclasses import dataclass

from . import cbor, media_type
from .errors import Refused

RULE = "§5 CMW"
TYPE = "__cmwc_t"
EVIDENCE, RESULTS, ENDORSEMENTS = 4, 8, 2
MOST_ITEMS, MOST_COLLECTIONS, MOST_VALUES, LONGEST_LABEL, LONGEST = 8, 4, 256, 128, 65_529
OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
CBOR_BEGINS = [0x82, 0x83, 0x9F, *range(0xA1, 0xBC), 0xBF, 0xDA]
FIRST_TAG = 1_668_546_817  # of RFC 9277's tags for content formats; 256 of them for each 255 formats


@dataclass(frozen=True)
class Record:
    """`kind` is a media type, or the number of a content format."""

    kind: str | int
    value: bytes
    indicator: int | None = None


@dataclass(frozen=True)
class Collection:
    kind: str | None
    members: list  # pairs of label and CMW


def encode(record: Record) -> bytes:
    parts = [record.kind, record.value]
    return cbor.encode(parts if record.indicator is None else [*parts, record.indicator])


def decode(data: bytes) -> Record | Collection:
    if not 1 <= len(data) <= LONGEST:
        return refuse("a CMW of an impossible length")
    if data[0] in b"[{":
        wrapper = from_json(data)
    elif data[0] not in CBOR_BEGINS:
        return refuse("neither record, tag nor collection")
    else:
        wrapper = from_cbor(well_formed(data), MOST_COLLECTIONS)
    if len(items(wrapper)) > MOST_ITEMS:
        return refuse("more than 8 items", "cmw-too-many")
    return wrapper


def well_formed(data: bytes):
    try:
        return cbor.decode(data, RULE, MOST_VALUES)
    except Refused as error:
        return refuse(str(error), "cmw-too-many" if error.reason == "too-large" else "cmw-malformed")


def items(wrapper: Record | Collection) -> list[Record]:
    if isinstance(wrapper, Record):
        return [wrapper]
    return [item for _, member in wrapper.members for item in items(member)]


def from_cbor(value, collections: int) -> Record | Collection:
    if isinstance(value, cbor.Tag):
        return tagged(value)
    if isinstance(value, cbor.Map):
        return collection(value, collections, from_cbor, (str, int))
    if isinstance(value, list):
        return record(value, bytes_of, (str, int))
    return refuse("neither record, tag nor collection")


def tagged(tag: cbor.Tag) -> Record:
    if not is_tag(tag.number):
        return refuse("a tag that is of no content format", "cmw-tag-number")
    row, column = divmod(tag.number - FIRST_TAG, 256)
    return Record(row * 255 + column, bytes_of(tag.value))


def is_tag(number: int) -> bool:
    row, column = divmod(number - FIRST_TAG, 256)
    return 0 <= row <= 255 and column != 255


def from_json(data: bytes) -> Record | Collection:
    try:
        value = json.loads(data.decode(), object_pairs_hook=cbor.Map, parse_constant=refuse)
        if count(value) > MOST_VALUES:
            return refuse("too many values", "cmw-too-many")
        return from_json_value(value, MOST_COLLECTIONS)
    except (ValueError, RecursionError):
        return refuse("not JSON")


def count(value) -> int:
    """Values and names."""
    if isinstance(value, cbor.Map):
        return 1 + sum(1 + count(member) for _, member in value)
    return 1 + sum(map(count, value)) if isinstance(value, list) else 1


def from_json_value(value, collections: int) -> Record | Collection:
    if isinstance(value, cbor.Map):
        return collection(value, collections, from_json_value, (str,))
    if isinstance(value, list):
        return record(value, unpadded_base64, (str,))
    return refuse("neither record nor collection")


def unpadded_base64(text) -> bytes:
    if not isinstance(text, str) or not re.fullmatch("[A-Za-z0-9_-]*", text):
        return refuse("a value is not base64url without padding")
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return refuse("a value is not base64url")
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        return refuse("a value is not base64url: the last bits are not 0")
    return raw


def bytes_of(value) -> bytes:
    return value if isinstance(value, bytes) else refuse("a value is not bytes")


def record(parts: list, value_of, kinds: tuple) -> Record:
    if len(parts) not in (2, 3):
        return refuse("a record has 2 or 3 parts")
    kind, value, indicator = parts[0], value_of(parts[1]), parts[2] if len(parts) == 3 else None
    if type(kind) not in kinds or (type(kind) is int and not 0 <= kind < 65_536):
        return refuse("a type is neither media type nor content format")
    if type(kind) is str:
        kind = media_type.normal(kind, RULE, "cmw-media-type")
    if len(parts) == 3 and type(indicator) is not int:
        return refuse("an indicator that is no number")
    if len(parts) == 3 and not 0 < indicator < 1 << 32:
        return refuse("an indicator that is 0, or has more than 32 bits", "cmw-indicator")
    return Record(kind, value, indicator)


def collection(pairs: cbor.Map, depth: int, member, labels: tuple) -> Collection:
    if depth == 0:
        return refuse("collections are nested too deep", "cmw-too-deep")
    if not pairs.once():
        return refuse("a label stands twice", "cmw-repeated-label")
    kind = pairs.get(TYPE)
    if TYPE in pairs.keys() and not (type(kind) is str and (OID.fullmatch(kind) or URI.fullmatch(kind))):
        return refuse("__cmwc_t is neither URI nor OID", "cmw-collection-type")
    if not all(type(label) in labels for label in pairs.keys()):
        return refuse("a label that is neither text nor number")
    if any(len(str(label).encode()) > LONGEST_LABEL for label in pairs.keys()):
        return refuse("a label that is too long", "cmw-long-label")
    members = [(label, member(value, depth - 1)) for label, value in pairs if label != TYPE]
    return Collection(kind, members) if members else refuse("an empty collection", "cmw-empty")


def refuse(why: str, reason: str = "cmw-malformed"):
    raise Refused(RULE, why, reason)
