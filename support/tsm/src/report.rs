//! One report, from the making of its entry to the removal.

use std::fmt;

use crate::entry::Entry;
use crate::error::TsmError;
use crate::fs::Attribute;
use crate::fs::ConfigFs;
use crate::fs::TsmFs;

/// Reports by configfs-tsm.
///
/// Each report has an entry of its own, removed again on success and on error. The call blocks for as long as the device
/// takes: tens of milliseconds, up to seconds on some hosts.
pub struct Tsm {
    fs: Box<dyn TsmFs>,
}

impl Tsm {
    /// Reports of the kernel's file system at `/sys/kernel/config/tsm/report`.
    pub fn new() -> Self {
        Self::over(ConfigFs::new())
    }

    /// Reports of another place, or of a fake.
    pub fn over(fs: impl TsmFs + 'static) -> Self {
        Self { fs: Box::new(fs) }
    }

    /// The device of this machine. Makes an entry and removes it, and asks the device for nothing.
    ///
    /// # Errors
    /// [`TsmError::NoConfigFs`] and [`TsmError::NoProvider`] where this is no confidential guest or its kernel lacks support;
    /// [`TsmError::OtherProvider`] for an unknown device.
    pub fn provider(&self) -> Result<Provider, TsmError> {
        provider_of(&Entry::make(&*self.fs)?)
    }

    /// Makes a report. When another program wrote into the entry meanwhile, it makes another one with a fresh entry, three
    /// times at most.
    ///
    /// # Errors
    /// [`TsmError`]
    pub fn report(&self, request: &TsmRequest<'_>) -> Result<TsmReport, TsmError> {
        for _ in 0..MOST_ATTEMPTS {
            match self.attempt(request) {
                Err(TsmError::Raced) => {}
                outcome => return outcome,
            }
        }
        Err(TsmError::Raced)
    }

    fn attempt(&self, request: &TsmRequest<'_>) -> Result<TsmReport, TsmError> {
        let mut entry = Entry::make(&*self.fs)?;
        let provider = provider_of(&entry)?;
        if provider != request.provider {
            return Err(TsmError::OtherProvider(provider.to_string()));
        }
        let before = entry.generation()?;
        if let Some(level) = request.privilege_level {
            entry.write(Attribute::PrivLevel, level.to_string().as_bytes())?;
        }
        entry.write(Attribute::InBlob, request.inblob)?;
        let outblob = entry.read(Attribute::OutBlob, MAX_BLOB)?;
        if outblob.is_empty() {
            return Err(TsmError::Malformed(Attribute::OutBlob));
        }
        let auxblob = match provider {
            // The other providers have an empty attribute.
            Provider::SevGuest => entry.read(Attribute::AuxBlob, MAX_BLOB)?,
            Provider::ArmCcaGuest | Provider::TdxGuest => Vec::new(),
        };
        // Read last: after a race, outblob and auxblob might answer another inblob.
        if Some(entry.generation()?) != before.checked_add(entry.writes()) {
            return Err(TsmError::Raced);
        }
        Ok(TsmReport { outblob, auxblob })
    }
}

impl Default for Tsm {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Tsm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tsm").finish_non_exhaustive()
    }
}

/// The request for one report.
#[derive(Clone, Debug)]
pub struct TsmRequest<'a> {
    provider: Provider,
    inblob: &'a [u8],
    privilege_level: Option<u8>,
}

impl<'a> TsmRequest<'a> {
    /// A request to this provider. The report must carry `inblob`: 64 bytes for TDX and SNP, 32 to 64 for CCA. A report of
    /// another provider is refused.
    pub fn new(provider: Provider, inblob: &'a [u8]) -> Self {
        Self {
            provider,
            inblob,
            privilege_level: None,
        }
    }

    /// States this privilege level: the VMPL of SNP, 0 to 3, at most as privileged as the kernel's own (`privlevel_floor`),
    /// which is the default.
    #[must_use]
    pub fn with_privilege_level(mut self, level: u8) -> Self {
        self.privilege_level = Some(level);
        self
    }
}

/// The answer of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TsmReport {
    /// The report or quote: an SNP report, a TDX quote, a CCA token; 1 byte to 256 KiB.
    pub outblob: Vec<u8>,
    /// SNP: the certificate table of the GHCB, as the *host* filled it; hostile until parsed. Empty for the other providers.
    pub auxblob: Vec<u8>,
}

/// The driver behind configfs-tsm, as `provider` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// `arm_cca_guest`: Arm CCA.
    ArmCcaGuest,
    /// `sev_guest`: AMD SEV-SNP.
    SevGuest,
    /// `tdx_guest`: Intel TDX.
    TdxGuest,
}

impl Provider {
    /// The kernel's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ArmCcaGuest => "arm_cca_guest",
            Self::SevGuest => "sev_guest",
            Self::TdxGuest => "tdx_guest",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::ArmCcaGuest, Self::SevGuest, Self::TdxGuest]
            .into_iter()
            .find(|provider| provider.name() == name)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn provider_of(entry: &Entry<'_>) -> Result<Provider, TsmError> {
    let name = entry.read_line(Attribute::Provider)?;
    Provider::from_name(&name)
        .ok_or_else(|| TsmError::OtherProvider(name.chars().take(MOST_NAME).collect()))
}

/// The number of races after which an attack or a fault is assumed.
const MOST_ATTEMPTS: usize = 3;

/// Bytes of `outblob` and of `auxblob`. The limit of the kernel is 32 KiB, and 16 MiB since 6.19. A CMW has at most 64 KiB; the
/// rest is room for certificates that do not travel.
const MAX_BLOB: usize = 256 * 1024;

/// Characters of a foreign provider's name in an error.
const MOST_NAME: usize = 32;
