//! The attester half: has its TPM sign quotes.

use std::collections::BTreeSet;
use std::fmt;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::pki_types::CertificateDer;
use atls_formats::tpm::Attest;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::PcrSelection;
use atls_formats::tpm::PcrSet;
use atls_formats::tpm::Public;
use atls_formats::tpm::TpmEvidence;
use atls_formats::tpm::qualifying_data;
use zeroize::Zeroizing;

use crate::attestation_key::AttestationKey;
use crate::device::TpmDevice;
use crate::device::TpmFile;
use crate::error::TpmError;
use crate::key_template::KeyTemplate;
use crate::log_file::LogFile;
use crate::stored_certificate::without_filling;
use crate::tpm::QuoteResponse;
use crate::tpm::RH_ENDORSEMENT;
use crate::tpm::Tpm;

/// Makes quotes over the TPM of this machine.
///
/// The key is a primary key of the endorsement hierarchy. A TPM derives those from its seed, so it is **the same key at every start**, until
/// somebody clears the hierarchy; it is made when it is first needed, and where it is to be kept,
/// [`with_persistent_key`](Self::with_persistent_key) says.
///
/// The device takes milliseconds to a second and one command at a time; `atls_tower::Blocking` gives it its thread, and connections a deadline.
/// Every error leaves the attester usable: the next call begins anew, with a new key handle where the TPM was reset.
pub struct TpmAttester {
    pub(crate) tpm: Tpm,
    template: KeyTemplate,
    persistent: Option<u32>,
    /// An index of the non-volatile memory, with a template in place of ours.
    template_at: Option<u32>,
    /// An index of the non-volatile memory.
    ak_certificate_at: Option<u32>,
    /// Behind that certificate.
    intermediates: Vec<CertificateDer<'static>>,
    selections: Vec<PcrSelection>,
    pub(crate) tcg_log: Option<LogFile>,
    pub(crate) systemd_log: Option<LogFile>,
    pub(crate) ima_log: Option<LogFile>,
    pub(crate) endorsement_password: Zeroizing<Vec<u8>>,
    pub(crate) owner_password: Zeroizing<Vec<u8>>,
    key: Option<LoadedKey>,
    media_types: [MediaType; 1],
}

/// A key that the TPM knows by a handle.
#[derive(Clone)]
pub(crate) struct LoadedKey {
    pub(crate) handle: u32,
    pub(crate) public: AttestationKey,
    /// By which the TPM names it in quotes.
    qualified_name: Vec<u8>,
}

impl TpmAttester {
    /// The TPM of this machine, by `/dev/tpmrm0`; `None` where there is no such device. It quotes PCR0 to PCR7 of the SHA-256 bank, by an ECDSA
    /// key, and sends no logs.
    ///
    /// # Errors
    /// [`AttestError::Device`] where the device is there and cannot be opened, such as by lack of rights.
    pub fn open() -> Result<Option<Self>, AttestError> {
        let file = TpmFile::open(TpmFile::RESOURCE_MANAGER).map_err(TpmError::from)?;
        file.map(Self::over).transpose()
    }

    /// Over any TPM, such as `swtpm`.
    ///
    /// # Errors
    /// None so far.
    pub fn over(device: impl TpmDevice + 'static) -> Result<Self, AttestError> {
        let pcrs = PcrSet::of(0..8).unwrap_or_default();
        let bank = HashAlgorithm::Sha256;
        let unnamed = |_| AttestError::Device("no media type".to_owned());
        Ok(Self {
            tpm: Tpm::over(device),
            template: KeyTemplate::default(),
            persistent: None,
            template_at: None,
            ak_certificate_at: None,
            intermediates: Vec::new(),
            selections: vec![PcrSelection { bank, pcrs }],
            tcg_log: None,
            systemd_log: None,
            ima_log: None,
            endorsement_password: Zeroizing::default(),
            owner_password: Zeroizing::default(),
            key: None,
            media_types: [crate::media_type().map_err(unnamed)?],
        })
    }

    /// Another kind of key. Each kind is a key of its own, and enrolled on its own.
    #[must_use]
    pub fn with_key(mut self, template: KeyTemplate) -> Self {
        self.template = template;
        self
    }

    /// Keeps the key at this handle, 0x81000000 to 0x817fffff, and makes it there once. A key that is there already is used, whoever made it, where
    /// its quotes can be trusted.
    #[must_use]
    pub fn with_persistent_key(mut self, handle: u32) -> Self {
        self.persistent = Some(handle);
        self
    }

    /// Makes the key by the template (`TPMT_PUBLIC`) at this index of the non-volatile memory, as a cloud that certifies the key wants it. Google Cloud has one
    /// of RSA at 0x01c10001 and one of ECC at 0x01c10003.
    #[must_use]
    pub fn with_template_at(mut self, index: u32) -> Self {
        self.template_at = Some(index);
        self
    }

