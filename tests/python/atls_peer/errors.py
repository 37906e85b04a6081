"""Why a connection ends."""


class Refused(Exception):
    """The peer broke a rule. `rule` is the section of docs/protocol.md that has it, `reason` its name in docs/vectors."""

    def __init__(self, rule: str, why: str, reason: str = "malformed"):
        super().__init__(f"{rule}: {why} ({reason})")
        self.rule, self.reason = rule, reason


class Rejected(Exception):
    """The peer refused this end, by an empty authenticator or a verdict."""
