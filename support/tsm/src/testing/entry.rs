//! One entry of the fake, with the kernel's rules.

use std::io;

use super::device::Device;
use super::device::Forged;
use super::device::os_error;
use crate::error::EFBIG;
use crate::error::EINVAL;

#[derive(Default)]
pub(super) struct FakeEntry {
    inblob: Option<Vec<u8>>,
    privilege_level: u8,
    generation: u64,
    /// The last answer, and its generation.
    cached: Option<(u64, Forged)>,
}

impl FakeEntry {
    pub(super) fn write_inblob(&mut self, value: &[u8]) -> io::Result<()> {
        if value.len() > INBLOB_MAX {
            return Err(os_error(EFBIG));
        }
        self.generation = self.generation.saturating_add(1);
        self.inblob = (!value.is_empty()).then(|| value.to_vec());
        Ok(())
    }

    pub(super) fn write_privilege_level(&mut self, value: &[u8]) -> io::Result<()> {
        let level = str::from_utf8(value).ok();
        let level = level.and_then(|text| text.trim_end().parse().ok());
        let level = level.filter(|level| *level <= PRIVILEGE_LEVEL_MAX);
        self.privilege_level = level.ok_or_else(|| os_error(EINVAL))?;
        self.generation = self.generation.saturating_add(1);
        Ok(())
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// The answer for the current generation, made once.
    pub(super) fn answer(&mut self, provider: &str, device: &dyn Device) -> io::Result<Forged> {
        if let Some((generation, forged)) = &self.cached
            && *generation == self.generation
        {
            return Ok(forged.clone());
        }
        let inblob = self.inblob.as_deref().ok_or_else(|| os_error(EINVAL))?;
        let fits = match provider {
            "arm_cca_guest" => (32..=INBLOB_MAX).contains(&inblob.len()),
            _ => inblob.len() == INBLOB_MAX,
        };
        if !fits {
            return Err(os_error(EINVAL));
        }
        let forged = device
            .answer(inblob, self.privilege_level)
            .map_err(os_error)?;
        if forged.outblob.len() > BLOB_MAX || forged.auxblob.len() > BLOB_MAX {
            return Err(os_error(EFBIG));
        }
        self.cached = Some((self.generation, forged.clone()));
        Ok(forged)
    }
}

/// `TSM_REPORT_INBLOB_MAX`
const INBLOB_MAX: usize = 64;

/// `TSM_REPORT_OUTBLOB_MAX` of the newest kernels; the older ones have 32 KiB.
const BLOB_MAX: usize = 16 * 1024 * 1024;

/// VMPL 3.
const PRIVILEGE_LEVEL_MAX: u8 = 3;
