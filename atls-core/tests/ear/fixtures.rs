//! The issuer of the forged results, and the time of the recorded ones.

use atls_core::ear::Tier;

pub(crate) const RECORDED_AT: u64 = 1_795_468_100;

/// One recorded token: the file, its session's nonce, and its status.
pub(crate) const VERAISON: [(&str, &str, Tier); 5] = [
    (
        "veraison-cca-affirming",
        "byTWuWNaLIu_WOkIuU4Ewb-zroDN6-gyQkV4SZ_jF2Hn9eHYvOASGET1Sr36UobaiPU6ZXsVM1yTlrQyklS8XA",
        Tier::Affirming,
    ),
    (
        "veraison-parsec-tpm-affirming",
        "byTWuWNaLIu_WOkIuU4Ewb-zroDN6-gyQkV4SZ_jF2Hn9eHYvOASGET1Sr36UobaiPU6ZXsVM1yTlrQyklS8XA",
        Tier::Affirming,
    ),
    (
        "veraison-psa-affirming",
        "QUp8F0FBs9DpodKK8xUg8NQimf6sQAfe2J1ormzZLxk",
        Tier::Affirming,
    ),
    (
        "veraison-psa-wrong-nonce-contraindicated",
        "3q2-796tvu_erb7v3q2-796tvu_erb7v3q2-796tvu8",
        Tier::Contraindicated,
    ),
    (
        "veraison-tpm-enacttrust-affirming-any-nonce",
        "3q2-796tvu_erb7v3q2-796tvu_erb7v3q2-796tvu8",
        Tier::Affirming,
    ),
];
