"""Finds the SubjectPublicKeyInfo of a certificate as it was carried."""

from .errors import Refused


def subject_public_key_info(certificate: bytes) -> bytes:
    """RFC 5280 §4.1: Certificate { TBSCertificate { [0] version, serial, signature, issuer, validity, subject, key … } … }."""
    tbs = inside(inside(certificate, 0x30), 0x30, followed=True)
    if tbs[:1] == b"\xa0":
        tbs = tbs[len(element(tbs)) :]
    for _ in ("serial", "signature", "issuer", "validity", "subject"):
        tbs = tbs[len(element(tbs)) :]
    key = element(tbs)
    if key[0] != 0x30:
        raise Refused("§4", "a certificate without a key")
    return key


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
    return der[: at + length]


def header(der: bytes) -> int:
    if len(der) < 2 or der[1] == 0x80 or der[1] > 0x84 or len(der) < 2 + (der[1] & 0x7F) * (der[1] >> 7):
        raise Refused("§4", "a certificate that is not DER")
    return 2 + (der[1] & 0x7F) * (der[1] >> 7)
