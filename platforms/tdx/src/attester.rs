//! The attester half: quotes of this TD, through configfs-tsm.
//!
//! The value of a connection goes in; a quote over it comes out, with the event log and collateral that the application gave. Each failure
//! is an [`AttestError::Device`] that says what the operator can do.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::cmw::Indicator;
use atls_core::cmw::Type;
use atls_formats::dcap::EventLog;
use atls_formats::dcap::Quote;
use atls_formats::dcap::TDX_EVIDENCE;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::dcap::TdxEvidence;
use atls_formats::dcap::Tee;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::TsmError;
use atls_tsm::TsmRequest;

use crate::collateral;
use crate::collateral::Collateral;
use crate::collateral::CollateralFormError;

/// Makes TDX quotes of the machine that it runs on. It blocks for some 40 milliseconds per quote.
pub struct TdxAttester {
    tsm: Tsm,
    media_types: [MediaType; 1],
    event_log: Option<Vec<u8>>,
    collateral: CollateralToSend,
}

impl TdxAttester {
    /// Opens the device of this TD; `None` on a machine that is none. It looks at files only.
    ///
    /// # Errors
    /// [`AttestError::Device`] for a TD whose device cannot be used: without the right to, or with the driver's device file
    /// and without configfs-tsm (before Linux 6.7; `atls-tsm` says why there is no fall-back).
    pub fn open() -> Result<Option<Self>, AttestError> {
        refuse_td_without_tsm(Self::over(Tsm::new())?, DEVICES.map(Path::new))
    }

    /// The same over configfs-tsm at another place, or over a fake.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn over(tsm: Tsm) -> Result<Option<Self>, AttestError> {
        match tsm.provider() {
            Ok(Provider::TdxGuest) => Ok(Some(Self {
                tsm,
                media_types: [MediaType::parse(TDX_QUOTE)
                    .map_err(|_| AttestError::Device("media type".to_owned()))?],
                event_log: None,
                collateral: CollateralToSend::default(),
            })),
            Ok(_)
            | Err(TsmError::NoConfigFs | TsmError::NoProvider | TsmError::OtherProvider(_)) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Sends the firmware's event log along, read now from `/sys/firmware/acpi/tables/data/CCEL`.
    ///
    /// The log is of the time before the kernel. A TD that measures into its RTMRs later must give a log of its own to
    /// [`with_event_log`](Self::with_event_log), or its Evidence is refused.
    ///
    /// # Errors
    /// [`AttestError::Device`] without such a log, or with one that cannot be read.
    pub fn with_firmware_event_log(self) -> Result<Self, AttestError> {
        let table = fs::read(Path::new(CCEL));
        let table = table.map_err(|_| AttestError::Device(format!("{CCEL} cannot be read")))?;
        self.with_event_log(&table)
    }

    /// Sends this event log along, without the filling of the table behind it.
    ///
    /// # Errors
    /// [`AttestError::Device`] for bytes that are no event log.
    pub fn with_event_log(mut self, table: &[u8]) -> Result<Self, AttestError> {
        let failed = |what: &str| AttestError::Device(what.to_owned());
        let log = EventLog::open(table).and_then(EventLog::without_filling);
        let log = log.map_err(|_| failed("event log is malformed"))?;
        self.event_log = Some(log.to_vec());
        self.media_types = [MediaType::parse(TDX_EVIDENCE).map_err(|_| failed("media type"))?];
        Ok(self)
    }

    /// Sends the current collateral along, where there is some, so that peers need no network.
    #[must_use]
    pub fn with_collateral(mut self, collateral: CollateralToSend) -> Self {
        self.collateral = collateral;
        self
    }

    fn quote(&self, report_data: &[u8; 64]) -> Result<Vec<u8>, AttestError> {
        let request = TsmRequest::new(Provider::TdxGuest, report_data);
        let padded = self.tsm.report(&request)?.outblob;
        let quote = Quote::decode(&padded, Tee::Tdx)
            .map_err(|_| AttestError::Device("device gave no quote".to_owned()))?;
        if quote.report.report_data() != report_data {
            return Err(AttestError::Device(
                "quote is about another value".to_owned(),
            ));
        }
        Ok(quote.bytes.to_vec())
    }
}

impl LocalAttester for TdxAttester {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    /// It has no claim for it.
    fn names_leaf_key(&self) -> bool {
        false
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let failed = |what: &str| AttestError::Device(what.to_owned());
        let quote = self.quote(request.expected_report_data().bytes())?;
        let bytes = match &self.event_log {
            None => quote,
            Some(log) => TdxEvidence {
                quote,
                event_log: log.clone(),
            }
            .encode()
            .map_err(|_| failed("evidence does not encode"))?,
        };
        let [media_type] = &self.media_types;
        let evidence = Cmw::evidence(media_type.clone(), bytes);
        let Some(collateral) = self.collateral.current() else {
            return Ok(evidence);
        };
        let kind = collateral::media_type().map_err(|_| failed("media type"))?;
        let endorsements = Cmw::record(
            Type::Media(kind),
            collateral.to_vec(),
            Some(Indicator::ENDORSEMENTS),
        );
        let members = vec![
            ("evidence".into(), evidence),
            ("collateral".into(), endorsements),
        ];
        Ok(Cmw::collection(None, members)?)
    }
}

impl fmt::Debug for TdxAttester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TdxAttester")
            .field("event_log", &self.event_log.is_some())
            .finish_non_exhaustive()
    }
}

