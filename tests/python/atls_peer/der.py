"""Finds the SubjectPublicKeyInfo and the extensions of a certificate as they were carried."""

from .errors import Refused


def subject_public_key_info(certificate: bytes) -> bytes:
    return public_key_and_rest(certificate)[0]


def extensions(certificate: bytes) -> list[tuple[bytes, bytes]]:
    """OID and extnValue of each, in their order."""
    _, rest = public_key_and_rest(certificate)
    while rest and rest[0] != 0xA3:
        rest = rest[len(element(rest)) :]
    return [extension(one) for one in elements(inside(inside(rest, 0xA3), 0x30))] if rest else []


def extension(der: bytes) -> tuple[bytes, bytes]:
    """Extension { extnID, critical DEFAULT FALSE, extnValue }."""
    parts = elements(inside(der, 0x30))
    if len(parts) not in (2, 3):
        raise Refused("§11", "an extension that is none")
    return inside(parts[0], 0x06), inside(parts[-1], 0x04)


def public_key_and_rest(certificate: bytes) -> tuple[bytes, bytes]:
    """RFC 5280 §4.1: Certificate { TBSCertificate { [0] version, serial, signature, issuer, validity, subject, key … } … }."""
    tbs = inside(inside(certificate, 0x30), 0x30, followed=True)
    if tbs[:1] == b"\xa0":
        tbs = tbs[len(element(tbs)) :]
    for _ in ("serial", "signature", "issuer", "validity", "subject"):
        tbs = tbs[len(element(tbs)) :]
    key = element(tbs)
    if key[0] != 0x30:
        raise Refused("§4", "a certificate without a key")
    return key, tbs[len(key) :]


def elements(der: bytes) -> list[bytes]:
    found = []
    while der:
        found.append(element(der))
        der = der[len(found[-1]) :]
    return found


def inside(der: bytes, tag: int, followed: bool = False) -> bytes:
    whole = element(der)
    if whole[0] != tag or (len(whole) != len(der) and not followed):
        raise Refused("§4", "a certificate that is not DER")
    return whole[header(whole) :]


def element(der: bytes) -> bytes:
    """The first element, with its header."""
    at = header(der)
    length = der[1] if der[1] < 0x80 else int.from_bytes(der[2:at], "big")
    if at + length > len(der):
        raise Refused("§4", "a certificate that ends early")
    if der[1] >= 0x80 and (length < 0x80 or der[2] == 0):
        raise Refused("§4", "a length that is not of the shortest form")
    return der[: at + length]


def header(der: bytes) -> int:
    if len(der) < 2 or der[1] == 0x80 or der[1] > 0x84 or len(der) < 2 + (der[1] & 0x7F) * (der[1] >> 7):
        raise Refused("§4", "a certificate that is not DER")
    return 2 + (der[1] & 0x7F) * (der[1] >> 7)
