"""The vectors of the weaker modes."""

import hashlib
import unittest

from atls_peer import cmw, der, weaker
from atls_peer.errors import Refused

from .vectors import cases, raw


class Certificates(unittest.TestCase):
    def refused(self, case: dict, act):
        with self.assertRaises(Refused) as caught:
            act()
        self.assertEqual(caught.exception.reason, case["reason"], f"{case['because']}; refused as: {caught.exception}")

    def test_values_of_keys(self):
        for case in cases("pre-handshake", "values"):
            with self.subTest(case["key"]):
                spki = raw(case, "public_key")
                self.assertEqual(weaker.key_value(spki), raw(case, "value"))
                self.assertEqual(weaker.claims(spki), raw(case, "claims"))
                self.assertEqual(weaker.report_data(weaker.claims(spki)), raw(case, "report_data"))

    def test_values_of_nonces(self):
        for case in cases("intra-handshake", "values"):
            with self.subTest(case["key"]):
                self.assertEqual(hashlib.sha256(raw(case, "preimage")).digest(), raw(case, "value"))
                made = weaker.nonce_value(case["attester"], raw(case, "nonce"), raw(case, "public_key"))
                self.assertEqual(made, raw(case, "value"))

    def test_names_that_carry_a_nonce(self):
        for case in cases("intra-handshake", "names"):
            self.assertEqual(weaker.nonce_name(raw(case, "nonce")), raw(case, "name"))

    def test_evidence_in_certificates_is_found_and_bound_to_the_key(self):
        for case in cases("pre-handshake", "certificates"):
            with self.subTest(case["name"]):
                found = pre_handshake(raw(case, "certificate"))
                if isinstance(found, weaker.Quote):
                    self.assertEqual(found.report_data, raw(case, "report_data"))
                    self.assertEqual(found.raw, cmw.decode(raw(case, "cmw")).value)
                else:
                    self.assertEqual(cmw.encode(*found), raw(case, "cmw"))

    def test_evidence_over_a_nonce_is_found_and_bound_to_it(self):
        for case in cases("intra-handshake", "certificates"):
            with self.subTest(case["name"]):
                self.assertEqual(cmw.encode(*intra_handshake(case)), raw(case, "cmw"))

    def test_what_is_wrong_is_refused_for_its_reason(self):
        for case in cases("pre-handshake", "refused"):
            with self.subTest(case["name"]):
                self.refused(case, lambda: pre_handshake(raw(case, "certificate")))
        for case in cases("intra-handshake", "refused"):
            with self.subTest(case["name"]):
                self.refused(case, lambda: intra_handshake(case))


def pre_handshake(certificate: bytes):
    """As a relying party: the Evidence of the vectors is the value itself, and their quotes end with their report data."""
    found = weaker.read(certificate)
    value = weaker.key_value(der.subject_public_key_info(certificate))
    if isinstance(found, weaker.Quote):
        require(found.raw[-64:] == found.report_data)
    else:
        require(all(item.value == value for item in found))
    return found


def intra_handshake(case: dict):
    certificate = raw(case, "certificate")
    found = weaker.read(certificate)
    if isinstance(found, weaker.Quote):
        raise Refused("§12", "a quote without CMW has no room for a nonce", "no-attestation")
    value = weaker.nonce_value(case["attester"], raw(case, "nonce"), der.subject_public_key_info(certificate))
    require(all(item.value == value for item in found))
    return found


def require(bound: bool):
    if not bound:
        raise Refused("§11", "Evidence over another value", "not-bound")
