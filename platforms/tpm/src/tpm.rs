//! The commands that attestation needs, one by one (Part 3).

use std::fmt;
use std::thread;
use std::time::Duration;

use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::PcrSelection;
use atls_formats::tpm::PcrSet;
use atls_formats::tpm::Public;
use atls_formats::tpm::wire::Reader;
use zeroize::Zeroizing;

use crate::command::Command;
use crate::command::Response;
use crate::device::TpmDevice;
use crate::error::ResponseCode;
use crate::error::TpmError;

/// A TPM, command by command. Nothing is kept here between two of them.
pub(crate) struct Tpm {
    device: Box<dyn TpmDevice>,
}

/// The answer to `TPM2_Quote`.
pub(crate) struct QuoteResponse {
    pub(crate) attest: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// The answer to `TPM2_ReadPublic`.
pub(crate) struct PublicResponse {
    pub(crate) public: Vec<u8>,
    pub(crate) qualified_name: Vec<u8>,
}

impl Tpm {
    pub(crate) fn over(device: impl TpmDevice + 'static) -> Self {
        Self {
            device: Box::new(device),
        }
    }

    /// `TPM2_Startup(CLEAR)`, which firmware sends to a TPM of hardware. One that is started already stays as it is.
    #[cfg(feature = "testing")]
    pub(crate) fn start_up(&mut self) -> Result<(), TpmError> {
        let command = Command::new(CC_STARTUP).parameter([0, 0]);
        match self.try_run(&command)? {
            Err(code) if code.is_started_already() => Ok(()),
            other => other.map(drop).map_err(ResponseCode::error),
        }
    }

    /// `TPM2_PCR_Read`, as often as it takes: the values one after the other, the lowest register first.
    pub(crate) fn read_registers(
        &mut self,
        selections: &[PcrSelection],
    ) -> Result<Vec<u8>, TpmError> {
        let mut values = Vec::new();
        for PcrSelection { bank, pcrs } in selections {
            let pcrs: Vec<_> = pcrs.iter().collect();
            for pcrs in pcrs.chunks(MAX_DIGESTS) {
                self.read_some(*bank, pcrs, &mut values)?;
            }
        }
        Ok(values)
    }

    fn read_some(
        &mut self,
        bank: HashAlgorithm,
        pcrs: &[u8],
        values: &mut Vec<u8>,
    ) -> Result<(), TpmError> {
        let set = PcrSet::of(pcrs.iter().copied()).ok_or(TpmError::NoBank(bank))?;
        let selection = PcrSelection::encode_list(&[PcrSelection { bank, pcrs: set }])?;
        let response = self.run(&Command::new(CC_PCR_READ).parameter(selection))?;
        let read = Reader::whole(&response.parameters, |reader| {
            let _update_counter = reader.u32()?;
            // The registers that it could select: fewer where it does not have them all, and then there are fewer digests.
            for _ in 0..reader.u32()?.min(MAX_SELECTIONS) {
                let _bank = reader.u16()?;
                let size = reader.u8()?;
                reader.take(size.into())?;
            }
            let mut digests = Vec::new();
            for _ in 0..reader.u32()?.min(MAX_SELECTIONS) {
                digests.push(reader.sized()?);
            }
            Some(digests)
        });
        let read = read.ok_or(TpmError::Malformed)?;
        let is_whole = read.iter().all(|digest| digest.len() == bank.size());
        if read.len() != pcrs.len() || !is_whole {
            return Err(TpmError::NoBank(bank));
        }
        read.into_iter().for_each(|digest| values.extend(digest));
        Ok(())
    }

