"""The client's side of the exchange (§8)."""

from . import frames, sim
from .end import Exchange
from .errors import Refused
from .parameters import CLIENT_FIRST, Parameters


def exchange(channel, end) -> Exchange:
    run = Exchange(channel, end, "client")
    offered = None if end.minimal else offer(end)
    ours = run.ask(offered, attest=end.peer is not None)
    kind, payload = first_answer(run)
    asked = None
    if kind == frames.REQUEST:
        asked = run.asked(payload)
        check_order(run, offered, asked[1])
        if asked[1].order == CLIENT_FIRST:
            attest(run, asked)
            asked = None
        payload = run.expect(frames.AUTHENTICATOR)
    run.judge(ours, offered, payload)
    if asked is not None:
        attest(run, asked)
    return run


def offer(end) -> Parameters:
    can_attest = 0 if end.device is None else 2 if end.attest_first else 1
    wants = end.peer is not None
    # Verdicts are offered by one that wants nothing too, as a peer may; there is nothing then that one could be on.
    return Parameters([sim.MEDIA_TYPE] if wants else [], batches=wants, wants=wants, can_attest=can_attest)


def first_answer(run: Exchange) -> tuple[int, bytes]:
    kind, payload = run.receive()
    if kind == frames.VERDICT and not run.end.minimal:
        run.hear(frames.Verdict.decode(payload))
    if kind == frames.VERDICT:
        raise Refused("§8", "a verdict on nothing")
    return kind, payload


def check_order(run: Exchange, offered: Parameters | None, asked: Parameters | None):
    if asked is None or offered is None or offered.can_attest == 0:
        raise Refused("§8", "asked to attest, which this end did not say it can")
    if asked.order == CLIENT_FIRST and offered.can_attest != 2:
        raise Refused("§8", "asked to attest first, which this end did not say it would")


def attest(run: Exchange, asked):
    if run.answer(*asked):
        run.hear(frames.Verdict.decode(run.expect(frames.VERDICT)))
