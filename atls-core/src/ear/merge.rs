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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ear::Category;
    use crate::ear::Tier;
    use crate::ear::profile;
    use crate::policy::sample::ear;

    #[test]
    fn the_worse_of_two_stated_statuses_holds() {
        let with = |status| {
            let mut ear = ear("device", 2);
            ear.stated = Stated {
                status,
                ..Stated::default()
            }
            .boxed();
            ear
        };
        let contraindicated = Some(Tier::Contraindicated);
        for other in [None, Some(Tier::Affirming), contraindicated] {
            assert_eq!(
                with(other).worse(with(contraindicated)).status(),
                Tier::Contraindicated
            );
            assert_eq!(
                with(contraindicated).worse(with(other)).status(),
                Tier::Contraindicated
            );
        }
    }

    #[test]
    fn what_is_neither_better_nor_worse_stands_if_both_state_it() {
        let with = |text: &str| {
            let mut ear = ear("device", 2);
            ear.stated = Stated {
                status: None,
                issuer: Some(text.to_owned()),
                nonce: Some(text.into()),
                confirmation: Some(json!(text)),
            }
            .boxed();
            for (_, part) in &mut ear.submods {
                let appraisal = part.clone().with_policy_id(text);
                *part = appraisal.with_extension("claim", json!(text));
                part.further.as_mut().unwrap().nonce = Some(text.into());
            }
            ear
        };
        assert!(with("one").worse(with("one")) == with("one"));
        let differ = with("one").worse(with("other"));
        assert!(differ.stated.is_none());
        assert!(
            differ
                .submods
                .iter()
                .all(|(_, part)| part.further.is_none())
        );
    }

    #[test]
    fn results_of_two_dialects_are_of_the_standard_one() {
        let of = |profile| {
            let mut ear = ear("device", 2);
            ear.names = profile::names_of(profile).unwrap();
            ear
        };
        let (older, trustee) = (
            "tag:ietf.org,2026:rats/ear#03",
            "tag:github.com,2024:confidential-containers/Trustee",
        );
        assert_eq!(of(older).worse(of(older)).profile(), older);
        assert_eq!(
            of(older).worse(of(trustee)).profile(),
            profile::CURRENT_PROFILE
        );
    }

    #[test]
    fn a_part_that_is_added_leaves_the_others() {
        let part = |hardware| {
            let claim = TrustClaim::new(hardware);
            Appraisal::new(TrustVector::new().with(Category::Hardware, claim))
        };
        let ear = ear("cpu", 2).with_submod("gpu", part(32));
        let ear = ear.with_submod("gpu", part(2)).with_submod("tpm", part(2));
        let parts: Vec<_> = ear
            .submods()
            .map(|(name, part)| (name, part.status()))
            .collect();
        let expected = [
            ("cpu", Tier::Affirming),
            ("gpu", Tier::Warning),
            ("tpm", Tier::Affirming),
        ];
        assert_eq!(parts, expected);
    }
}
