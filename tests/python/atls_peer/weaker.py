"""The weaker modes: Evidence in the certificate of the TLS handshake (§11), and over a nonce of it (§12)."""

import hashlib
from dataclasses import dataclass

from . import batch, cbor, cmw, der
from .errors import Refused

CMW = bytes.fromhex("2b06010505070123")  # id-pe-cmw, 1.3.6.1.5.5.7.1.35
DICE = bytes.fromhex("678105050409")  # 2.23.133.5.4.9
OLD = [
    bytes.fromhex("2a864886f84d010d01"),  # Intel SGX SDK, 1.2.840.113741.1.13.1
    bytes.fromhex("2a864886f84d8a3906"),  # rats-tls, 1.2.840.113741.1337.6
    bytes.fromhex("06092a864886f84d8a3906"),  # Gramine: tag and length once more
]
TAGGED_QUOTE = 60_000
DIGESTS = {1: "sha256", 7: "sha384", 8: "sha512"}
QUOTE_VERSIONS = (3, 4, 5)
UTF8_STRING, OCTET_STRING = 0x0C, 0x04
ROLE = {"server": b"s", "client": b"c"}


@dataclass(frozen=True)
class Quote:
    """A DCAP quote whose 64 bytes of report data the certificate fixes."""

    raw: bytes
    report_data: bytes


def key_value(spki: bytes) -> bytes:
    return hashlib.sha256(spki).digest()


def nonce_value(attester: str, nonce: bytes, spki: bytes) -> bytes:
    return hashlib.sha256(b"atls intra-handshake\0" + ROLE[attester] + nonce + spki).digest()


def nonce_name(nonce: bytes) -> bytes:
    """The DER Name `O = atls intra-handshake nonce, CN = <nonce>`."""
    organisation, common_name = bytes.fromhex("060355040a"), bytes.fromhex("0603550403")
    named = [(organisation, b"atls intra-handshake nonce"), (common_name, nonce.hex().encode())]
    relative = [tlv(0x31, tlv(0x30, kind + tlv(UTF8_STRING, text))) for kind, text in named]
    return tlv(0x30, b"".join(relative))


def tlv(tag: int, content: bytes) -> bytes:
    """Of less than 128 bytes."""
    return bytes([tag, len(content)]) + content


def claims(spki: bytes) -> bytes:
    return cbor.encode({"pubkey-hash": cbor.encode([1, hashlib.sha256(spki).digest()])})


def report_data(content: bytes) -> bytes:
    return hashlib.sha256(content).digest() + bytes(32)


def read(certificate: bytes) -> list[cmw.Record] | Quote:
    """The Evidence of a certificate: items, or a quote and its report data."""
    found = der.extensions(certificate)
    present = [oid for oid in (CMW, DICE, *OLD) if any(oid == other for other, _ in found)]
    values = [value for oid, value in found if oid in present]
    if len(values) != len(present) or (CMW in present and len(present) > 1):
        raise Refused("§11", "an extension stands twice, or id-pe-cmw beside another")
    if not present:
        raise Refused("§11", "no Evidence", "no-attestation")
    value, spki = dict(found)[present[0]], der.subject_public_key_info(certificate)
    if present[0] == CMW:
        return items(choice(value))
    return in_dice(value, spki) if present[0] == DICE else Quote(quote(value), report_data(spki))


def choice(value: bytes) -> bytes:
    whole = der.element(value)
    if len(whole) != len(value) or whole[0] not in (UTF8_STRING, OCTET_STRING):
        raise Refused("§11", "id-pe-cmw is not a UTF8String or an OCTET STRING")
    content = whole[der.header(whole) :]
    if (content[:1] in (b"[", b"{")) != (whole[0] == UTF8_STRING):
        raise Refused("§11", "JSON is in a UTF8String, CBOR in an OCTET STRING")
    return content


def items(data: bytes) -> list[cmw.Record]:
    found = cmw.items(cmw.decode(data))
    if any(item.kind == batch.PROOF for item in found):
        raise Refused("§5.1", "an inclusion proof in a certificate", "proof-unexpected")
    return found


def in_dice(value: bytes, spki: bytes) -> list[cmw.Record] | Quote:
    if value[:1] in (b"[", b"{"):
        return items(value)
    tagged = cbor.decode(value, "§11")
    if isinstance(tagged, (list, cbor.Map)) or (isinstance(tagged, cbor.Tag) and cmw.is_tag(tagged.number)):
        return items(value)
    if not isinstance(tagged, cbor.Tag):
        raise Refused("§11", "neither a tag nor a CMW")
    if tagged.number != TAGGED_QUOTE:
        raise Refused("§11", f"tag {tagged.number}", "unknown-evidence")
    if not isinstance(tagged.value, list) or [type(part) for part in tagged.value] != [bytes, bytes]:
        raise Refused("§11", "tagged evidence is [quote, claims-buffer]")
    check_claims(tagged.value[1], spki)
    return Quote(quote(tagged.value[0]), report_data(tagged.value[1]))


def check_claims(buffer: bytes, spki: bytes):
    table = cbor.decode(buffer, "§11")
    named = [value for key, value in table if key == "pubkey-hash"] if isinstance(table, cbor.Map) else []
    if len(named) != 1 or not isinstance(named[0], bytes):
        raise Refused("§11", "the claims do not hold pubkey-hash once", "key-mismatch")
    parts = cbor.decode(named[0], "§11")
    if not isinstance(parts, list) or len(parts) != 2 or type(parts[0]) is not int or parts[0] not in DIGESTS:
        raise Refused("§11", "a pubkey-hash of an algorithm that is not known", "key-mismatch")
    if parts[1] != hashlib.new(DIGESTS[parts[0]], spki).digest():
        raise Refused("§11", "the claims are about another key", "key-mismatch")


def quote(raw: bytes) -> bytes:
    """Intel's quotes begin with their version, little-endian; those of EPID have 1 and 2."""
    if int.from_bytes(raw[:2], "little") not in QUOTE_VERSIONS:
        raise Refused("§11", "no quote of DCAP")
    return raw
