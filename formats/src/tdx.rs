//! Intel TDX.

use atls_core::ear::TrustClaim;

use crate::Debugging;

/// The TD report within a quote of version 4 or 5 (Intel TDX DCAP Quoting Library API, §A.3 and §A.4). Little-endian.
#[derive(Clone, Copy, Debug)]
pub struct TdQuote<'a> {
    debugging: Debugging,
    report_data: &'a [u8],
}

impl<'a> TdQuote<'a> {
    /// None for what is no quote of a TD, SGX quotes included. Whatever follows the report is not looked at.
    pub fn read(quote: &'a [u8]) -> Option<Self> {
        let (version, rest) = quote.split_first_chunk()?;
        if rest.get(2..6)? != TDX {
            return None;
        }
        let body = match u16::from_le_bytes(*version) {
            4 => quote.get(48..)?,
            5 => {
                let kind = quote.get(48..50)?;
                let size = u32::from_le_bytes(quote.get(50..54)?.try_into().ok()?);
                match (kind, size) {
                    (TD_1_0, 584) | (TD_1_5, 648) | (TD_1_5_EXTENDED, 885) => quote.get(54..)?,
                    _ => return None,
                }
            }
            _ => return None,
        };
        Some(Self {
            // Any bit of the first octet of TDATTRIBUTES (TUD) makes a TD untrusted.
            debugging: match body.get(120)? {
                0 => Debugging::Denied,
                _ => Debugging::Allowed,
            },
            report_data: body.get(520..584)?,
        })
    }

    /// `REPORTDATA`, 64 octets.
    pub fn report_data(&self) -> &'a [u8] {
        self.report_data
    }

    /// Whether the TD's attributes make it untrusted.
    pub fn debugging(&self) -> Debugging {
        self.debugging
    }
}

/// AR4SI `hardware` for the TCB status that Intel gives a platform: 2 up to date, 32 something to do, 96 revoked, 97 not known.
pub fn hardware_claim(tcb_status: Option<&str>) -> TrustClaim {
    TrustClaim::new(match tcb_status {
        Some("UpToDate") => 2,
        Some(
            "ConfigurationAndSWHardeningNeeded"
            | "ConfigurationNeeded"
            | "OutOfDate"
            | "OutOfDateConfigurationNeeded"
            | "SWHardeningNeeded",
        ) => 32,
        Some("Revoked") => 96,
        _ => 97,
    })
}

const TDX: &[u8] = &[0x81, 0, 0, 0];
const TD_1_0: &[u8] = &[2, 0];
const TD_1_5: &[u8] = &[3, 0];
const TD_1_5_EXTENDED: &[u8] = &[4, 0];
