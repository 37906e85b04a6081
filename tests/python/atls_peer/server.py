"""The server's side of the exchange (§8)."""

from . import frames, sim
from .end import Exchange
from .errors import Refused
from .parameters import CLIENT_FIRST, SERVER_FIRST, Parameters


def exchange(channel, end) -> Exchange:
    run = Exchange(channel, end, "server")
    request, parameters = run.asked(run.expect(frames.REQUEST))
    asked = ask_back(run, parameters)
    if end.attest_first and asked is not None:
        take(run, asked)
        attest(run, request, parameters)
    else:
        attest(run, request, parameters)
        if asked is not None:
            take(run, asked)
    return run


def ask_back(run: Exchange, parameters: Parameters | None):
    """Asks the client to attest, if this server wants it and the client can; None is that it was not asked."""
    end = run.end
    if end.peer is None:
        return None
    if parameters is None or parameters.can_attest == 0:
        return None if not end.must else refuse(run, parameters, frames.NOT_OFFERED)
    if end.attest_first and parameters.can_attest != CLIENT_FIRST:
        return refuse(run, parameters, frames.NOTHING_IN_COMMON)
    order = CLIENT_FIRST if end.attest_first else SERVER_FIRST
    wanted = Parameters([sim.MEDIA_TYPE], batches=True, order=order)
    return run.ask(wanted, attest=True), wanted


def refuse(run: Exchange, parameters: Parameters | None, code: int):
    verdict = frames.Verdict(code)
    if parameters is not None:
        run.send(frames.VERDICT, verdict.encode())
    raise Refused("§8", str(verdict))


def attest(run: Exchange, request, parameters: Parameters | None):
    if run.answer(request, parameters):
        run.hear(frames.Verdict.decode(run.expect(frames.VERDICT)))


def take(run: Exchange, asked):
    request, wanted = asked
    run.judge(request, wanted, run.expect(frames.AUTHENTICATOR))