    /// Sends the key's certificate along, which a cloud put at this index of the non-volatile memory: Google Cloud at 0x01c10000 (RSA) or 0x01c10002 (ECC), Azure
    /// at 0x01c101d0, of the key at 0x81000003. Behind it go the certificates between it and a root, which machines do not have.
    #[must_use]
    pub fn with_ak_certificate_at(
        mut self,
        index: u32,
        intermediates: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Self {
        self.ak_certificate_at = Some(index);
        self.intermediates = intermediates.into_iter().collect();
        self
    }

    /// The banks and registers that are quoted.
    ///
    /// # Errors
    /// [`TpmError::NoRegisters`] where it is none, a bank without any, or one bank twice.
    pub fn with_registers(
        mut self,
        selections: impl IntoIterator<Item = PcrSelection>,
    ) -> Result<Self, TpmError> {
        let selections: Vec<_> = selections.into_iter().collect();
        let banks: BTreeSet<_> = selections.iter().map(|selection| selection.bank).collect();
        let is_empty = selections.iter().any(|selection| selection.pcrs.is_empty());
        if selections.is_empty() || is_empty || banks.len() != selections.len() {
            return Err(TpmError::NoRegisters);
        }
        self.selections = selections;
        Ok(self)
    }

    /// The password of the endorsement hierarchy; empty unless set.
    #[must_use]
    pub fn with_endorsement_password(mut self, password: Vec<u8>) -> Self {
        self.endorsement_password = Zeroizing::new(password);
        self
    }

    /// The password of the owner's hierarchy, which persistent handles belong to; empty unless set.
    #[must_use]
    pub fn with_owner_password(mut self, password: Vec<u8>) -> Self {
        self.owner_password = Zeroizing::new(password);
        self
    }

    /// The contents of an index of the TPM's non-volatile memory that its own empty password or the owner's opens; for Evidence of which this
    /// TPM makes a part.
    ///
    /// # Errors
    /// [`AttestError::Device`] where there is no such index, or it cannot be read.
    pub fn read_nv(&mut self, index: u32) -> Result<Vec<u8>, AttestError> {
        let contents = self.tpm.read_nv(index, &self.owner_password)?;
        contents.ok_or_else(|| TpmError::NothingAt(index).into())
    }

    /// The key that will sign, for a file of keys. It is made where it is not there yet.
    ///
    /// # Errors
    /// [`TpmError`]
    pub fn attestation_key(&mut self) -> Result<AttestationKey, TpmError> {
        self.load_key().map(|key| key.public)
    }

    /// Evidence over these bytes.
    fn evidence(&mut self, qualifying_data: &[u8]) -> Result<Vec<u8>, TpmError> {
        let (key, quote, pcrs) = self.quote_of_registers(qualifying_data)?;
        // After the quote: what a log has more than that is seen, and left out.
        let read = |log: &Option<LogFile>| log.as_ref().map(LogFile::read).transpose();
        let evidence = TpmEvidence {
            ak: key.public.as_bytes().to_vec(),
            ak_certificates: self.ak_certificates()?,
            attest: quote.attest,
            ima_log: read(&self.ima_log)?,
            pcrs,
            signature: quote.signature,
            systemd_log: read(&self.systemd_log)?,
            tcg_log: read(&self.tcg_log)?,
        };
        let evidence = evidence.encode()?;
        match evidence.len() {
            ..=MAX_EVIDENCE => Ok(evidence),
            _ => Err(TpmError::Log(
                "files together are larger than fits beside a quote".to_owned(),
            )),
        }
    }

    fn ak_certificates(&mut self) -> Result<Option<Vec<u8>>, TpmError> {
        let Some(index) = self.ak_certificate_at else {
            return Ok(None);
        };
        let stored = self.tpm.read_nv(index, &self.owner_password)?;
        let mut chain = without_filling(stored.ok_or(TpmError::NothingAt(index))?);
        let intermediates = self.intermediates.iter();
        intermediates.for_each(|certificate| chain.extend_from_slice(certificate));
        Ok(Some(chain))
    }

    /// A quote, and values whose digest it has. Registers may change in between, and then both are taken again.
    fn quote_of_registers(
        &mut self,
        qualifying_data: &[u8],
    ) -> Result<(LoadedKey, QuoteResponse, Vec<u8>), TpmError> {
        for _ in 0..TRIES {
            let pcrs = self.tpm.read_registers(&self.selections)?;
            let (key, quote, attest) = self.quote(qualifying_data)?;
            if attest.extra_data != qualifying_data || attest.selections != self.selections {
                return Err(TpmError::Malformed);
            }
            if key.public.scheme_hash().digest(&[&pcrs]) == attest.pcr_digest {
                return Ok((key, quote, pcrs));
            }
        }
        Err(TpmError::RegistersChanged)
    }

    /// By the key that is loaded; where the TPM was reset since, by the same key, loaded anew.
    fn quote(
        &mut self,
        qualifying_data: &[u8],
    ) -> Result<(LoadedKey, QuoteResponse, Attest), TpmError> {
        if let Some(quoted) = self.quote_by_loaded(qualifying_data)? {
            return Ok(quoted);
        }
        self.key = None;
        let quoted = self.quote_by_loaded(qualifying_data)?;
        quoted.ok_or(TpmError::Malformed)
    }

    /// `None` where the handle means no key, or another one: after a reset somebody else may have it.
    fn quote_by_loaded(
        &mut self,
        qualifying_data: &[u8],
    ) -> Result<Option<(LoadedKey, QuoteResponse, Attest)>, TpmError> {
        let key = self.load_key()?;
        let quoted = self
            .tpm
            .quote(key.handle, qualifying_data, &self.selections)?;
        let quote = match quoted {
            Ok(quote) => quote,
            Err(_) if !self.is_loaded(&key)? => return Ok(None),
            Err(code) => return Err(code.error()),
        };
        let attest = Attest::decode(&quote.attest)?;
        let is_ours = attest.qualified_signer == key.qualified_name;
        Ok(is_ours.then_some((key, quote, attest)))
    }

    /// The key, loaded anew where its handle means another one by now.
    pub(crate) fn reload_key(&mut self) -> Result<LoadedKey, TpmError> {
        let key = self.load_key()?;
        if self.is_loaded(&key)? {
            return Ok(key);
        }
        self.key = None;
        self.load_key()
    }

    fn is_loaded(&mut self, key: &LoadedKey) -> Result<bool, TpmError> {
        let read = self.tpm.read_public(key.handle)?;
        Ok(read.is_some_and(|read| read.qualified_name == key.qualified_name))
    }

    fn load_key(&mut self) -> Result<LoadedKey, TpmError> {
        if let Some(key) = &self.key {
            return Ok(key.clone());
        }
        let handle = match self.persistent {
            None => self.make_key()?,
            Some(handle) => self.keep_key(handle)?,
        };
        let read = self.tpm.read_public(handle)?.ok_or(TpmError::Malformed)?;
        let key = LoadedKey {
            handle,
            public: AttestationKey::decode(&read.public)?,
            qualified_name: read.qualified_name,
        };
        self.key = Some(key.clone());
        Ok(key)
    }

    fn make_key(&mut self) -> Result<u32, TpmError> {
        let template = match self.template_at {
            None => self.template.public(),
            Some(index) => {
                let stored = self.tpm.read_nv(index, &self.owner_password)?;
                Public::decode(&stored.ok_or(TpmError::NothingAt(index))?)?
            }
        };
        let password = &self.endorsement_password;
        self.tpm.create_primary(RH_ENDORSEMENT, password, &template)
    }

    /// Makes the key at a persistent handle, where there is none yet.
    fn keep_key(&mut self, persistent: u32) -> Result<u32, TpmError> {
        if self.tpm.read_public(persistent)?.is_some() {
            return Ok(persistent);
        }
        let loaded = self.make_key()?;
        let password = &self.owner_password;
        let kept = self.tpm.make_persistent(password, loaded, persistent);
        // The other handle is of no more use, whether that succeeded or not.
        self.tpm.flush(loaded)?;
        kept.map(|()| persistent)
    }
}

impl LocalAttester for TpmAttester {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn names_leaf_key(&self) -> bool {
        false
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let evidence = self.evidence(qualifying_data(request.bound()).bytes())?;
        let [media_type] = &self.media_types;
        Ok(Cmw::evidence(media_type.clone(), evidence))
    }
}

/// A key without a persistent handle takes one of the few places that a TPM has, so it is given back.
impl Drop for TpmAttester {
    fn drop(&mut self) {
        if let (Some(key), None) = (self.key.take(), self.persistent) {
            // Nobody is left to tell; the kernel's resource manager does the same. Another's key stays.
            if self.is_loaded(&key).unwrap_or_default() {
                let _ = self.tpm.flush(key.handle);
            }
        }
    }
}

impl fmt::Debug for TpmAttester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TpmAttester")
            .field("template", &self.template)
            .field("selections", &self.selections)
            .finish_non_exhaustive()
    }
}

/// How often registers may change while they are quoted.
const TRIES: usize = 3;

/// Bytes, some less than a CMW has for its value.
const MAX_EVIDENCE: usize = 65_400;
