//! The machine's side of enrolment.

use atls_formats::tpm::Credential;
use atls_formats::tpm::EnrolmentRequest;
use zeroize::Zeroizing;

use crate::attester::TpmAttester;
use crate::endorsement::EndorsementTemplate;
use crate::error::TpmError;
use crate::stored_certificate::without_filling;
use crate::tpm::RH_ENDORSEMENT;

impl TpmAttester {
    /// The message that the verifier needs to enrol this machine's key; `None` where the TPM has no certificate of an endorsement key of RSA with 2048
    /// bits or ECC with P-256. Its key is to be provided then.
    ///
    /// # Errors
    /// [`TpmError`]
    pub fn enrolment_request(&mut self) -> Result<Option<EnrolmentRequest>, TpmError> {
        let ak = self.attestation_key()?.as_bytes().to_vec();
        let certified = self.certified_endorsement_key()?;
        let request = |(_, ek_certificate)| EnrolmentRequest { ak, ek_certificate };
        Ok(certified.map(request))
    }

    /// `TPM2_ActivateCredential`: the secret, for the verifier that made the credential.
    ///
    /// # Errors
    /// [`TpmError`]: above all where the credential is for another TPM, or another key.
    pub fn activate(&mut self, credential: &Credential) -> Result<Zeroizing<Vec<u8>>, TpmError> {
        let key = self.reload_key()?;
        let certified = self.certified_endorsement_key()?;
        let (template, _) = certified.ok_or(TpmError::NoEndorsementCertificate)?;
        let endorsement_key = {
            let password = &self.endorsement_password;
            let template = template.public();
            self.tpm
                .create_primary(RH_ENDORSEMENT, password, &template)?
        };
        let activated = self.activate_by(key.handle, endorsement_key, credential);
        self.tpm.flush(endorsement_key)?;
        activated
    }

    /// The first kind of which the TPM has a certificate: the same for a request and its credential.
    fn certified_endorsement_key(
        &mut self,
    ) -> Result<Option<(EndorsementTemplate, Vec<u8>)>, TpmError> {
        for template in EndorsementTemplate::ALL {
            let index = template.certificate();
            if let Some(certificate) = self.tpm.read_nv(index, &self.owner_password)? {
                return Ok(Some((template, without_filling(certificate))));
            }
        }
        Ok(None)
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
