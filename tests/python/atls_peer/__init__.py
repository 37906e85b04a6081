"""A second implementation of docs/protocol.md, written from that page and the RFCs that it cites."""

import os
from pathlib import Path

# OpenSSL reads this when it is first used, so it stands here. pyOpenSSL has no other way to make a server that gives no tickets.
os.environ["OPENSSL_CONF"] = str(Path(__file__).with_name("openssl.cnf"))
