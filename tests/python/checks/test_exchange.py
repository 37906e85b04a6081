"""The exchange between both ends of this package: forms, suites, keys, and that what is wrong is refused."""

import unittest

from atls_peer import authenticator, client, frames, identity, parameters
from atls_peer.end import End, Exchange, Outcome
from atls_peer.errors import Refused, Rejected

from .pair import DEVICES, end, run

CLIENT, SERVER = DEVICES["client"], DEVICES["server"]


class Forms(unittest.TestCase):
    def test_each_key_and_suite_completes_with_both_ends_attested(self):
        for kind in identity.KINDS:
            for suite in ("sha256", "sha384", "chacha"):
                with self.subTest(kind=kind, suite=suite):
                    theirs = end(kind, device=SERVER, peer=CLIENT.anchor())
                    ours = end(kind, device=CLIENT, peer=SERVER.anchor())
                    for outcome in run(ours, theirs, suite):
                        self.assertIsInstance(outcome, Outcome, outcome)
                        self.assertTrue(outcome.attested and outcome.peer_attested)

    def test_a_frame_is_taken_byte_by_byte(self):
        def slowly(channel, this):
            whole, channel.write = channel.write, lambda data: [whole(data[at : at + 1]) for at in range(len(data))]
            return client.exchange(channel, this)

        near, _ = run(end(peer=SERVER.anchor()), end(device=SERVER), client_exchange=slowly)
        self.assertTrue(near.peer_attested)

    def test_the_minimal_exchange_has_no_verdict(self):
        theirs = end(device=SERVER)
        ours = end(peer=SERVER.anchor(), minimal=True)
        near, far = run(ours, theirs)
        self.assertTrue(near.peer_attested and far.attested)
        self.assertIsNone(far.verdict)

    def test_a_server_that_looks_at_no_parameters_is_taken(self):
        near, far = run(end(peer=SERVER.anchor()), end(device=SERVER, minimal=True))
        self.assertTrue(near.peer_attested and far.attested)
        self.assertIsNone(far.verdict)

    def test_the_client_attests_first_where_both_say_so(self):
        theirs = end(device=SERVER, peer=CLIENT.anchor(), attest_first=True)
        ours = end(device=CLIENT, peer=SERVER.anchor(), attest_first=True)
        near, far = run(ours, theirs)
        self.assertTrue(near.peer_attested and far.peer_attested)

    def test_evidence_of_a_batch_is_taken_from_either_side(self):
        theirs = end(device=SERVER, peer=CLIENT.anchor(), in_batch=True)
        ours = end(device=CLIENT, peer=SERVER.anchor(), in_batch=True)
        near, far = run(ours, theirs)
        self.assertTrue(near.batch and far.batch and near.peer_attested and far.peer_attested)

    def test_a_client_that_wants_nothing_gets_a_plain_authenticator_and_sends_no_verdict(self):
        theirs = end(device=SERVER, peer=CLIENT.anchor())
        ours = end(device=CLIENT)
        near, far = run(ours, theirs)
        self.assertTrue(far.peer_attested)
        self.assertEqual((near.peer_attested, far.attested, far.verdict), (False, False, None))


class Refusals(unittest.TestCase):
    def refused(self, error, reason: str):
        self.assertIsInstance(error, Refused)
        self.assertEqual(error.reason, reason, error)

    def test_another_device_is_refused_by_verdict(self):
        theirs = end(device=CLIENT)
        ours = end(peer=SERVER.anchor())
        near, far = run(ours, theirs)
        self.refused(near, "bad-evidence")
        self.assertIsInstance(far, Rejected)

    def test_a_server_without_a_device_declines(self):
        theirs = end()
        ours = end(peer=SERVER.anchor())
        self.refused(run(ours, theirs)[0], "declined")

    def test_a_client_that_cannot_attest_and_must_is_told(self):
        theirs = end(device=SERVER, peer=CLIENT.anchor())
        ours = end(peer=SERVER.anchor())
        near, _ = run(ours, theirs)
        self.assertEqual(str(near), frames.MEANING[frames.NOT_OFFERED])

    def test_orders_that_do_not_meet_are_told(self):
        theirs = end(device=SERVER, peer=CLIENT.anchor(), attest_first=True)
        ours = end(device=CLIENT, peer=SERVER.anchor())
        near, _ = run(ours, theirs)
        self.assertEqual(str(near), frames.MEANING[frames.NOTHING_IN_COMMON])

    def test_another_key_than_that_of_the_handshake_is_refused(self):
        key, certificate = identity.make("p256", "localhost")
        near, _ = run(end(peer=SERVER.anchor()), end(device=SERVER), handshake=(key, certificate))
        self.refused(near, "key-mismatch")

    def test_a_client_that_presented_a_certificate_keeps_to_its_key(self):
        key, certificate = identity.make("p384", "client")
        theirs = end(device=SERVER, peer=CLIENT.anchor())
        same = End(key, [certificate], device=CLIENT, peer=SERVER.anchor())
        _, far = run(same, theirs, presented=(key, certificate))
        self.assertTrue(far.peer_attested)
        _, far = run(end(device=CLIENT, peer=SERVER.anchor()), theirs, presented=(key, certificate))
        self.refused(far, "key-mismatch")

    def test_http_before_the_servers_authenticator_is_refused(self):
        def hasty(channel, this):
            request = authenticator.Request.make("client", b"c" * 32, None, True)
            channel.write(frames.encode(frames.REQUEST, request.raw) + b"GET / HTTP/1.1\r\n\r\n")
            return channel.read(1)

        _, far = run(end(peer=SERVER.anchor()), end(device=SERVER), client_exchange=hasty)
        self.refused(far, "malformed")

    def test_a_spent_context_is_refused(self):
        exchange = Exchange(None, end(), "server")
        request = authenticator.Request.make("client", b"c" * 32, None, True)
        exchange.spend(request)
        with self.assertRaises(Refused):
            exchange.spend(request)

    def test_a_server_may_not_ask_a_client_that_said_it_cannot_attest(self):
        asked = parameters.Parameters(["a/b"], order=parameters.SERVER_FIRST)
        offered = parameters.Parameters(["a/b"], wants=True, can_attest=0)
        with self.assertRaises(Refused):
            client.check_order(None, offered, asked)
