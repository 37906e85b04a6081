//! Merges two results into one.

use crate::ear::Appraisal;
use crate::ear::Ear;
use crate::ear::TrustClaim;
use crate::ear::TrustVector;
use crate::ear::VerifierId;
use crate::ear::profile::CURRENT_PROFILE;

impl Ear {
    /// The result of two verifiers together: the worse of each claim, the older time of issue, the earlier end. A claim that is
    /// neither better nor worse, such as an issuer or a policy identifier, stands only if both state the same.
    #[must_use]
    pub(crate) fn worse(self, other: Self) -> Self {
        let mut submods = self.submods;
        for (name, appraisal) in other.submods {
            match submods.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = known.clone().worse(appraisal),
                None => submods.push((name, appraisal)),
            }
        }
        submods.sort_by(|(a, _), (b, _)| a.cmp(b));
        let ends = self.expires_at.into_iter().chain(other.expires_at);
        let statuses = self.status.into_iter().chain(other.status);
        Self {
            profile: if self.profile == other.profile {
                self.profile
            } else {
                CURRENT_PROFILE.to_owned()
            },
            status: statuses.max(),
            issued_at: self.issued_at.min(other.issued_at),
            expires_at: ends.min(),
            verifier: self.verifier.and(&other.verifier),
            issuer: self
                .issuer
                .filter(|issuer| other.issuer.as_ref() == Some(issuer)),
            nonce: self
                .nonce
                .filter(|nonce| other.nonce.as_ref() == Some(nonce)),
            confirmation: self
                .confirmation
                .filter(|key| other.confirmation.as_ref() == Some(key)),
            submods,
        }
    }
}

impl Appraisal {
    fn worse(mut self, other: Self) -> Self {
        self.policy_ids.retain(|id| other.policy_ids.contains(id));
        let also = other.extensions;
        self.extensions
            .retain(|name, value| also.get(name) == Some(value));
        Self {
            status: self.status.worst(other.status),
            vector: self.vector.worse(&other.vector),
            policy_ids: self.policy_ids,
            nonce: self
                .nonce
                .filter(|nonce| other.nonce.as_ref() == Some(nonce)),
            extensions: self.extensions,
        }
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
            developer: format!("{} & {}", self.developer, other.developer),
            build: format!("{} & {}", self.build, other.build),
        }
    }
}
