//! Enrolment: how an attestation key becomes a trusted one.
//!
//! A maker certifies the endorsement key (EK) of each of its TPMs, and an EK signs nothing. So the verifier encrypts a secret to the EK,
//! together with the name of the attestation key (AK): a TPM decrypts it only if it holds both keys (Part 1 §24, "Credential
//! Protection"). A machine that gives the secret back has an AK in the TPM of that certificate.
//!
//! ```text
//! machine                                             verifier
//!    │  AK, EK certificate                                │
//!    │ ──── EnrolmentRequest ───────────────────────────▶ │  chain to a maker's root; AK restricted and not movable
//!    │                                                    │  TPM2_MakeCredential, in software
//!    │ ◀─── Credential ────────────────────────────────── │
//!    │  TPM2_ActivateCredential                           │
//!    │ ──── the secret ─────────────────────────────────▶ │  compared whole, in constant time
//!    │                                                    │  TrustedKey, into the file of keys
//! ```
//!
//! The messages are CBOR for the application to carry, over TLS to a verifier that the machine knows. **What enrolment does not prove:**
//! that the TPM is in the machine that asks. The operator must know that otherwise, such as by enrolling a machine where it is built.

mod credential;
mod ecdh;
mod endorsement_key;
mod enrolment_error;
mod oaep;

use std::fmt;
use std::time::Duration;

use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::CertificateRevocationListDer;
use atls_core::pki_types::UnixTime;
use atls_formats::tpm::Credential;
use atls_formats::tpm::EnrolmentRequest;
use atls_reference::Digest;
use ring::digest;
use rustls::crypto::CryptoProvider;
use subtle::ConstantTimeEq;
use webpki::CertRevocationList;
use webpki::OwnedCertRevocationList;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use zeroize::Zeroizing;

use crate::attestation_key::AttestationKey;
use crate::chain::Anchors;
use crate::chain::ChainError;
use crate::chain::Purpose;
use crate::trusted_key::TrustedKey;

use endorsement_key::EndorsementKey;

pub use enrolment_error::EnrolmentError;

/// The verifier's side of enrolment.
pub struct Enroller {
    roots: Vec<CertificateDer<'static>>,
    intermediates: Vec<CertificateDer<'static>>,
    revocation_lists: Vec<CertRevocationList<'static>>,
    patience: Duration,
    provider: CryptoProvider,
}

/// A credential that waits for its secret: of one attestation key, used once, and up to a time.
pub struct PendingEnrolment {
    until: UnixTime,
    key: AttestationKey,
    ek_certificate: Digest<32>,
    secret: Zeroizing<[u8; SECRET]>,
}

impl Enroller {
    /// Trusts these roots of TPM makers, by their certificates in DER.
    pub fn new(
        roots: impl IntoIterator<Item = CertificateDer<'static>>,
        provider: &CryptoProvider,
    ) -> Self {
        Self {
            roots: roots.into_iter().collect(),
            intermediates: Vec::new(),
            revocation_lists: Vec::new(),
            patience: PATIENCE,
            provider: provider.clone(),
        }
    }

