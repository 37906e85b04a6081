//! Results as verifiers state them, and how strong they are.

use atls_core::Appraised;
use atls_core::Binding;
use atls_core::Bound;
use atls_core::Origin;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use proptest::prelude::*;
use proptest::sample::select;

use super::NOW;
use super::support;
use test_support::at;

/// All of a result that merging can weaken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stated {
    pub(super) claim: i8,
    /// The key that the Evidence names, of which one byte tells it apart.
    pub(super) key: Option<u8>,
    bound_to: BoundTo,
    origin: Origin,
    issued_at: u64,
    expires_at: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum BoundTo {
    Connection,
    /// The key, which is then named.
    Key(u8),
}

impl Stated {
    pub(super) fn claiming(claim: i8) -> Self {
        Self {
            claim,
            key: None,
            bound_to: BoundTo::Connection,
            origin: Origin::Device,
            issued_at: NOW,
            expires_at: None,
        }
    }

    pub(super) fn with_claim(self, claim: i8) -> Self {
        Self { claim, ..self }
    }

    pub(super) fn with_key(self, key: u8) -> Self {
        Self {
            key: Some(key),
            ..self
        }
    }

    pub(super) fn issued_at(self, issued_at: u64) -> Self {
        Self { issued_at, ..self }
    }

    pub(super) fn is_from_future(&self) -> bool {
        self.issued_at > NOW + 60
    }

    pub(super) fn give(&self, bound: &Bound) -> Appraised {
        let vector = TrustVector::new().with(Category::Hardware, TrustClaim::new(self.claim));
        let verifier = VerifierId::new("test", "1");
        let issued_at = at(self.issued_at);
        let ear = Ear::local(verifier, issued_at, "device", Appraisal::new(vector));
        let ear = match self.expires_at {
            Some(end) => ear.with_expiry(at(end)),
            None => ear,
        };
        if let BoundTo::Key(key) = self.bound_to {
            return Appraised::bound_to_key_only(ear, self.origin, vec![key]);
        }
        let matched = support::matched(bound);
        let result = Appraised::bound_to_connection(ear, self.origin, matched);
        match self.key {
            Some(key) => result.with_attested_key(vec![key]),
            None => result,
        }
    }

    pub(super) fn strength(&self) -> Strength {
        Strength {
            binding: match self.bound_to {
                BoundTo::Connection => Binding::Connection,
                BoundTo::Key(_) => Binding::Key,
            },
            is_of_device: self.origin == Origin::Device,
            issued_at: self.issued_at,
            expires_at: self.expires_at.unwrap_or(u64::MAX),
        }
    }
}

/// How strong a result is, beside its status: of each, the lesser is the weaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Strength {
    binding: Binding,
    is_of_device: bool,
    issued_at: u64,
    expires_at: u64,
}

impl Strength {
    pub(super) fn of(result: &Appraised) -> Self {
        let ear = result.ear();
        Self {
            binding: result.binding(),
            is_of_device: result.origin() == Origin::Device,
            issued_at: ear.issued_at().as_secs(),
            expires_at: ear.expires_at().map_or(u64::MAX, |end| end.as_secs()),
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            binding: self.binding.min(other.binding),
            is_of_device: self.is_of_device.min(other.is_of_device),
            issued_at: self.issued_at.min(other.issued_at),
            expires_at: self.expires_at.min(other.expires_at),
        }
    }
}

/// Any result. Two different keys are rare, so that most results can be merged.
pub(super) fn any() -> impl Strategy<Value = Stated> {
    let key = select(vec![None, None, Some(1), Some(1), Some(1), Some(2)]);
    let claim = select(vec![2, 2, 32, 1, 96]);
    let origin = select(vec![Origin::Device, Origin::Device, Origin::Simulated]);
    let issued_at = select(vec![NOW - 3600, NOW, NOW, NOW + 60, NOW + 61]);
    let expires_at = select(vec![None, Some(NOW - 1), Some(NOW + 10), Some(NOW + 100)]);
    let all = (
        claim,
        key,
        proptest::bool::ANY,
        origin,
        issued_at,
        expires_at,
    );
    all.prop_map(
        |(claim, key, to_key, origin, issued_at, expires_at)| Stated {
            claim,
            key,
            bound_to: match key {
                Some(key) if to_key => BoundTo::Key(key),
                _ => BoundTo::Connection,
            },
            origin,
            issued_at,
            expires_at,
        },
    )
}
