//! The relying party's half.

use std::fmt;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Bound;
use atls_core::BoundMatch;
use atls_core::BoxFuture;
use atls_core::ConceptualMessage;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::MediaTypeError;
use atls_core::Origin;
use atls_core::Verifier;
use atls_core::ear::Appraisal;
use atls_core::ear::Check;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::cwt;
use atls_core::ear::jwt;
use atls_core::ear::verify_with;
use atls_core::limits::DEFAULT_MAX_AGE;
use atls_core::pki_types::UnixTime;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::confirmation::Form;
use crate::debugging;
use crate::issuer::TrustedIssuer;
use crate::scheme::Scheme;

/// Accepts passports of configured issuers under configured schemes, and nothing else. Needs no network unless an issuer's
/// keys do.
pub struct PassportVerifier {
    issuers: Vec<(Vec<MediaType>, TrustedIssuer)>,
    media_types: Vec<MediaType>,
    supported: WebPkiSupportedAlgorithms,
    max_age: Duration,
}

impl PassportVerifier {
    /// Nobody is trusted yet.
    pub fn builder(provider: &CryptoProvider) -> PassportVerifierBuilder {
        PassportVerifierBuilder {
            issuers: Vec::new(),
            supported: provider.signature_verification_algorithms,
            max_age: DEFAULT_MAX_AGE,
        }
    }

    async fn check(
        &self,
        passport: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        let form = Form::of(passport.media_type());
        let mut refusal = EarError::UnknownKey;
        for (media_types, issuer) in &self.issuers {
            if !media_types.contains(passport.media_type()) {
                continue;
            }
            let check = Check {
                now,
                max_age: self.max_age,
                nonce: issuer.dialect.nonce(),
                issuer: issuer.issuer.as_deref(),
                submods: &[],
            };
            let decode = |keys: &_| match form {
                Form::Cwt => cwt::decode(passport.bytes(), keys, &self.supported, &check),
                Form::Jwt => {
                    let token = std::str::from_utf8(passport.bytes());
                    let token = token.map_err(|_| EarError::Malformed)?;
                    jwt::decode(token, keys, &self.supported, &check)
                }
            };
            match verify_with(&*issuer.keys, now, decode).await {
                Ok(ear) => return judge(ear, form, issuer, passport.bound()),
                // Perhaps it is another issuer's.
                Err(EarError::UnknownKey) => {}
                Err(other @ (EarError::BadSignature | EarError::Issuer | EarError::NoKeys)) => {
                    refusal = other;
                }
                Err(other) => return Err(refused(&other)),
            }
        }
        Err(refused(&refusal))
    }
}

/// The result verified; is it about this connection, or at least about a key?
fn judge(
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
    // Of each part, the schemes that it satisfies, and from where they take it to be.
    let fresh: Option<Vec<Vec<_>>> = ear
        .submods()
        .map(|(part, appraisal)| {
            let satisfied = |scheme| satisfies(scheme, appraisal, &ear, issuer, bound);
            let schemes = schemes_for(issuer, &ear, part, appraisal);
            let satisfied: Vec<_> = schemes.filter_map(satisfied).collect();
            (!satisfied.is_empty()).then_some(satisfied)
        })
        .collect();
    if let Some(satisfied) = fresh {
        let satisfied: Vec<_> = satisfied.into_iter().flatten().collect();
        let mut told = satisfied.iter();
        let told = told.all(|one| one.scheme.is_told(one.part));
        let origins: Vec<_> = satisfied.iter().map(|one| one.origin).collect();
        // Whoever echoes nothing must say, in one part at least, which value the Evidence carried.
        let mut matches = satisfied.into_iter().filter_map(|one| one.matched);
        let matched = matches.next().ok_or(AppraisalError::NotBound)?;
        if !told {
            return Err(AppraisalError::Malformed);
        }
        let origin = worst(&origins);
        let appraised = Appraised::bound_to_connection(judged(ear), origin, matched);
        return Ok(match holder {
            Some(key) => appraised.with_attested_key(key),
            None => appraised,
        });
    }
    let parts: Option<Vec<_>> = ear
        .submods()
        .map(|(part, appraisal)| {
            schemes_for(issuer, &ear, part, appraisal).find_map(|scheme| {
                let (mut keys, origin) = scheme.keys_origin(appraisal, form)?;
                keys.extend(holder.clone());
                Some((the_one(keys)?, origin))
            })
        })
        .collect();
    let (keys, origins): (Vec<_>, Vec<_>) = parts.unwrap_or_default().into_iter().unzip();
    let key = the_one(keys).ok_or(AppraisalError::NotBound)?;
    Ok(Appraised::bound_to_key_only(
        judged(ear),
        worst(&origins),
        key,
    ))
}

/// A part that is about Evidence of this connection under a scheme, where that comes from, and the proof.
struct Satisfied<'a> {
    scheme: &'a Scheme,
    part: &'a Appraisal,
    origin: Origin,
    matched: Option<BoundMatch>,
}

/// None where the part is not about Evidence of this connection under the scheme. The proof is what the signed part reports of the
/// Evidence; where its scheme reports nothing, it is the nonce of the result, which the issuer is declared to compare.
fn satisfies<'a>(
    scheme: &'a Scheme,
    appraisal: &'a Appraisal,
    ear: &Ear,
    issuer: &TrustedIssuer,
    bound: &Bound,
) -> Option<Satisfied<'a>> {
    let challenge = scheme.challenge(bound)?;
    let (origin, reported) = scheme.fresh_origin(appraisal, &challenge)?;
    let answered = issuer.dialect.answers(ear, &challenge).ok()?;
    Some(Satisfied {
        scheme,
        part: appraisal,
        origin,
        matched: reported.or(answered),
    })
}

