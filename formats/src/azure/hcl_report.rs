//! The HCL report.

use super::error::AzureFormatError;
use super::runtime_data::RuntimeData;
use crate::printed::printed_by_name;
use crate::snp::REPORT_LENGTH;

/// An HCL report, 2,600 bytes. Integers are little-endian.
///
/// ```text
///    0  "HCLA"(4) ‖ version(4): 1 or 2 ‖ size(4) ‖ type of request(4): 2 ‖ status(4): 0 ‖ 12 zero bytes
///   32  SNP report(1184), or TDREPORT(1024) ‖ 160 zero bytes
/// 1216  size(4) ‖ version(4): 1 ‖ type of report(4): 2 SNP, 4 TDX ‖ type of hash(4): 1 SHA-256 ‖ length(4)
/// 1236  runtime data ‖ zero bytes
/// ```
///
/// The first size counts all but the zeros at the end, the second one its own header and the runtime data. Everything else is refused, and
/// so is a report about other runtime data than that beside it. The header is signed by nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct HclReport<'a> {
    hardware: HardwareReport<'a>,
    runtime_data: &'a [u8],
}

printed_by_name!(HclReport<'_>, "HclReport");

/// The processor's report in an [`HclReport`].
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_enums,
    reason = "the two confidential technologies of Azure's VMs"
)]
pub enum HardwareReport<'a> {
    /// An SEV-SNP report, 1,184 bytes, signed.
    Snp(&'a [u8]),
    /// A `TDREPORT`, 1,024 bytes. Only the machine that made it can verify it, and makes a quote of it.
    Tdx(&'a [u8]),
}

printed_by_name!(HardwareReport<'_>, "HardwareReport");

impl<'a> HclReport<'a> {
    /// Reads a report.
    ///
    /// # Errors
    /// [`AzureFormatError`]
    pub fn decode(bytes: &'a [u8]) -> Result<Self, AzureFormatError> {
        let header = Reader(bytes)
            .split(HEADER_LENGTH)
            .filter(|_| bytes.len() == HCL_REPORT_LENGTH);
        let (header, rest) = header.ok_or(AzureFormatError::Header)?;
        let size = read_header(header.0).ok_or(AzureFormatError::Header)?;
        let (hardware, rest) = rest
            .split(REPORT_LENGTH)
            .ok_or(AzureFormatError::Hardware)?;
        let (runtime_header, rest) = rest
            .split(RUNTIME_HEADER_LENGTH)
            .ok_or(AzureFormatError::RuntimeHeader)?;
        let (kind, length) =
            read_runtime_header(runtime_header.0).ok_or(AzureFormatError::RuntimeHeader)?;
        let (runtime_data, padding) = rest.split(length).ok_or(AzureFormatError::RuntimeHeader)?;
        let used = bytes.len().checked_sub(padding.0.len());
        if used != Some(size) || !is_zero(padding.0) {
            return Err(AzureFormatError::Header);
        }
        let report = Self {
            hardware: HardwareReport::read(kind, hardware.0).ok_or(AzureFormatError::Hardware)?,
            runtime_data: runtime_data.0,
        };
        let data = RuntimeData::decode(report.runtime_data)?;
        if *report.hardware.report_data() != data.report_data() {
            return Err(AzureFormatError::Link);
        }
        Ok(report)
    }

    /// The processor's report.
    pub fn hardware(&self) -> HardwareReport<'a> {
        self.hardware
    }

    /// The bytes of the [`RuntimeData`].
    pub fn runtime_data(&self) -> &'a [u8] {
        self.runtime_data
    }
}

impl<'a> HardwareReport<'a> {
    /// The report.
    pub fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Snp(report) | Self::Tdx(report) => report,
        }
    }

    /// The 64 bytes that the guest's paravisor had the processor sign.
    pub fn report_data(&self) -> &'a [u8] {
        let (report, at) = match self {
            Self::Snp(report) => (*report, SNP_REPORT_DATA),
            Self::Tdx(report) => (*report, TD_REPORT_DATA),
        };
        // Never empty, as both have their length.
        report.get(at..at.saturating_add(64)).unwrap_or_default()
    }

    fn read(kind: Kind, place: &'a [u8]) -> Option<Self> {
        match kind {
            Kind::Snp => matches!(place, [2..=9, 0, 0, 0, ..]).then_some(Self::Snp(place)),
            Kind::Tdx => {
                let (report, filling) = place.split_at_checked(TD_REPORT_LENGTH)?;
                let is_td = matches!(report, [TD_REPORT_TYPE, ..]) && is_zero(filling);
                is_td.then_some(Self::Tdx(report))
            }
        }
    }
}

