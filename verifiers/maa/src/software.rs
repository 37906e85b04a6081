//! The software of guests that is known good.

use crate::claims::GuestKind;
use crate::claims::MaaClaims;
use crate::claims::Software;

/// The measurements of a TD that are known good, for [`MaaService::with_td`](crate::MaaService::with_td). 48 bytes each, SHA-384.
///
/// MRTD covers the firmware alone, as a rule. RTMR1 and RTMR2 have the boot loader, the kernel, its command line and its RAM disk, as
/// firmware and boot loader measured them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TdMeasurements {
    mrtd: [u8; 48],
    rtmr0: Option<[u8; 48]>,
    rtmr1: Option<[u8; 48]>,
    rtmr2: Option<[u8; 48]>,
    rtmr3: Option<[u8; 48]>,
}

impl TdMeasurements {
    /// A TD whose firmware measures what it boots, by the claims `tdx_mrtd`, `tdx_rtmr1` and `tdx_rtmr2`.
    pub fn booted(mrtd: [u8; 48], rtmr1: [u8; 48], rtmr2: [u8; 48]) -> Self {
        Self {
            rtmr1: Some(rtmr1),
            rtmr2: Some(rtmr2),
            ..Self::dangerous_mrtd_alone(mrtd)
        }
    }

    /// Any TD of this firmware. **It may boot any kernel**, unless the firmware has all software in itself.
    pub fn dangerous_mrtd_alone(mrtd: [u8; 48]) -> Self {
        Self {
            mrtd,
            rtmr0: None,
            rtmr1: None,
            rtmr2: None,
            rtmr3: None,
        }
    }

    /// Demands the configuration of the firmware too, by the claim `tdx_rtmr0`; by default any.
    #[must_use]
    pub fn with_rtmr0(mut self, rtmr0: [u8; 48]) -> Self {
        self.rtmr0 = Some(rtmr0);
        self
    }

    /// Demands what is measured after boot too, by the claim `tdx_rtmr3`; by default any.
    #[must_use]
    pub fn with_rtmr3(mut self, rtmr3: [u8; 48]) -> Self {
        self.rtmr3 = Some(rtmr3);
        self
    }

    fn are_of(&self, claims: &MaaClaims) -> bool {
        let pinned = [
            ("tdx_mrtd", Some(self.mrtd)),
            ("tdx_rtmr0", self.rtmr0),
            ("tdx_rtmr1", self.rtmr1),
            ("tdx_rtmr2", self.rtmr2),
            ("tdx_rtmr3", self.rtmr3),
        ];
        pinned
            .iter()
            .all(|(name, value)| value.is_none_or(|value| claims.measures(name, &value)))
    }
}

/// What is configured.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownSoftware {
    pub(crate) launch_measurements: Vec<[u8; 48]>,
    pub(crate) tds: Vec<TdMeasurements>,
}

impl KnownSoftware {
    pub(crate) fn find(&self, kind: GuestKind, claims: &MaaClaims) -> Software {
        let is_known = match kind {
            GuestKind::Snp => {
                let mut known = self.launch_measurements.iter();
                known.any(|known| claims.measures("x-ms-sevsnpvm-launchmeasurement", known))
            }
            GuestKind::Tdx => self.tds.iter().any(|known| known.are_of(claims)),
        };
        match (
            is_known,
            self.launch_measurements.is_empty() && self.tds.is_empty(),
        ) {
            (true, _) => Software::Known,
            (false, true) => Software::NotCompared,
            (false, false) => Software::Unknown,
        }
    }
}