/// The result, with what we say of debugging by ourselves. It can only make it worse.
fn judged(ear: Ear) -> Ear {
    let parts = ear.submods().map(|(_, appraisal)| appraisal);
    let judgements: Vec<_> = parts.filter_map(debugging::judge).collect();
    let judgements = judgements.into_iter();
    judgements.fold(ear, |ear, judgement| ear.with_submod(LOCAL, judgement))
}

/// The key that all of them are. No part is about no key, and none about two.
fn the_one(mut keys: Vec<Vec<u8>>) -> Option<Vec<u8>> {
    let key = keys.pop()?;
    let same = keys.iter().all(|other| *other == key);
    (same && !key.is_empty()).then_some(key)
}

fn schemes_for<'a>(
    issuer: &'a TrustedIssuer,
    ear: &Ear,
    part: &str,
    appraisal: &Appraisal,
) -> impl Iterator<Item = &'a Scheme> {
    let schemes = issuer.schemes.iter();
    schemes.filter(move |scheme| scheme.is_about(part, appraisal, ear))
}

/// One simulated part, or none at all, makes the whole simulated.
fn worst(origins: &[Origin]) -> Origin {
    let from_devices = origins.iter().all(|origin| *origin == Origin::Device);
    if from_devices && !origins.is_empty() {
        Origin::Device
    } else {
        Origin::Simulated
    }
}

/// The peer brought it, so what is wrong with it is the peer's fault.
fn refused(error: &EarError) -> AppraisalError {
    match error {
        EarError::BadSignature => AppraisalError::BadSignature,
        EarError::Expired | EarError::Future => AppraisalError::Expired,
        EarError::Issuer | EarError::UnknownKey => AppraisalError::UnknownKey,
        EarError::NoKeys => AppraisalError::Unreachable,
        EarError::Nonce => AppraisalError::NotBound,
        _ => AppraisalError::Malformed,
    }
}

impl Verifier for PassportVerifier {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn conceptual_message(&self) -> ConceptualMessage {
        ConceptualMessage::AttestationResults
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(self.check(evidence, now))
    }
}

impl fmt::Debug for PassportVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers: Vec<_> = self.issuers.iter().map(|(_, issuer)| issuer).collect();
        f.debug_struct("PassportVerifier")
            .field("issuers", &issuers)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

/// Makes a [`PassportVerifier`].
#[must_use]
pub struct PassportVerifierBuilder {
    issuers: Vec<TrustedIssuer>,
    supported: WebPkiSupportedAlgorithms,
    max_age: Duration,
}

impl PassportVerifierBuilder {
    /// Trusts an issuer under its schemes. Several may share a dialect; then their keys tell them apart.
    pub fn issuer(mut self, issuer: TrustedIssuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// How long after its `iat` a passport is taken, whatever its `exp` says; by default [`DEFAULT_MAX_AGE`].
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// # Errors
    /// [`PassportSetupError`] without issuer, or with one whose passports could never be accepted, or would be about anything.
    pub fn build(self) -> Result<PassportVerifier, PassportSetupError> {
        let mut issuers = Vec::new();
        let mut media_types: Vec<MediaType> = Vec::new();
        for issuer in self.issuers {
            issuer.validate()?;
            let own = issuer.dialect.media_types()?;
            for media_type in &own {
                if !media_types.contains(media_type) {
                    media_types.push(media_type.clone());
                }
            }
            issuers.push((own, issuer));
        }
        if issuers.is_empty() {
            return Err(PassportSetupError::NoIssuer);
        }
        Ok(PassportVerifier {
            issuers,
            media_types,
            supported: self.supported,
            max_age: self.max_age,
        })
    }
}

impl fmt::Debug for PassportVerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassportVerifierBuilder")
            .field("issuers", &self.issuers)
            .finish_non_exhaustive()
    }
}

/// The part of a result that holds our own judgement.
const LOCAL: &str = "local";

/// A verifier of passports cannot be made of this configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PassportSetupError {
    /// A part of which it is known that its issuers affirm replayed Evidence. It says nothing about a connection: remove the
    /// scheme.
    #[error("results about {0} do not tell fresh evidence from replayed; remove the scheme")]
    Replayable(String),
    /// A media type of a dialect does not parse. It does.
    #[error("media type of a dialect is none")]
    MediaType(#[from] MediaTypeError),
    /// Nobody's passports would be accepted. Trust an issuer.
    #[error("no issuer is trusted, so no passport could be accepted; trust one")]
    NoIssuer,
    /// An issuer without scheme, whose passports would all be refused. Add one.
    #[error("an issuer is trusted under no scheme; add one")]
    NoScheme,
    /// Trustee's results have no `eat_nonce`, so one of its schemes must be of those that compare the value which the result
    /// reports: add [`Scheme::trustee`] or [`Scheme::trustee_azure`].
    #[error(
        "results of an issuer have no nonce and no scheme compares another value; add `Scheme::trustee` or `Scheme::trustee_azure`"
    )]
    NothingCompared,
    /// Nobody here knows what results about this TEE tell about debugging. Use Evidence, or another TEE.
    #[error(
        "not known what results about the TEE {0:?} tell about debugging; use its Evidence, or another TEE"
    )]
    UnknownTee(String),
}
