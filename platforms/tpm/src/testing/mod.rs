//! For tests here and elsewhere: [`ForgedTpm`] signs any quote, under a key of its own, and [`SwtpmProcess`] is a TPM in software.
//!
//! The forger is no TPM: it answers no commands. Its quotes go through the very same verifier as those of a TPM. The attester is
//! tested against `swtpm`.
//!
//! ```
//! use std::sync::Arc;
//! use atls_reference::Live;
//! use atls_tpm::{TpmKeys, TpmPolicy, TpmVerifier, testing::ForgedTpm};
//!
//! let forged = ForgedTpm::new();
//! let keys = Live::fixed(TpmKeys::new(vec![forged.trusted("forged")]))?;
//! let policy = Live::fixed(TpmPolicy::new(vec![ForgedTpm::image()]))?;
//! # let provider = rustls::crypto::ring::default_provider();
//! let verifier = TpmVerifier::dangerous_with_software_keys(Arc::new(keys), Arc::new(policy), &provider);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "support for tests, which fail by panicking"
)]

#[cfg(unix)]
mod swtpm_process;

use std::fmt;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_formats::tpm::Attest;
use atls_formats::tpm::Attributes;
use atls_formats::tpm::Clock;
use atls_formats::tpm::Curve;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::PcrSelection;
use atls_formats::tpm::PcrSet;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;
use atls_formats::tpm::Scheme;
use atls_formats::tpm::Signature;
use atls_formats::tpm::TcgLogWriter;
use atls_formats::tpm::TpmEvidence;
use atls_formats::tpm::qualifying_data;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair;

use crate::attestation_key::AttestationKey;
use crate::policy::Measurement;
use crate::policy::PcrIndex;
use crate::policy::TpmImage;
use crate::trusted_key::TrustedKey;

#[cfg(unix)]
pub use swtpm_process::SwtpmProcess;

/// Signs quotes over registers 0, 4 and 7 of the SHA-256 bank, as [`log`](Self::log) leaves them.
pub struct ForgedTpm {
    key: EcdsaKeyPair,
    /// The public area of its key, for tests to alter.
    pub public: Public,
    /// The signed structure, but for `extraData` and the digest of the registers, for tests to alter.
    pub attest: Attest,
    /// Its event log, from which the registers follow.
    pub log: TcgLogWriter,
    /// Sent in place of [`log`](Self::log), for tests of logs that explain less, or more.
    pub sent_log: Option<Vec<u8>>,
    /// A measurement list of IMA.
    pub ima_log: Option<Vec<u8>>,
    /// A log of systemd.
    pub systemd_log: Option<Vec<u8>>,
    media_types: [MediaType; 1],
}