/// Writes HCL reports, for tests and for tools.
#[derive(Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "the fields of the format")]
pub struct HclReportWriter<'a> {
    /// The processor's report.
    pub hardware: HardwareReport<'a>,
    /// The runtime data.
    pub runtime_data: &'a [u8],
}

printed_by_name!(HclReportWriter<'_>, "HclReportWriter");

impl HclReportWriter<'_> {
    /// Writes the report; `None` where the runtime data, or a report of another length than its kind has, does not fit.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let (version, kind, report, length) = match self.hardware {
            HardwareReport::Snp(report) => (1_u32, Kind::Snp, report, REPORT_LENGTH),
            HardwareReport::Tdx(report) => (2, Kind::Tdx, report, TD_REPORT_LENGTH),
        };
        if report.len() != length {
            return None;
        }
        let data = u32::try_from(self.runtime_data.len()).ok()?;
        let with_header = data.checked_add(RUNTIME_HEADER_LENGTH.try_into().ok()?)?;
        let size = with_header.checked_add((HEADER_LENGTH + REPORT_LENGTH).try_into().ok()?)?;
        let mut out = MAGIC.to_vec();
        for field in [version, size, REQUEST, 0, 0, 0, 0] {
            out.extend(field.to_le_bytes());
        }
        out.extend(report);
        out.resize(HEADER_LENGTH + REPORT_LENGTH, 0);
        for field in [with_header, 1, kind.id(), SHA_256, data] {
            out.extend(field.to_le_bytes());
        }
        out.extend(self.runtime_data);
        let fits = out.len() <= HCL_REPORT_LENGTH;
        out.resize(HCL_REPORT_LENGTH, 0);
        fits.then_some(out)
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Snp,
    Tdx,
}

impl Kind {
    fn of(id: u32) -> Option<Self> {
        [Self::Snp, Self::Tdx]
            .into_iter()
            .find(|kind| kind.id() == id)
    }

    fn id(self) -> u32 {
        match self {
            Self::Snp => 2,
            Self::Tdx => 4,
        }
    }
}

#[derive(Clone, Copy)]
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn split(self, at: usize) -> Option<(Self, Self)> {
        let (head, tail) = self.0.split_at_checked(at)?;
        Some((Self(head), Self(tail)))
    }
}

/// The size that it states.
fn read_header(header: &[u8]) -> Option<usize> {
    let rest = header.strip_prefix(MAGIC)?;
    let [version, size, request, status, reserved @ ..] = words::<7>(rest)?;
    let is_known = matches!(version, 1 | 2) && request == REQUEST && status == 0;
    (is_known && reserved == [0; 3]).then_some(usize::try_from(size).ok()?)
}

/// The kind of report, and the length of the data.
fn read_runtime_header(header: &[u8]) -> Option<(Kind, usize)> {
    let [size, version, kind, hash, length] = words(header)?;
    let length = usize::try_from(length).ok()?;
    let size_is_right = length.checked_add(RUNTIME_HEADER_LENGTH) == usize::try_from(size).ok();
    let is_known = version == 1 && hash == SHA_256 && size_is_right;
    is_known.then_some((Kind::of(kind)?, length))
}

