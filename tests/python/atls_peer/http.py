"""One request of HTTP/1.1 over an attested connection."""

from .errors import Refused

LONGEST = 1 << 20


def get(channel, host: str, target: str) -> tuple[int, str]:
    channel.write(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = b""
    while part := channel.read_some():
        answer += part
        if len(answer) > LONGEST or answer[:1] != b"H":
            raise Refused("HTTP", "an answer that is too long, or none")
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")):
        raise Refused("HTTP", f"no answer: {answer[:40]!r}")
    return int(head[9:12]), body.decode(errors="replace")


def answer(channel, body: str) -> str:
    """Reads one request without a body, answers it, and says what it was."""
    request = b""
    while b"\r\n\r\n" not in request:
        part = channel.read_some()
        request += part
        if not part or len(request) > LONGEST or not request[:1].isalpha():
            raise Refused("§8", "no request of HTTP, but something out of order")
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body.encode())}\r\nConnection: close\r\n\r\n"
    channel.write((head + body).encode())
    return request.partition(b"\r\n")[0].decode(errors="replace")