impl ForgedTpm {
    /// With a key that is made now.
    #[allow(clippy::new_without_default, reason = "no two are equal")]
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        let (x, y) = key.public_key().as_ref().split_at(1).1.split_at(32);
        let public = Public {
            name_algorithm: BANK,
            attributes: Attributes(ATTRIBUTES),
            auth_policy: Vec::new(),
            aes_bits: None,
            scheme: Some(Scheme::Ecdsa(HashAlgorithm::Sha256)),
            key: PublicKey::Ecc {
                curve: Curve::P256,
                x: x.to_vec(),
                y: y.to_vec(),
            },
        };
        let mut forged = Self {
            attest: attest(&public),
            key,
            public,
            log: Self::log(),
            sent_log: None,
            ima_log: None,
            systemd_log: None,
            media_types: [crate::media_type().unwrap()],
        };
        forged.quoting(HashAlgorithm::Sha256, &[0, 4, 7]);
        forged
    }

    /// The boot that it attests: a firmware's version, Secure Boot on, and a kernel.
    pub fn log() -> TcgLogWriter {
        TcgLogWriter::new(BANK)
            .measured(0, 8, b"firmware")
            .measured(7, 0x8000_0001, &secure_boot(1))
            .event(4, 0x8000_0003, &KERNEL, b"kernel")
    }

    /// The image to which [`log`](Self::log) leads, in register 4.
    pub fn image() -> TpmImage {
        let value = Measurement::new(Self::log().value(4)).unwrap();
        TpmImage::measured("forged", [(PcrIndex::new(4).unwrap(), value)])
    }

    /// Its key, as a file of keys has it.
    pub fn trusted(&self, name: &str) -> TrustedKey {
        let public = AttestationKey::decode(&self.public.encode().unwrap());
        TrustedKey::provided(name, public.unwrap())
    }

    /// Quotes these registers.
    pub fn quoting(&mut self, bank: HashAlgorithm, pcrs: &[u8]) {
        let pcrs = PcrSet::of(pcrs.iter().copied()).unwrap();
        self.attest.selections = vec![PcrSelection { bank, pcrs }];
    }

    /// The signed structure of a quote over these bytes.
    pub fn attest(&self, extra_data: &[u8]) -> Attest {
        Attest {
            extra_data: extra_data.to_vec(),
            pcr_digest: HashAlgorithm::Sha256.digest(&[&self.registers()]),
            ..self.attest.clone()
        }
    }

    /// The registers that are quoted.
    pub fn registers(&self) -> Vec<u8> {
        let selections = self.attest.selections.iter();
        let pcrs = selections.flat_map(|selection| selection.pcrs.iter());
        pcrs.flat_map(|pcr| self.log.value(pcr).to_vec()).collect()
    }

    /// Evidence about these bytes.
    pub fn evidence(&self, extra_data: &[u8]) -> TpmEvidence {
        self.seal(&self.attest(extra_data).encode().unwrap())
    }

    /// Signs any bytes as if they were a quote.
    pub fn seal(&self, attest: &[u8]) -> TpmEvidence {
        let signature = self.key.sign(&SystemRandom::new(), attest).unwrap();
        let (r, s) = signature.as_ref().split_at(32);
        let signature = Signature::ecdsa(HashAlgorithm::Sha256, r, s);
        TpmEvidence {
            ak: self.public.encode().unwrap(),
            ak_certificates: None,
            attest: attest.to_vec(),
            ima_log: self.ima_log.clone(),
            pcrs: self.registers(),
            signature: signature.encode().unwrap(),
            systemd_log: self.systemd_log.clone(),
            tcg_log: Some(
                self.sent_log
                    .clone()
                    .unwrap_or_else(|| self.log.bytes().to_vec()),
            ),
        }
    }
}

impl LocalAttester for ForgedTpm {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let evidence = self.evidence(qualifying_data(request.bound()).bytes());
        let [media_type] = &self.media_types;
        let evidence = evidence.encode().unwrap();
        Ok(Cmw::evidence(media_type.clone(), evidence))
    }
}

impl fmt::Debug for ForgedTpm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForgedTpm").finish_non_exhaustive()
    }
}

/// The variable `SecureBoot`, as firmware measures it.
pub fn secure_boot(value: u8) -> Vec<u8> {
    let vendor = [
        0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b,
        0x8c,
    ];
    let (characters, length) = (10_u64.to_le_bytes(), 1_u64.to_le_bytes());
    let name = b"S\0e\0c\0u\0r\0e\0B\0o\0o\0t\0";
    [&vendor[..], &characters, &length, name, &[value]].concat()
}

/// A primary key of the endorsement hierarchy signs, whose counters are plain.
fn attest(public: &Public) -> Attest {
    let name = public.name().unwrap();
    let parent = [0x40, 0, 0, 0x0b];
    let digest = HashAlgorithm::Sha256.digest(&[&parent, &name]);
    Attest {
        qualified_signer: [&[0, 0x0b][..], &digest].concat(),
        extra_data: Vec::new(),
        clock: Clock {
            milliseconds: 60_000,
            reset_count: 1,
            restart_count: 0,
            is_safe: true,
        },
        firmware_version: 0x0007_0002_0003_0000,
        selections: Vec::new(),
        pcr_digest: Vec::new(),
    }
}

/// The digest that the log has of the kernel.
pub const KERNEL: [u8; 32] = [0x4e; 32];

const BANK: HashAlgorithm = HashAlgorithm::Sha256;

const ATTRIBUTES: u32 = Attributes::FIXED_TPM
    | Attributes::FIXED_PARENT
    | Attributes::SENSITIVE_DATA_ORIGIN
    | Attributes::USER_WITH_AUTH
    | Attributes::NO_DA
    | Attributes::RESTRICTED
    | Attributes::SIGN;
