//! The machine's side of enrolment.

use atls_formats::tpm::Attributes;
use atls_formats::tpm::Credential;
use atls_formats::tpm::EnrolmentRequest;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;
use zeroize::Zeroizing;

use crate::attester::TpmAttester;
use crate::error::TpmError;
use crate::tpm::RH_ENDORSEMENT;

impl TpmAttester {
    /// The message that the verifier needs to enrol this machine's key; `None` where the TPM has no certificate of an RSA endorsement key. Its key is to be
    /// provided then.
    ///
    /// # Errors
    /// [`TpmError`]
    pub fn enrolment_request(&mut self) -> Result<Option<EnrolmentRequest>, TpmError> {
        let ak = self.attestation_key()?.as_bytes().to_vec();
        let certificate = self.tpm.read_nv(RSA_2048_EK_CERTIFICATE)?;
        let request = |certificate: Vec<u8>| EnrolmentRequest {
            ak,
            ek_certificate: without_filling(certificate),
        };
        Ok(certificate.map(request))
    }

    /// `TPM2_ActivateCredential`: the secret, for the verifier that made the credential.
    ///
    /// # Errors
    /// [`TpmError`]: above all where the credential is for another TPM, or another key.
    pub fn activate(&mut self, credential: &Credential) -> Result<Zeroizing<Vec<u8>>, TpmError> {
        let key = self.reload_key()?;
        let endorsement_key = {
            let password = &self.endorsement_password;
            let template = endorsement_key();
            self.tpm
                .create_primary(RH_ENDORSEMENT, password, &template)?
        };
        let activated = self.activate_by(key.handle, endorsement_key, credential);
        self.tpm.flush(endorsement_key)?;
        activated
    }

    fn activate_by(
        &mut self,
        key: u32,
        endorsement_key: u32,
        credential: &Credential,
    ) -> Result<Zeroizing<Vec<u8>>, TpmError> {
        let session = self.tpm.start_policy()?;
        let password = &self.endorsement_password;
        let authorised = self.tpm.policy_secret(RH_ENDORSEMENT, password, session);
        let Credential { credential, secret } = credential;
        let activated = authorised.and_then(|()| {
            let keys = (key, endorsement_key);
            self.tpm
                .activate_credential(keys, session, credential, secret)
        });
        self.tpm.flush(session)?;
        activated
    }
}

/// The default template of RSA endorsement keys ("TCG EK Credential Profile" §B.3.3, L-1), by which makers made what they certify.
fn endorsement_key() -> Public {
    Public {
        name_algorithm: HashAlgorithm::Sha256,
        attributes: Attributes(ATTRIBUTES),
        auth_policy: POLICY_A.to_vec(),
        aes_bits: Some(128),
        scheme: None,
        key: PublicKey::Rsa {
            bits: 2048,
            exponent: 0,
            modulus: vec![0; 256],
        },
    }
}

/// Makers fill the index up behind the certificate, whose first field says how long it is.
fn without_filling(mut certificate: Vec<u8>) -> Vec<u8> {
    if let [0x30, 0x82, high, low, ..] = certificate.as_slice() {
        let content = usize::from(u16::from_be_bytes([*high, *low]));
        certificate.truncate(content.saturating_add(4));
    }
    certificate
}

const ATTRIBUTES: u32 = Attributes::FIXED_TPM
    | Attributes::FIXED_PARENT
    | Attributes::SENSITIVE_DATA_ORIGIN
    | Attributes::ADMIN_WITH_POLICY
    | Attributes::RESTRICTED
    | Attributes::DECRYPT;

/// `TPM2_PolicySecret(TPM_RH_ENDORSEMENT)`
const POLICY_A: [u8; 32] = [
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
    0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa,
];

/// The index of the certificate of that key (§2.2.1.4).
const RSA_2048_EK_CERTIFICATE: u32 = 0x01c0_0002;
