"""Media types (RFC 9110 §8.3.1), in one spelling, so that they can be compared."""

import re

from .errors import Refused

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
WHOLE = re.compile(rf"({TOKEN})/({TOKEN})((?: *;(?: *{TOKEN}=(?:{TOKEN}|{QUOTED}))?)*) *")
PARAMETER = re.compile(rf"({TOKEN})=(?:({TOKEN})|({QUOTED}))")


def normal(text: str, rule: str = "§5 CMW", reason: str = "malformed") -> str:
    """Names in lower case, values as they are and quoted."""
    whole = WHOLE.fullmatch(text)
    if not whole:
        raise Refused(rule, "a type that is no media type", reason)
    parameters = {}
    for name, token, quoted in PARAMETER.findall(whole[3]):
        if name.lower() in parameters:
            raise Refused(rule, "a media type with a parameter twice", reason)
        parameters[name.lower()] = token or re.sub(r"\\(.)", r"\1", quoted[1:-1])
    quote = {name: re.sub(r'(["\\])', r"\\\1", value) for name, value in parameters.items()}
    form = f"{whole[1]}/{whole[2]}".lower() + "".join(f'; {name}="{value}"' for name, value in quote.items())
    if len(form) > 255:
        raise Refused(rule, "a media type that is too long", reason)
    return form
