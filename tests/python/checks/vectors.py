"""Reads docs/vectors: every string of hexadecimal digits as bytes where a check asks for them."""

import json
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from atls_peer.authenticator import Secrets

FOLDER = Path(__file__).parents[3] / "docs" / "vectors"
HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384()}


def load(name: str) -> dict:
    return json.loads((FOLDER / f"{name}.json").read_text())


def cases(name: str, part: str = "cases") -> list[dict]:
    """Never none: a check of no case would pass."""
    found = load(name)[part]
    if not found:
        raise AssertionError(f"{name}.json has no {part}")
    return found


def raw(case: dict, name: str) -> bytes:
    return bytes.fromhex(case[name])


def hash_of(case: dict) -> str:
    return "sha" + case["suite"][-3:]


def exporter_of(case: dict):
    """The exporter of the connection with that secret, as TLS libraries have it (RFC 9846 §7.5)."""
    digest, secret = HASHES[hash_of(case)], raw(case, "exporter_secret")

    def expand(key: bytes, label: bytes, context: bytes, length: int) -> bytes:
        label = b"tls13 " + label
        info = length.to_bytes(2, "big") + bytes([len(label)]) + label + bytes([len(context)]) + context
        return HKDFExpand(digest, length, info).derive(key)

    def hashed(data: bytes) -> bytes:
        state = hashes.Hash(digest)
        state.update(data)
        return state.finalize()

    def exporter(label: bytes, context: bytes, length: int) -> bytes:
        return expand(expand(secret, label, hashed(b""), digest.digest_size), b"exporter", hashed(context), length)

    return exporter


def secrets_of(case: dict, sender: str) -> Secrets:
    return Secrets.export(sender, hash_of(case), exporter_of(case))
