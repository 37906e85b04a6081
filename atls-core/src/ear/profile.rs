//! The dialects of results, which `eat_profile` names.

/// One dialect, and its names for the claims that both have.
#[derive(PartialEq)]
pub(super) struct Names {
    pub(super) profile: &'static str,
    pub(super) status: &'static str,
    pub(super) vector: &'static str,
    pub(super) policy: &'static str,
    pub(super) verifier: &'static str,
    pub(super) nonce: Nonce,
}

#[derive(PartialEq)]
pub(super) enum Nonce {
    /// The issuer always echoes one.
    Always,
    /// The issuer has no such claim.
    Never,
}

/// Tells whether a profile has the form of a CWT.
pub(super) fn is_ietf(profile: &str) -> bool {
    names_of(profile).is_some_and(|names| names.status == IETF.status)
}

pub(super) fn names_of(profile: &str) -> Option<&'static Names> {
    let mut all = [&VERAISON, &TRUSTEE, &IETF_03, &IETF].into_iter();
    all.find(|names| names.profile == profile)
}

const VERAISON: Names = Names {
    profile: "tag:github.com,2023:veraison/ear",
    status: "ear.status",
    vector: "ear.trustworthiness-vector",
    policy: "ear.appraisal-policy-id",
    verifier: "ear.verifier-id",
    nonce: Nonce::Always,
};

const TRUSTEE: Names = Names {
    profile: "tag:github.com,2024:confidential-containers/Trustee",
    nonce: Nonce::Never,
    ..VERAISON
};

pub(super) const IETF: Names = Names {
    profile: CURRENT_PROFILE,
    status: "ear_status",
    vector: "ear_trustworthiness_vector",
    policy: "ear_appraisal_policy_ids",
    verifier: "ear_verifier_id",
    nonce: Nonce::Always,
};

const IETF_03: Names = Names {
    profile: "tag:ietf.org,2026:rats/ear#03",
    ..IETF
};

pub(super) const CURRENT_PROFILE: &str = "tag:ietf.org,2026:rats/ear#04";