fn words<const N: usize>(bytes: &[u8]) -> Option<[u32; N]> {
    let (words, []) = bytes.as_chunks::<4>() else {
        return None;
    };
    let words: Vec<_> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
    words.try_into().ok()
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// Bytes of an HCL report.
pub const HCL_REPORT_LENGTH: usize = 2600;

/// Bytes of a `TDREPORT`.
pub const TD_REPORT_LENGTH: usize = 1024;

const MAGIC: &[u8] = b"HCLA";
const HEADER_LENGTH: usize = 32;
const RUNTIME_HEADER_LENGTH: usize = 20;

/// A report about the guest.
const REQUEST: u32 = 2;

const SHA_256: u32 = 1;

/// `REPORT_DATA` of AMD's document 56860.
const SNP_REPORT_DATA: usize = 0x50;

/// `REPORTMACSTRUCT.REPORTDATA` of Intel's TDX Module specification.
const TD_REPORT_DATA: usize = 128;

/// `REPORTTYPE.TYPE` of a TD.
const TD_REPORT_TYPE: u8 = 0x81;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::runtime_data::tests::sample as runtime_data;
    use super::*;

    fn snp(data: &[u8]) -> Vec<u8> {
        let mut report = vec![0x5a; REPORT_LENGTH];
        report[..4].copy_from_slice(&[3, 0, 0, 0]);
        let report_data = RuntimeData::decode(data).unwrap().report_data();
        report[SNP_REPORT_DATA..][..64].copy_from_slice(&report_data);
        report
    }

    fn tdx(data: &[u8]) -> Vec<u8> {
        let mut report = vec![0x5a; TD_REPORT_LENGTH];
        report[0] = TD_REPORT_TYPE;
        let report_data = RuntimeData::decode(data).unwrap().report_data();
        report[TD_REPORT_DATA..][..64].copy_from_slice(&report_data);
        report
    }

    fn write(hardware: HardwareReport<'_>, runtime_data: &[u8]) -> Vec<u8> {
        let writer = HclReportWriter {
            hardware,
            runtime_data,
        };
        writer.encode().unwrap()
    }

    #[test]
    fn a_report_that_was_written_is_read() {
        let data = runtime_data();
        let (snp, tdx) = (snp(&data), tdx(&data));
        for hardware in [HardwareReport::Snp(&snp), HardwareReport::Tdx(&tdx)] {
            let bytes = write(hardware, &data);
            let report = HclReport::decode(&bytes).unwrap();
            assert_eq!(report.hardware(), hardware);
            assert_eq!(report.runtime_data(), data);
        }
    }

    #[test]
    fn every_truncation_and_anything_behind_is_refused() {
        let data = runtime_data();
        let bytes = write(HardwareReport::Snp(&snp(&data)), &data);
        for length in 0..bytes.len() {
            assert!(HclReport::decode(&bytes[..length]).is_err(), "{length}");
        }
        assert!(HclReport::decode(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn each_byte_of_the_headers_is_checked() {
        let data = runtime_data();
        let (snp, tdx) = (snp(&data), tdx(&data));
        for hardware in [HardwareReport::Snp(&snp), HardwareReport::Tdx(&tdx)] {
            let bytes = write(hardware, &data);
            let end = 1236 + data.len();
            for index in (0..32).chain(1216..1236).chain(end..bytes.len()) {
                for value in [0x40, 0xff] {
                    let mut other = bytes.clone();
                    other[index] ^= value;
                    assert!(HclReport::decode(&other).is_err(), "{index}");
                }
            }
        }
    }

    #[test]
    fn a_report_is_of_the_kind_that_is_named_behind_it() {
        let data = runtime_data();
        for (hardware, other_kind) in [
            (HardwareReport::Snp(&snp(&data)), 4),
            (HardwareReport::Tdx(&tdx(&data)), 2),
        ] {
            let mut bytes = write(hardware, &data);
            bytes[1224] = other_kind;
            assert_eq!(HclReport::decode(&bytes), Err(AzureFormatError::Hardware));
        }
        // What follows the TDREPORT in its place is zero.
        let mut bytes = write(HardwareReport::Tdx(&tdx(&data)), &data);
        bytes[32 + TD_REPORT_LENGTH] = 1;
        assert_eq!(HclReport::decode(&bytes), Err(AzureFormatError::Hardware));
    }

    #[test]
    fn a_report_about_other_runtime_data_is_refused() {
        let data = runtime_data();
        let (snp, tdx) = (snp(&data), tdx(&data));
        for (hardware, report_data) in [
            (HardwareReport::Snp(&snp), 32 + SNP_REPORT_DATA),
            (HardwareReport::Tdx(&tdx), 32 + TD_REPORT_DATA),
        ] {
            let bytes = write(hardware, &data);
            for index in report_data..report_data + 64 {
                let mut other = bytes.clone();
                other[index] ^= 1;
                assert_eq!(HclReport::decode(&other), Err(AzureFormatError::Link));
            }
        }
    }

    #[test]
    fn data_that_does_not_fit_is_not_written() {
        let hardware = HardwareReport::Snp(&[0; REPORT_LENGTH]);
        let write = |hardware, length: usize| {
            let data = vec![b' '; length];
            let runtime_data = &data;
            HclReportWriter {
                hardware,
                runtime_data,
            }
            .encode()
            .is_some()
        };
        assert!(write(hardware, 1364) && !write(hardware, 1365));
        assert!(!write(HardwareReport::Tdx(&[0; REPORT_LENGTH]), 1));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..64),
            at in 0..2600_usize,
        ) {
            let data = runtime_data();
            let mut report = write(HardwareReport::Tdx(&tdx(&data)), &data);
            for (place, byte) in report.iter_mut().skip(at).zip(bytes) {
                *place = byte;
            }
            let _ = HclReport::decode(&report);
        }
    }
}
