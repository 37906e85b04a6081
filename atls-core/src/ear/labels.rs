//! The labels of claims in a CWT, and the CBOR types of their values.

use super::profile::IETF;
use super::tier::Category;

/// A claim that this crate reads.
pub(super) struct Claim {
    pub(super) label: i128,
    pub(super) name: &'static str,
    pub(super) shape: Shape,
}

/// The CBOR type of a claim's value. No registered claim is tagged.
pub(super) enum Shape {
    Integer,
    Map(&'static [Claim]),
    Nonce,
    Submods,
    Text,
    Texts,
    Tier,
    /// Any type. The reader of the claim checks it.
    Any,
}

/// RFC 8392 §4, RFC 8747 §7.1, RFC 9711 §10.1, draft-ietf-rats-ear §3 and §8.
pub(super) const TOKEN: &[Claim] = &[
    claim(1, "iss", Shape::Text),
    claim(3, "aud", Shape::Any),
    claim(4, "exp", Shape::Integer),
    claim(5, "nbf", Shape::Integer),
    claim(6, "iat", Shape::Integer),
    claim(8, "cnf", Shape::Any),
    claim(10, "eat_nonce", Shape::Nonce),
    claim(265, "eat_profile", Shape::Text),
    claim(266, "submods", Shape::Submods),
    claim(1000, IETF.status, Shape::Tier),
    claim(1004, IETF.verifier, Shape::Map(VERIFIER)),
];

/// draft-ietf-rats-ear §3: the appraisal of one part.
pub(super) const APPRAISAL: &[Claim] = &[
    claim(10, "eat_nonce", Shape::Nonce),
    claim(1000, IETF.status, Shape::Tier),
    claim(1001, IETF.vector, Shape::Map(VECTOR)),
    claim(1003, IETF.policy, Shape::Texts),
];

/// draft-ietf-rats-ear §3: `ear_verifier_id`.
const VERIFIER: &[Claim] = &[
    claim(0, "developer", Shape::Text),
    claim(1, "build", Shape::Text),
];

/// draft-ietf-rats-ear §3: the vector of draft-ietf-rats-ar4si.
const VECTOR: &[Claim] = &[
    claim(0, Category::InstanceIdentity.name(), Shape::Integer),
    claim(1, Category::Configuration.name(), Shape::Integer),
    claim(2, Category::Executables.name(), Shape::Integer),
    claim(3, Category::FileSystem.name(), Shape::Integer),
    claim(4, Category::Hardware.name(), Shape::Integer),
    claim(5, Category::RuntimeOpaque.name(), Shape::Integer),
    claim(6, Category::StorageOpaque.name(), Shape::Integer),
    claim(7, Category::SourcedData.name(), Shape::Integer),
];

const fn claim(label: i128, name: &'static str, shape: Shape) -> Claim {
    Claim { label, name, shape }
}
