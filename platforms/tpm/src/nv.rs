//! The commands on a TPM's non-volatile memory (Part 3 §31), where makers and clouds put certificates, templates and reports.

#[cfg(feature = "testing")]
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::wire::Reader;

use crate::command::Command;
use crate::error::ResponseCode;
use crate::error::TpmError;
use crate::tpm::RH_OWNER;
use crate::tpm::Tpm;

impl Tpm {
    /// The whole of an index. Its own password, the empty one, opens it, or else the owner's. `None` where there is no such index.
    pub(crate) fn read_nv(
        &mut self,
        index: u32,
        owner_password: &[u8],
    ) -> Result<Option<Vec<u8>>, TpmError> {
        let command = Command::new(CC_NV_READ_PUBLIC).handle(index);
        let response = match self.try_run(&command)? {
            Ok(response) => response,
            Err(code) if code.is_unknown_handle() => return Ok(None),
            Err(code) => return Err(ResponseCode::error(code)),
        };
        let area = Reader::of(&response.parameters).sized();
        let area = area.and_then(NvArea::read).ok_or(TpmError::Malformed)?;
        let (opener, password) = match area.attributes & AUTH_READ {
            0 => (RH_OWNER, owner_password),
            _ => (index, &[][..]),
        };
        let mut contents = Vec::new();
        while let Some(left) = usize::from(area.size)
            .checked_sub(contents.len())
            .filter(|left| *left > 0)
        {
            let length = u16::try_from(left.min(MAX_PART)).map_err(|_| TpmError::Malformed)?;
            let offset = u16::try_from(contents.len()).map_err(|_| TpmError::Malformed)?;
            let command = Command::new(CC_NV_READ)
                .by_password(opener, password)?
                .handle(index)
                .parameter(length.to_be_bytes())
                .parameter(offset.to_be_bytes());
            let response = self.run(&command)?;
            let read = Reader::of(&response.parameters).sized();
            let read = read.filter(|read| read.len() == usize::from(length));
            contents.extend(read.ok_or(TpmError::Malformed)?);
        }
        Ok(Some(contents))
    }
}

#[cfg(feature = "testing")]
impl Tpm {
    /// `TPM2_NV_DefineSpace` and `TPM2_NV_Write`, by the owner.
    pub(crate) fn write_nv(
        &mut self,
        (index, readers): (u32, NvReaders),
        contents: &[u8],
    ) -> Result<(), TpmError> {
        let size = u16::try_from(contents.len()).map_err(|_| TpmError::Malformed)?;
        let attributes = match readers {
            NvReaders::Anybody => NO_DA | OWNER_WRITE | OWNER_READ | AUTH_READ,
            NvReaders::Owner => NO_DA | OWNER_WRITE | OWNER_READ,
        };
        let area = [
            &index.to_be_bytes()[..],
            &HashAlgorithm::Sha256.id().to_be_bytes(),
            &attributes.to_be_bytes(),
            &[0, 0],
            &size.to_be_bytes(),
        ];
        let define = Command::new(CC_NV_DEFINE_SPACE)
            .by_password(RH_OWNER, &[])?
            .sized(&[])?
            .sized(&area.concat())?;
        self.run(&define)?;
        for (number, chunk) in (0_u16..).zip(contents.chunks(MAX_PART)) {
            let offset = usize::from(number).saturating_mul(MAX_PART);
            let offset = u16::try_from(offset).map_err(|_| TpmError::Malformed)?;
            let write = Command::new(CC_NV_WRITE)
                .by_password(RH_OWNER, &[])?
                .handle(index)
                .sized(chunk)?
                .parameter(offset.to_be_bytes());
            self.run(&write)?;
        }
        Ok(())
    }

    /// `TPM2_NV_UndefineSpace`, by the owner.
    pub(crate) fn remove_nv(&mut self, index: u32) -> Result<(), TpmError> {
        let remove = Command::new(CC_NV_UNDEFINE_SPACE)
            .by_password(RH_OWNER, &[])?
            .handle(index);
        self.run(&remove).map(drop)
    }
}

/// Who reads an index.
#[cfg(feature = "testing")]
#[derive(Clone, Copy, Debug)]
pub(crate) enum NvReaders {
    Anybody,
    Owner,
}

/// `TPMS_NV_PUBLIC`: index(4) ‖ name algorithm(2) ‖ attributes(4) ‖ TPM2B policy ‖ size(2)
struct NvArea {
    attributes: u32,
    size: u16,
}

impl NvArea {
    fn read(area: &[u8]) -> Option<Self> {
        Reader::whole(area, |reader| {
            let (_index, _name_algorithm) = (reader.u32()?, reader.u16()?);
            let attributes = reader.u32()?;
            reader.sized()?;
            let size = reader.u16()?;
            Some(Self { attributes, size })
        })
    }
}

#[cfg(feature = "testing")]
const CC_NV_UNDEFINE_SPACE: u32 = 0x122;
#[cfg(feature = "testing")]
const CC_NV_DEFINE_SPACE: u32 = 0x12a;
#[cfg(feature = "testing")]
const CC_NV_WRITE: u32 = 0x137;
const CC_NV_READ: u32 = 0x14e;
const CC_NV_READ_PUBLIC: u32 = 0x169;

/// `TPMA_NV_OWNERWRITE`
#[cfg(feature = "testing")]
const OWNER_WRITE: u32 = 1 << 1;

/// `TPMA_NV_OWNERREAD`
#[cfg(feature = "testing")]
const OWNER_READ: u32 = 1 << 17;

/// `TPMA_NV_AUTHREAD`
const AUTH_READ: u32 = 1 << 18;

/// `TPMA_NV_NO_DA`: wrong passwords do not lead to a lockout.
#[cfg(feature = "testing")]
const NO_DA: u32 = 1 << 25;

/// Bytes that every TPM takes and gives of non-volatile memory at once.
const MAX_PART: usize = 512;
