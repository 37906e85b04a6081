"""Keys of a leaf: which signature schemes of TLS 1.3 (RFC 9846 §4.2.3) fit, signing and verifying."""

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509 import load_der_x509_certificate

from .errors import Refused

ECDSA = {0x0403: (ec.SECP256R1, hashes.SHA256()), 0x0503: (ec.SECP384R1, hashes.SHA384())}
RSA_PSS = {0x0804: hashes.SHA256(), 0x0805: hashes.SHA384(), 0x0806: hashes.SHA512()}
ED25519 = 0x0807
SCHEMES = [*ECDSA, ED25519, *RSA_PSS]


def fits(scheme: int, key) -> bool:
    """Whether a private or public key signs by that scheme."""
    if scheme in ECDSA:
        kinds = (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)
        return isinstance(key, kinds) and isinstance(key.curve, ECDSA[scheme][0])
    if scheme in RSA_PSS:
        return isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey))
    return scheme == ED25519 and isinstance(key, (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey))


def scheme_for(key, offered: list[int]) -> int:
    for scheme in offered:
        if scheme in SCHEMES and fits(scheme, key):
            return scheme
    raise Refused("§4", "the peer offers no signature scheme of our key")


def sign(key, scheme: int, message: bytes) -> bytes:
    if scheme in ECDSA:
        return key.sign(message, ec.ECDSA(ECDSA[scheme][1]))
    return key.sign(message, *pss(scheme)) if scheme in RSA_PSS else key.sign(message)


def verify(certificate: bytes, scheme: int, signature: bytes, message: bytes):
    try:
        key = load_der_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise Refused("§4", "the end-entity certificate cannot be read") from None
    if not fits(scheme, key):
        raise Refused("§4", f"scheme {scheme:#06x} does not fit the end-entity key", "scheme-not-offered")
    extra = (ec.ECDSA(ECDSA[scheme][1]),) if scheme in ECDSA else pss(scheme) if scheme in RSA_PSS else ()
    try:
        key.verify(signature, message, *extra)
    except InvalidSignature:
        raise Refused("§4", "the signature does not verify", "bad-signature") from None


def pss(scheme: int) -> tuple:
    digest = RSA_PSS[scheme]
    return padding.PSS(padding.MGF1(digest), digest.digest_size), digest
