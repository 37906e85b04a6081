"""Keys and self-signed certificates of four kinds."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

KINDS = {
    "p256": (lambda: ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()),
    "p384": (lambda: ec.generate_private_key(ec.SECP384R1()), hashes.SHA384()),
    "ed25519": (ed25519.Ed25519PrivateKey.generate, None),
    "rsa": (lambda: rsa.generate_private_key(65_537, 2048), hashes.SHA256()),
}


def make(kind: str, name: str) -> tuple[object, bytes]:
    """A private key and its certificate in DER, valid whatever the clock says."""
    generate, digest = KINDS[kind]
    key = generate()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2120, 1, 1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, digest)
    )
    return key, certificate.public_bytes(serialization.Encoding.DER)


def write(stem: Path, key, certificate: bytes):
    stem.with_suffix(".key").write_bytes(pkcs8(key))
    stem.with_suffix(".pem").write_bytes(pem(certificate))


def load(stem: str) -> tuple[object, bytes]:
    certificate = x509.load_pem_x509_certificate(Path(f"{stem}.pem").read_bytes())
    return load_key(f"{stem}.key"), certificate.public_bytes(serialization.Encoding.DER)


def load_key(path: str):
    raw = Path(path).read_bytes()
    return (serialization.load_pem_private_key if raw.startswith(b"-----") else serialization.load_der_private_key)(raw, None)


def pem(certificate: bytes) -> bytes:
    return x509.load_der_x509_certificate(certificate).public_bytes(serialization.Encoding.PEM)


def pkcs8(key) -> bytes:
    return key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
