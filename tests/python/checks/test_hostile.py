"""Whatever a peer sends is taken or refused: no other error, at any length, with any byte changed."""

import random
import unittest

from atls_peer import attestation, authenticator, batch, cmw, frames, sim, weaker
from atls_peer.authenticator import Request
from atls_peer.errors import Refused
from atls_peer.parameters import Parameters, Selection

from .vectors import cases, raw, secrets_of

OTHER = {"client": "server", "server": "client"}
DEVICE = sim.Device()


def variants(data: bytes):
    """Cut at every length, and with bytes changed, the same ones in every run."""
    chance = random.Random(0)
    for length in range(len(data)):
        yield data[:length]
    for _ in range(300):
        at = chance.randrange(len(data))
        yield data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


class Hostile(unittest.TestCase):
    def never_fails_otherwise(self, data: bytes, read):
        for variant in variants(data):
            try:
                read(variant)
            except Refused:
                pass
            except Exception as error:
                self.fail(f"{error!r} of {variant.hex()}")

    def test_requests(self):
        for case in cases("requests")[:4]:
            self.never_fails_otherwise(raw(case, "request"), lambda data: Request.decode(case["sender"], data))

    def test_parameters_and_selections(self):
        offered = Parameters([])
        for case in cases("parameters", "requests"):
            of_client = case["sender"] == "client"
            self.never_fails_otherwise(raw(case, "data"), lambda data: Parameters.decode(data, of_client))
        for case in cases("parameters", "selections"):
            self.never_fails_otherwise(raw(case, "data"), lambda data: Selection.decode(data, offered))

    def test_authenticators(self):
        for case in cases("authenticators")[:7]:
            request = Request.decode(OTHER[case["sender"]], raw(case, "request"))
            secrets = secrets_of(case, case["sender"])
            self.never_fails_otherwise(raw(case, "authenticator"), lambda data: authenticator.verify(secrets, request, data, None))

    def test_certificates_that_verify_are_read_in_any_form(self):
        """The MAC covers a certificate, so that a peer can send any: here without one."""
        for case in cases("authenticators")[:4]:
            request = Request.decode(OTHER[case["sender"]], raw(case, "request"))
            self.never_fails_otherwise(raw(case, "certificate"), lambda data: authenticator.read_certificate(data, request))

    def test_wrappers(self):
        for case in cases("cmw"):
            self.never_fails_otherwise(raw(case, "cmw"), cmw.decode)

    def test_evidence_of_a_batch(self):
        for case in cases("batch", "batches")[1]["connections"]:
            self.never_fails_otherwise(raw(case, "cmw"), lambda data: batch.unwrap(data, b"b" * 32))

    def test_evidence(self):
        evidence = DEVICE.evidence(b"v" * 32)
        self.never_fails_otherwise(evidence, lambda data: sim.appraise(data, DEVICE.anchor(), b"v" * 32))

    def test_attestations(self):
        offer = attestation.offer(DEVICE, b"b" * 48, True)
        read = lambda data: attestation.appraise(attestation.read(data, b"b" * 48, True), DEVICE.anchor())
        self.never_fails_otherwise(offer, read)

    def test_certificates_with_evidence(self):
        for case in cases("pre-handshake", "certificates"):
            self.never_fails_otherwise(raw(case, "certificate"), weaker.read)

    def test_verdicts(self):
        for case in cases("verdicts"):
            self.never_fails_otherwise(raw(case, "verdict"), frames.Verdict.decode)

    def test_nesting_does_not_exhaust_the_stack(self):
        for data in (b"\x82" * 60_000, b"\xa1\x00" * 30_000, b"[" * 60_000, b'{"a":' * 10_000, b"\xda\x63\x74\x01\x01" * 10_000):
            with self.assertRaises(Refused):
                cmw.decode(data)

    def test_text_that_is_no_text_is_refused(self):
        for data in (b'{"\\ud800":["a/b","AA"]}', b'["a/\\ud800","AA"]', b'["a/b","\\ud800"]', b"\xa1\x61\xff\x82\x63a/b\x41\x00", b'[1e999,"AA"]'):
            with self.assertRaises(Refused):
                cmw.decode(data)
