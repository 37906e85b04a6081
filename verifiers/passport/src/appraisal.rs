//! From a result that verified to an appraisal of the peer.
//!
//! A result, its issuer and the value of the connection go in. An [`Appraised`] comes out: bound to the connection where every part
//! is about Evidence of this connection, else bound to the key that every part names. Anything else is
//! [`AppraisalError::NotBound`]; a result without a claim that its scheme demands is [`AppraisalError::Malformed`].

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Bound;
use atls_core::Origin;
use atls_core::ear::Appraisal;
use atls_core::ear::Ear;
use atls_core::expected::BoundMatch;

use crate::confirmation::Form;
use crate::debugging;
use crate::issuer::TrustedIssuer;
use crate::scheme::Scheme;

pub(crate) fn appraise(
    ear: Ear,
    form: Form,
    issuer: &TrustedIssuer,
    bound: &Bound,
) -> Result<Appraised, AppraisalError> {
    if ear.profile() != issuer.dialect.profile() || !issuer.dialect.has_end(&ear) {
        return Err(AppraisalError::Malformed);
    }
    let named = |confirmation| form.key(confirmation).ok_or(AppraisalError::NotBound);
    let holder = ear.confirmation().map(named).transpose()?;
    let Some(fresh) = all_fresh(&ear, issuer, bound) else {
        let (key, origin) =
            key_of_all(&ear, form, issuer, holder.as_deref()).ok_or(AppraisalError::NotBound)?;
        return Ok(Appraised::bound_to_key_only(with_local(ear), origin, key));
    };
    let reports_all = fresh
        .iter()
        .all(|fresh| fresh.scheme.has_claims(fresh.part));
    let origin = worst(fresh.iter().map(|fresh| fresh.origin));
    // An issuer that echoes nothing must report, in one part at least, the value that the Evidence carried.
    let mut matches = fresh.into_iter().filter_map(|fresh| fresh.matched);
    let matched = matches.next().ok_or(AppraisalError::NotBound)?;
    if !reports_all {
        return Err(AppraisalError::Malformed);
    }
    let appraised = Appraised::bound_to_connection(with_local(ear), origin, matched);
    Ok(match holder {
        Some(key) => appraised.with_attested_key(key),
        None => appraised,
    })
}

/// A part that is about Evidence of this connection under a scheme.
struct FreshPart<'a> {
    scheme: &'a Scheme,
    part: &'a Appraisal,
    origin: Origin,
    matched: Option<BoundMatch>,
}

/// Every part under every scheme by which it is fresh; `None` where a part is fresh under none.
fn all_fresh<'a>(
    ear: &'a Ear,
    issuer: &'a TrustedIssuer,
    bound: &Bound,
) -> Option<Vec<FreshPart<'a>>> {
    let mut all = Vec::new();
    for (name, part) in ear.submods() {
        let before = all.len();
        let schemes = schemes_for(issuer, ear, name, part);
        all.extend(schemes.filter_map(|scheme| fresh(scheme, part, ear, issuer, bound)));
        if all.len() == before {
            return None;
        }
    }
    Some(all)
}

/// The proof is the value that the signed part reports of the Evidence; where its scheme reports none, it is the nonce of the
/// result, which the issuer is declared to compare.
fn fresh<'a>(
    scheme: &'a Scheme,
    part: &'a Appraisal,
    ear: &Ear,
    issuer: &TrustedIssuer,
    bound: &Bound,
) -> Option<FreshPart<'a>> {
    let challenge = scheme.challenge(bound)?;
    let (origin, reported) = scheme.fresh_origin(part, &challenge)?;
    let answered = issuer.dialect.answers(ear, &challenge).ok()?;
    Some(FreshPart {
        scheme,
        part,
        origin,
        matched: reported.or(answered),
    })
}

/// The key that every part names under a scheme about keys, and the origin of the whole.
fn key_of_all(
    ear: &Ear,
    form: Form,
    issuer: &TrustedIssuer,
    holder: Option<&[u8]>,
) -> Option<(Vec<u8>, Origin)> {
    let parts = ear.submods().map(|(name, part)| {
        schemes_for(issuer, ear, name, part).find_map(|scheme| {
            let (mut keys, origin) = scheme.keys_origin(part, form)?;
            keys.extend(holder.map(<[u8]>::to_vec));
            Some((common(keys)?, origin))
        })
    });
    let parts: Option<Vec<_>> = parts.collect();
    let (keys, origins): (Vec<_>, Vec<_>) = parts?.into_iter().unzip();
    Some((common(keys)?, worst(origins.into_iter())))
}

/// The key that all of these are; `None` for no key, and for two.
fn common(mut keys: Vec<Vec<u8>>) -> Option<Vec<u8>> {
    let key = keys.pop()?;
    let same = keys.iter().all(|other| *other == key);
    (same && !key.is_empty()).then_some(key)
}

fn schemes_for<'a>(
    issuer: &'a TrustedIssuer,
    ear: &Ear,
    name: &str,
    part: &Appraisal,
) -> impl Iterator<Item = &'a Scheme> {
    let schemes = issuer.schemes.iter();
    schemes.filter(move |scheme| scheme.is_about(name, part, ear))
}

/// One simulated part makes the whole simulated; so does the lack of any.
fn worst(mut origins: impl ExactSizeIterator<Item = Origin>) -> Origin {
    if origins.len() > 0 && origins.all(|origin| origin == Origin::Device) {
        Origin::Device
    } else {
        Origin::Simulated
    }
}

/// Adds this verifier's own appraisal of debugging, which can only make the result worse.
fn with_local(ear: Ear) -> Ear {
    let parts = ear.submods().map(|(_, part)| part);
    let local: Vec<_> = parts.filter_map(debugging::appraise).collect();
    let local = local.into_iter();
    local.fold(ear, |ear, appraisal| ear.with_submod(LOCAL, appraisal))
}

/// The part of a result that is appraised here.
const LOCAL: &str = "local";