    /// Adds certificates between a root and the endorsement keys, which machines seldom have.
    #[must_use]
    pub fn with_intermediates(
        mut self,
        intermediates: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Self {
        self.intermediates.extend(intermediates);
        self
    }

    /// Looks into these revocation lists (RFC 5280 §5), in DER. **None is fetched**, whatever a certificate says where it is: get the makers'
    /// lists yourself, and make a new `Enroller` when they change. With any list, a certificate whose issuer has no current one here is
    /// refused; without, nothing is asked. Certificates of authorities are not looked up.
    ///
    /// # Errors
    /// [`EnrolmentError::Local`] for bytes that are no list.
    pub fn with_revocation_lists(
        mut self,
        lists: impl IntoIterator<Item = CertificateRevocationListDer<'static>>,
    ) -> Result<Self, EnrolmentError> {
        for list in lists {
            let list = OwnedCertRevocationList::from_der(&list);
            let list = list.map_err(|_| EnrolmentError::Local("not a revocation list"))?;
            self.revocation_lists.push(list.into());
        }
        Ok(self)
    }

    /// How long a credential waits for its secret; ten minutes unless set.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Verifies the certificate and the kind of the key, and makes a credential for them.
    ///
    /// # Errors
    /// [`EnrolmentError`]
    pub fn challenge(
        &self,
        request: &EnrolmentRequest,
        now: UnixTime,
    ) -> Result<(Credential, PendingEnrolment), EnrolmentError> {
        let key = AttestationKey::decode(&request.ak)?;
        let certificate = CertificateDer::from(request.ek_certificate.as_slice());
        let ek = EndorsementKey::certified(&certificate, &self.anchors(), now)?;

        let mut secret = Zeroizing::new([0; SECRET]);
        self.fill(&mut *secret)?;
        let (seed, encrypted) = ek.seed(|bytes| self.fill(bytes))?;
        let credential = Credential {
            credential: credential::protect(&seed, key.name(), &*secret)?,
            secret: encrypted,
        };
        let until = now.as_secs().saturating_add(self.patience.as_secs());
        let pending = PendingEnrolment {
            until: UnixTime::since_unix_epoch(Duration::from_secs(until)),
            key,
            ek_certificate: sha256(&certificate)?,
            secret,
        };
        Ok((credential, pending))
    }

    /// An attestation key that is certified itself, as clouds do it for the vTPMs of their machines: by a certificate for this purpose
    /// (`tcg-kp-AIKCertificate`) that chains to a root, now.
    ///
    /// It says that the cloud made the key in some vTPM of its own, **of whichever customer**: take it from a machine that you know.
    ///
    /// # Errors
    /// [`EnrolmentError`]
    pub fn certified_key(
        &self,
        name: &str,
        ak: &[u8],
        ak_certificate: &[u8],
        now: UnixTime,
    ) -> Result<TrustedKey, EnrolmentError> {
        let key = AttestationKey::decode(ak)?;
        let certificate = CertificateDer::from(ak_certificate);
        let anchors = self.anchors();
        anchors.verify(&certificate, Purpose::AttestationKey, now)?;
        let certified = X509Certificate::from_der(&certificate);
        let (_, certified) = certified.map_err(|_| EnrolmentError::Chain)?;
        let certified = &certified.public_key().subject_public_key.data;
        if certified.as_ref() != key.public_key() {
            return Err(EnrolmentError::OtherKey);
        }
        let digest = sha256(&certificate)?;
        Ok(TrustedKey::provided(name, key).certified_by(digest))
    }

    fn anchors(&self) -> Anchors<'_> {
        Anchors {
            roots: &self.roots,
            intermediates: &self.intermediates,
            revocation_lists: &self.revocation_lists,
            supported: &self.provider.signature_verification_algorithms,
        }
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), EnrolmentError> {
        let random = self.provider.secure_random;
        let filled = random.fill(bytes);
        filled.map_err(|_| EnrolmentError::Local("no random numbers"))
    }
}

impl PendingEnrolment {
    /// Compares the secret, and gives the key under this name.
    ///
    /// # Errors
    /// [`EnrolmentError::WrongSecret`], and [`EnrolmentError::Expired`] once its time is over.
    pub fn finish(
        self,
        name: &str,
        secret: &[u8],
        now: UnixTime,
    ) -> Result<TrustedKey, EnrolmentError> {
        if now > self.until {
            return Err(EnrolmentError::Expired);
        }
        if !bool::from(self.secret.as_slice().ct_eq(secret)) {
            return Err(EnrolmentError::WrongSecret);
        }
        Ok(TrustedKey::provided(name, self.key).enrolled_by(self.ek_certificate))
    }
}

impl fmt::Debug for Enroller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enroller")
            .field("roots", &self.roots.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PendingEnrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingEnrolment(..)")
    }
}

fn sha256(bytes: &[u8]) -> Result<Digest<32>, EnrolmentError> {
    let digest = digest::digest(&digest::SHA256, bytes);
    let digest = <[u8; 32]>::try_from(digest.as_ref());
    let digest = digest.map_err(|_| EnrolmentError::Local("a digest has another length"))?;
    Ok(digest.into())
}

impl From<ChainError> for EnrolmentError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Chain => Self::Chain,
            ChainError::Revoked => Self::Revoked,
            ChainError::RevocationUnknown => Self::RevocationUnknown,
            ChainError::Root => Self::Local("a root is no certificate"),
        }
    }
}

/// Longer than a machine takes, and than somebody takes who carries messages by hand between two shells.
const PATIENCE: Duration = Duration::from_secs(600);

/// Bytes of a secret: as many as the digest of a name has, which is the most.
const SECRET: usize = 32;