    /// `TPM2_Quote`, by the key's own scheme.
    pub(crate) fn quote(
        &mut self,
        key: u32,
        qualifying_data: &[u8],
        selections: &[PcrSelection],
    ) -> Result<Result<QuoteResponse, ResponseCode>, TpmError> {
        let command = Command::new(CC_QUOTE)
            .by_password(key, &[])?
            .sized(qualifying_data)?
            .parameter(ALG_NULL)
            .parameter(PcrSelection::encode_list(selections)?);
        let response = match self.try_run(&command)? {
            Ok(response) => response,
            Err(code) => return Ok(Err(code)),
        };
        let mut reader = Reader::of(&response.parameters);
        let attest = reader.sized().ok_or(TpmError::Malformed)?.to_vec();
        let signature = reader.rest.to_vec();
        Ok(Ok(QuoteResponse { attest, signature }))
    }

    /// `TPM2_CreatePrimary`: a handle. The same template gives the same key until the hierarchy is cleared.
    pub(crate) fn create_primary(
        &mut self,
        hierarchy: u32,
        password: &[u8],
        template: &Public,
    ) -> Result<u32, TpmError> {
        let no_secret = [0, 4, 0, 0, 0, 0];
        let command = Command::new(CC_CREATE_PRIMARY)
            .by_password(hierarchy, password)?
            .answers_with_handle()
            .parameter(no_secret)
            .sized(&template.encode()?)?
            .sized(&[])?
            .parameter(NO_REGISTERS);
        self.run(&command).map(|response| response.handle)
    }

    /// `TPM2_ReadPublic` of a loaded key; `None` where the handle means nothing.
    pub(crate) fn read_public(&mut self, handle: u32) -> Result<Option<PublicResponse>, TpmError> {
        let command = Command::new(CC_READ_PUBLIC).handle(handle);
        let response = match self.try_run(&command)? {
            Ok(response) => response,
            Err(code) if code.is_unknown_handle() => return Ok(None),
            Err(code) => return Err(code.error()),
        };
        let read = Reader::whole(&response.parameters, |reader| {
            let (public, _name) = (reader.sized()?.to_vec(), reader.sized()?);
            let qualified_name = reader.sized()?.to_vec();
            Some(PublicResponse {
                public,
                qualified_name,
            })
        });
        Ok(Some(read.ok_or(TpmError::Malformed)?))
    }

    /// `TPM2_EvictControl`: keeps a loaded key at a persistent handle.
    pub(crate) fn make_persistent(
        &mut self,
        owner_password: &[u8],
        loaded: u32,
        persistent: u32,
    ) -> Result<(), TpmError> {
        let command = Command::new(CC_EVICT_CONTROL)
            .by_password(RH_OWNER, owner_password)?
            .handle(loaded)
            .parameter(persistent.to_be_bytes());
        self.run(&command).map(drop)
    }

    /// `TPM2_FlushContext`: forgets a loaded key or a session.
    pub(crate) fn flush(&mut self, handle: u32) -> Result<(), TpmError> {
        let command = Command::new(CC_FLUSH_CONTEXT).parameter(handle.to_be_bytes());
        self.run(&command).map(drop)
    }

    /// `TPM2_PCR_Extend` of the digest of one bank.
    #[cfg(feature = "testing")]
    pub(crate) fn extend(
        &mut self,
        pcr: u8,
        bank: HashAlgorithm,
        digest: &[u8],
    ) -> Result<(), TpmError> {
        let one = 1_u32.to_be_bytes();
        let command = Command::new(CC_PCR_EXTEND)
            .by_password(pcr.into(), &[])?
            .parameter(one)
            .parameter(bank.id().to_be_bytes())
            .parameter(digest);
        self.run(&command).map(drop)
    }

    /// `TPM2_StartAuthSession` of a policy session over SHA-256, neither salted nor bound.
    pub(crate) fn start_policy(&mut self) -> Result<u32, TpmError> {
        let command = Command::new(CC_START_AUTH_SESSION)
            .handle(RH_NULL)
            .handle(RH_NULL)
            .answers_with_handle()
            // A nonce protects nothing in a session without a secret; it must have a length.
            .sized(&[0; 16])?
            .sized(&[])?
            .parameter([SESSION_POLICY])
            .parameter(ALG_NULL)
            .parameter(HashAlgorithm::Sha256.id().to_be_bytes());
        self.run(&command).map(|response| response.handle)
    }

