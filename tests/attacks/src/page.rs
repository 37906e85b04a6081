//! The table, for the terminal and for `docs/attacks.md`.

use std::fmt::Write;

use crate::outcome::Cell;
use crate::outcome::Row;

/// The rows as a table of Markdown.
pub fn table(rows: &[Row]) -> String {
    let mut table = String::from(
        "| | attack | pre-handshake (RA-TLS) | intra-handshake | post-handshake |\n|---|---|---|---|---|\n",
    );
    for row in rows {
        let [pre, intra, post] = row.cells.each_ref().map(cell);
        let (id, title) = (row.id, row.title);
        writeln!(table, "| {id} | {title} | {pre} | {intra} | {post} |").unwrap();
    }
    table
}

/// `docs/attacks.md`.
pub fn page(rows: &[Row]) -> String {
    let mut page = format!("{HEAD}{}\n## The attacks\n", table(rows));
    for row in rows {
        let (id, title, text) = (row.id, row.title, row.text);
        write!(page, "\n**{id}, {title}.** {text}").unwrap();
        let mut reasons: Vec<_> = row.cells.iter().filter_map(reason).collect();
        reasons.dedup();
        for reason in reasons {
            write!(page, " (Not applicable: {reason}.)").unwrap();
        }
        page.push('\n');
    }
    page.push_str(REPORTED);
    page
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Succeeds => "**succeeds**".to_owned(),
        other => other.to_string(),
    }
}

fn reason(cell: &Cell) -> Option<&'static str> {
    match cell {
        Cell::NotApplicable(reason) => Some(reason),
        Cell::Refused(_) | Cell::Succeeds => None,
    }
}

const HEAD: &str = "\
# Attacks

Which mode is open to replay, relay and diversion? This page answers by trying. `cargo run -p attacks` runs each attack against
each of the three modes, over real sockets, and writes this page. If an outcome differs from the expected one, it names the
difference, fails, and writes nothing. A test fails too where this page differs from the outcomes of a run.

The victim is a client that demands attestation, or, where the row says so, a server that demands it of its clients. In the
weaker modes its policy accepts their binding (`dangerous_accept_binding`) and any certificate, as such peers need; in the
post-handshake mode a client checks the certificate and name as every HTTPS client does. An attack *succeeds* when the victim
accepts: the victim then sends something, and the run checks that the attacker, or the server that the victim was led to, reads
it. *Refused* names the check that refused; the run then checks that nobody reads anything. T1 and T4 look at something else,
which their paragraphs name.

";

const REPORTED: &str = "
## Reported weaknesses of such software

Published reports about implementations of attested TLS, and the attack here that tries the same on this one.

| report | in essence | tried by |
|---|---|---|
| CVE-2026-33697 | relay with an extracted TLS key, where nonce and public key are all that is bound | L2 |
| CVE-2026-112377 | the holder of an extracted TLS key forwards the relying party's nonce to the genuine attester | L2 |
| CVE-2026-92702 | a verifier accepts an expected value that is empty or left out | K2; `Evidence` cannot be made without a `Bound` |
| CVE-2026-92701 | a verifier never compares the report data with the session | R1, L2, K2 |
| CVE-2026-119344 | diversion: any genuine platform is accepted | D1, D1 pinned, D2 |
| CVE-2026-108265 to 108269 | certificate or quote is not bound to the TLS session | R1, L1, L2, K1 |
| CVE-2026-108361 | state changes between verification and use | T5, T3: a decision is of one connection, and of no other that takes its place |
| stale Evidence at re-attestation | the binder is constant for a connection | R2 |
| ambiguity after a HelloRetryRequest | what the ends hash differs | `a_hello_retry_request_changes_no_nonce` in `tests/tests/weaker` |
";
