use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::outcome::Row;

/// Every cell that came out otherwise than it must, one line each: none where all is well.
pub fn unexpected(rows: &[Row]) -> Vec<String> {
    let found: BTreeMap<_, _> = rows
        .iter()
        .map(|row| (row.id, row.cells.each_ref().map(ToString::to_string)))
        .collect();
    let expected: BTreeMap<_, _> = EXPECTED.iter().copied().collect();
    if found.len() != rows.len() || expected.len() != EXPECTED.len() {
        return vec!["two attacks have one name".to_owned()];
    }
    let ids: BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    let mut differences = Vec::new();
    for id in ids {
        let (Some(found), Some(expected)) = (found.get(id), expected.get(id)) else {
            differences.push(format!("{id}: not run, or not expected"));
            continue;
        };
        for ((mode, found), expected) in COLUMNS.iter().zip(found).zip(expected) {
            if found != expected {
                differences.push(format!("{id}, {mode}: expected {expected}, found {found}"));
            }
        }
    }
    differences
}

const COLUMNS: [&str; 3] = ["pre-handshake", "intra-handshake", "post-handshake"];

/// The outcome that each attack must have: pre-handshake, intra-handshake, post-handshake.
const EXPECTED: &[(&str, [&str; 3])] = &[
    ("R1", ["SUCCEEDS", "refused: NotBound", "refused: NotBound"]),
    ("R1b", ["SUCCEEDS", "refused: NotBound", "n/a"]),
    ("R2", ["n/a", "n/a", "refused: ContextMismatch, NotBound"]),
    ("R3", ["n/a", "n/a", "refused: ContextSpent"]),
    (
        "L1",
        [
            "refused: NotBound",
            "refused: NotBound",
            "refused: BadFinished",
        ],
    ),
    ("L2", ["SUCCEEDS", "SUCCEEDS", "refused: NotBound"]),
    ("L3", ["SUCCEEDS", "SUCCEEDS", "SUCCEEDS"]),
    (
        "L4",
        ["SUCCEEDS", "refused: NoAttestation", "refused: BadFinished"],
    ),
    (
        "O1",
        [
            "refused: NotBound",
            "refused: NotBound",
            "refused: NotBound",
        ],
    ),
    ("D1", ["SUCCEEDS", "SUCCEEDS", "refused: NotValidForName"]),
    ("D1 mis-issued", ["n/a", "n/a", "SUCCEEDS"]),
    (
        "D1 pinned",
        [
            "refused: UnknownInstance",
            "refused: UnknownInstance",
            "refused: UnknownInstance",
        ],
    ),
    ("D2", ["SUCCEEDS", "SUCCEEDS", "refused: NotValidForName"]),
    ("D2 mis-issued", ["n/a", "n/a", "SUCCEEDS"]),
    (
        "D2 pinned",
        [
            "refused: UnknownInstance",
            "refused: UnknownInstance",
            "refused: UnknownInstance",
        ],
    ),
    (
        "K1",
        [
            "refused: NotBound",
            "refused: NotBound",
            "refused: KeyMismatch, NotBound",
        ],
    ),
    (
        "K2",
        [
            "refused: Malformed, NotBound",
            "refused: Malformed, NotBound",
            "refused: Malformed, NotBound",
        ],
    ),
    ("F1", ["SUCCEEDS", "refused: NoAttestation", "n/a"]),
    (
        "F2",
        [
            "refused: KeyMismatch, NotBound, UnknownEvidence, Malformed",
            "n/a",
            "n/a",
        ],
    ),
    (
        "X1",
        [
            "SUCCEEDS",
            "refused: NotBound",
            "refused: ContextMismatch, BadFinished",
        ],
    ),
    ("X2", ["n/a", "n/a", "refused: NotBound"]),
    ("B1", ["n/a", "n/a", "refused: NotBound"]),
    (
        "B2",
        [
            "n/a",
            "n/a",
            "refused: Proof(Unexpected), Proof(NotOfBatch), Proof(Index), Proof(Size), Proof(PathLength), Proof(Malformed)",
        ],
    ),
    (
        "R1 server",
        ["SUCCEEDS", "refused: NotBound", "refused: NotBound"],
    ),
    ("L2 server", ["SUCCEEDS", "SUCCEEDS", "refused: NotBound"]),
    ("D1 server", ["SUCCEEDS", "SUCCEEDS", "SUCCEEDS"]),
    (
        "D1 server, pinned",
        [
            "refused: UnknownInstance",
            "refused: UnknownInstance",
            "refused: UnknownInstance",
        ],
    ),
    (
        "K1 server",
        [
            "refused: NotBound",
            "refused: NotBound",
            "refused: NotBound",
        ],
    ),
    (
        "N1",
        [
            "refused: NoAttestation",
            "refused: NoAttestation",
            "refused: NoAttestation",
        ],
    ),
    ("N2", ["n/a", "n/a", "refused: Declined"]),
    (
        "N3",
        [
            "refused: Unreachable",
            "refused: Unreachable",
            "refused: Unreachable",
        ],
    ),
    (
        "N4",
        [
            "refused: Malformed",
            "refused: Malformed",
            "refused: Malformed",
        ],
    ),
    (
        "T1",
        [
            "refused: full handshake",
            "refused: full handshake",
            "refused: full handshake",
        ],
    ),
    (
        "T2",
        [
            "refused: PeerUnattested",
            "refused: PeerUnattested",
            "refused: PeerUnattested",
        ],
    ),
    (
        "T3",
        [
            "refused: NoAttestation",
            "refused: NoAttestation",
            "refused: Declined",
        ],
    ),
    (
        "T4",
        [
            "refused: TimedOut",
            "refused: TimedOut",
            "refused: TimedOut",
        ],
    ),
    (
        "T5",
        [
            "refused: NoAttestation",
            "refused: NoAttestation",
            "refused: Declined",
        ],
    ),
    (
        "M1",
        [
            "refused: NotChained",
            "refused: NotChained",
            "refused: NotChained",
        ],
    ),
    ("M2", ["SUCCEEDS", "SUCCEEDS", "SUCCEEDS"]),
    ("P1", ["SUCCEEDS", "refused: NotBound", "refused: NotBound"]),
    (
        "TPM R1",
        ["SUCCEEDS", "refused: NotBound", "refused: NotBound"],
    ),
    (
        "TPM reset",
        [
            "SUCCEEDS",
            "refused: attestation status is contraindicated",
            "refused: attestation status is contraindicated",
        ],
    ),
    ("TPM reset alone", ["SUCCEEDS", "SUCCEEDS", "SUCCEEDS"]),
    (
        "TPM reset alone, counted",
        [
            "refused: attestation status is contraindicated",
            "refused: attestation status is contraindicated",
            "refused: attestation status is contraindicated",
        ],
    ),
    ("TPM cuckoo", ["SUCCEEDS", "SUCCEEDS", "SUCCEEDS"]),
];