    /// `TPM2_PolicySecret`: the policy session has the password of a hierarchy.
    pub(crate) fn policy_secret(
        &mut self,
        hierarchy: u32,
        password: &[u8],
        session: u32,
    ) -> Result<(), TpmError> {
        let command = Command::new(CC_POLICY_SECRET)
            .by_password(hierarchy, password)?
            .handle(session)
            .sized(&[])?
            .sized(&[])?
            .sized(&[])?
            .parameter([0; 4]);
        self.run(&command).map(drop)
    }

    /// `TPM2_ActivateCredential`: the secret of a credential that was made for `key`, under the endorsement key of this TPM.
    pub(crate) fn activate_credential(
        &mut self,
        (key, endorsement_key): (u32, u32),
        session: u32,
        credential: &[u8],
        secret: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, TpmError> {
        let command = Command::new(CC_ACTIVATE_CREDENTIAL)
            .by_password(key, &[])?
            .by_policy(endorsement_key, session)?
            .sized(credential)?
            .sized(secret)?;
        let response = self.run(&command)?;
        let secret = Reader::whole(&response.parameters, Reader::sized);
        let secret = secret.ok_or(TpmError::Malformed)?;
        Ok(Zeroizing::new(secret.to_vec()))
    }

    pub(crate) fn run(&mut self, command: &Command) -> Result<Response, TpmError> {
        self.try_run(command)?.map_err(ResponseCode::error)
    }

    /// Again, where the TPM says that it may succeed in a moment.
    pub(crate) fn try_run(
        &mut self,
        command: &Command,
    ) -> Result<Result<Response, ResponseCode>, TpmError> {
        let encoded = Zeroizing::new(command.encode()?);
        for pause in PAUSES_MS {
            match self.run_once(command, &encoded)? {
                Err(code) if code.is_passing() => thread::sleep(Duration::from_millis(pause)),
                answered => return Ok(answered),
            }
        }
        self.run_once(command, &encoded)
    }

    fn run_once(
        &mut self,
        command: &Command,
        encoded: &[u8],
    ) -> Result<Result<Response, ResponseCode>, TpmError> {
        let response = Zeroizing::new(self.device.transact(encoded)?);
        command.response(&response)
    }
}

impl fmt::Debug for Tpm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tpm").finish_non_exhaustive()
    }
}

pub(crate) const RH_OWNER: u32 = 0x4000_0001;
pub(crate) const RH_NULL: u32 = 0x4000_0007;
pub(crate) const RH_ENDORSEMENT: u32 = 0x4000_000b;

const CC_EVICT_CONTROL: u32 = 0x120;
const CC_CREATE_PRIMARY: u32 = 0x131;
#[cfg(feature = "testing")]
const CC_STARTUP: u32 = 0x144;
const CC_ACTIVATE_CREDENTIAL: u32 = 0x147;
const CC_POLICY_SECRET: u32 = 0x151;
const CC_QUOTE: u32 = 0x158;
const CC_FLUSH_CONTEXT: u32 = 0x165;
const CC_READ_PUBLIC: u32 = 0x173;
const CC_START_AUTH_SESSION: u32 = 0x176;
const CC_PCR_READ: u32 = 0x17e;
#[cfg(feature = "testing")]
const CC_PCR_EXTEND: u32 = 0x182;

/// `TPM_ALG_NULL`
const ALG_NULL: [u8; 2] = [0, 0x10];

/// A list of no selections.
const NO_REGISTERS: [u8; 4] = [0; 4];

/// `TPM_SE_POLICY`
const SESSION_POLICY: u8 = 1;

/// Digests in one response to `TPM2_PCR_Read`.
const MAX_DIGESTS: usize = 8;

/// More than any response has.
const MAX_SELECTIONS: u32 = 16;

/// Milliseconds between tries of a TPM that is busy; 0.8 s all together.
const PAUSES_MS: [u64; 8] = [2, 5, 10, 25, 50, 100, 200, 400];