/// Refuses a machine with one of these device files and without a provider: it is a TD, and cannot attest.
fn refuse_td_without_tsm<T>(
    found: Option<T>,
    devices: [&Path; 2],
) -> Result<Option<T>, AttestError> {
    let device = devices.into_iter().find(|device| device.exists());
    match (found, device) {
        (None, Some(device)) => Err(AttestError::Device(format!(
            "this TD has {} and no configfs-tsm: that takes Linux 6.7 with CONFIG_TSM_REPORTS, and configfs mounted",
            device.display()
        ))),
        (found, _) => Ok(found),
    }
}

/// Collateral that an attester sends along: a clone is the same, so that the application renews it while the attester
/// works on its own thread. Renew it daily; it serves for a month at most.
#[derive(Clone, Debug, Default)]
pub struct CollateralToSend {
    current: Arc<RwLock<Option<Arc<[u8]>>>>,
}

impl CollateralToSend {
    /// Starts without collateral.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends this from now on.
    ///
    /// # Errors
    /// [`CollateralFormError`], which is not expected.
    pub fn replace(&self, collateral: &Collateral) -> Result<(), CollateralFormError> {
        let bytes = collateral.encode()?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(bytes.into());
        Ok(())
    }

    /// Sends none from now on.
    pub fn clear(&self) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn current(&self) -> Option<Arc<[u8]>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }
}

/// The data of the ACPI table CCEL, as Linux shows it.
const CCEL: &str = "/sys/firmware/acpi/tables/data/CCEL";

/// The driver's own device files, mainline's and that of Intel's earlier kernels. They show that this is a TD, also where configfs shows
/// nothing.
const DEVICES: [&str; 2] = ["/dev/tdx_guest", "/dev/tdx-guest"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_td_without_configfs_is_told_from_no_td() {
        let (device, absent) = (Path::new(env!("CARGO_MANIFEST_DIR")), Path::new("/absent"));
        for devices in [[device, absent], [absent, device]] {
            let told = refuse_td_without_tsm::<()>(None, devices);
            assert!(matches!(told, Err(AttestError::Device(_))), "{told:?}");
            assert_eq!(refuse_td_without_tsm(Some(7), devices), Ok(Some(7)));
        }
        assert_eq!(refuse_td_without_tsm::<()>(None, [absent; 2]), Ok(None));
    }
}
