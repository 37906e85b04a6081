"""The server's side of the exchange (§8)."""

from . import frames, sim
from .end import Exchange
from .errors import Refused
from .parameters import CLIENT_FIRST, OTHER_PROFILE, SERVER_FIRST, Parameters


def exchange(channel, end) -> Exchange:
    run = Exchange(channel, end, "server")
    request, parameters = asked(run)
    back = ask_back(run, parameters)
    if end.attest_first and back is not None:
        take(run, back)
        attest(run, request, parameters)
    else:
        attest(run, request, parameters)
        if back is not None:
            take(run, back)
    return run


def asked(run: Exchange):
    try:
        return run.asked(run.expect(frames.REQUEST))
    except Refused as error:
        if error.reason == OTHER_PROFILE:
            run.send(frames.VERDICT, frames.Verdict(frames.NOTHING_IN_COMMON).encode())
        raise


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


def take(run: Exchange, back):
    request, wanted = back
    run.judge(request, wanted, run.expect(frames.AUTHENTICATOR))
