/// What must come of each attack: pre-handshake, intra-handshake, post-handshake.
pub const EXPECTED: &[(&str, [&str; 3])] = &[
    ("R1", ["SUCCEEDS", "refused: NotBound", "refused: NotBound"]),
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
    ("O1", ["refused: NotBound", "n/a", "refused: NotBound"]),
    ("D1", ["SUCCEEDS", "SUCCEEDS", "refused: certificate"]),
    ("D1 mis-issued", ["n/a", "n/a", "SUCCEEDS"]),
    (
        "D1 pinned",
        [
            "refused: another machine",
            "refused: another machine",
            "refused: another machine",
        ],
    ),
    ("D2", ["SUCCEEDS", "SUCCEEDS", "refused: certificate"]),
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
        ["SUCCEEDS", "refused: NotBound", "refused: ContextMismatch"],
    ),
    ("X2", ["n/a", "n/a", "refused: NotBound"]),
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
        ["refused: Expired", "refused: Expired", "refused: Expired"],
    ),
    ("P1", ["SUCCEEDS", "refused: NotBound", "refused: NotBound"]),
];
