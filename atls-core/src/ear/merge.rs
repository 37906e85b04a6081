//! Merges two results into one.

use crate::ear::Appraisal;
use crate::ear::Ear;
use crate::ear::TrustClaim;
use crate::ear::TrustVector;
use crate::ear::VerifierId;
use crate::ear::profile::IETF;
use crate::ear::result::Further;
use crate::ear::result::Stated;

impl Ear {
    /// The result of two verifiers together: the worse of each claim, the older time of issue, the earlier end. A claim that is
    /// neither better nor worse, such as an issuer or a policy identifier, stands only if both state the same.
    #[must_use]
    pub(crate) fn worse(self, other: Self) -> Self {
        let mut submods = self.submods.into_vec();
        for (name, appraisal) in other.submods {
            match submods.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = known.clone().worse(appraisal),
                None => submods.push((name, appraisal)),
            }
        }
        submods.sort_by(|(a, _), (b, _)| a.cmp(b));
        let ends = self.expires_at.into_iter().chain(other.expires_at);
        Self {
            names: if self.names == other.names {
                self.names
            } else {
                &IETF
            },
            issued_at: self.issued_at.min(other.issued_at),
            expires_at: ends.min(),
            verifier: self.verifier.and(&other.verifier),
            stated: Stated::worse(self.stated, other.stated),
            submods: submods.into(),
        }
    }
}

impl Stated {
    fn worse(one: Option<Box<Self>>, other: Option<Box<Self>>) -> Option<Box<Self>> {
        let one = *one.unwrap_or_default();
        let other = *other.unwrap_or_default();
        Self {
            status: one.status.into_iter().chain(other.status).max(),
            issuer: one.issuer.filter(|it| other.issuer.as_ref() == Some(it)),
            nonce: one.nonce.filter(|it| other.nonce.as_ref() == Some(it)),
            confirmation: one
                .confirmation
                .filter(|key| other.confirmation.as_ref() == Some(key)),
        }
        .boxed()
    }
}

impl Appraisal {
    fn worse(self, other: Self) -> Self {
        Self {
            status: self.status.worst(other.status),
            vector: self.vector.worse(&other.vector),
            further: Further::common(self.further, other.further),
        }
    }
}

impl Further {
    fn common(one: Option<Box<Self>>, other: Option<Box<Self>>) -> Option<Box<Self>> {
        let (mut one, other) = (*one?, *other?);
        one.policy_ids.retain(|id| other.policy_ids.contains(id));
        one.extensions
            .retain(|name, value| other.extensions.get(name) == Some(value));
        one.nonce = one.nonce.filter(|it| other.nonce.as_ref() == Some(it));
        one.boxed()
    }
}

impl TrustVector {
    /// The worse claim of each category. A verifier without a claim contradicts nobody; its status says how little it knows.
    fn worse(self, other: &Self) -> Self {
        other.claims().fold(self, |vector, (category, claim)| {
            let known = vector.get(category);
            let unclaimed = known == TrustClaim::NO_CLAIM;
            let worse = claim != TrustClaim::NO_CLAIM && claim.tier() > known.tier();
            if unclaimed || worse {
                vector.with(category, claim)
            } else {
                vector
            }
        })
    }
}

impl VerifierId {
    fn and(self, other: &Self) -> Self {
        if self == *other {
            return self;
        }
        Self {
            developer: format!("{} & {}", self.developer, other.developer).into(),
            build: format!("{} & {}", self.build, other.build).into(),
        }
    }
}
