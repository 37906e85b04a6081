//! The attester half: a request goes in, a report of the firmware comes out, through Linux' configfs-tsm. A device that fails, or
//! answers about something else, is an [`AttestError`].

use std::fmt;
use std::path::Path;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_formats::snp;
use atls_formats::snp::CertTable;
use atls_formats::snp::Report;
use atls_formats::snp::SnpEvidence;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::TsmError;
use atls_tsm::TsmRequest;

/// Makes SEV-SNP Evidence on this machine. It blocks while the firmware works, from some milliseconds to more than a hundred:
/// `atls_tower::Blocking` gives it a thread.
pub struct SnpAttester {
    tsm: Tsm,
    media_types: Vec<MediaType>,
    certificates: CertTable,
    privilege_level: Option<u8>,
}

impl SnpAttester {
    /// Opens this machine's device, over configfs-tsm at its usual place. It looks at files only. `None` on a machine that is no
    /// SEV-SNP guest.
    ///
    /// # Errors
    /// [`AttestError::Device`] on a guest that cannot attest: without permission, or on a kernel with `/dev/sev-guest` and without
    /// configfs-tsm (before 6.7; `atls-tsm` says why there is no fall-back).
    pub fn open() -> Result<Option<Self>, AttestError> {
        let attester = Self::over(Tsm::new())?;
        if attester.is_none() && Path::new(DEVICE).exists() {
            let reason = "this guest has /dev/sev-guest and no configfs-tsm, which is in Linux 6.7";
            return Err(AttestError::Device(reason.to_owned()));
        }
        Ok(attester)
    }

    /// Does the same over another configfs-tsm: mounted elsewhere, or a fake.
    ///
    /// # Errors
    /// [`AttestError`]
    pub fn over(tsm: Tsm) -> Result<Option<Self>, AttestError> {
        match tsm.provider() {
            Ok(Provider::SevGuest) => Ok(Some(Self {
                tsm,
                media_types: crate::media_type().into_iter().collect(),
                certificates: CertTable::new(),
                privilege_level: None,
            })),
            Ok(_) => Ok(None),
            Err(TsmError::NoConfigFs | TsmError::NoProvider | TsmError::OtherProvider(_)) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Sends these certificates along if the host gives none of their kind. With the VEK's certificate and AMD's revocation list,
    /// the other side needs no network. With ARK and ASK too, Veraison appraises the Evidence.
    #[must_use]
    pub fn with_certificates(mut self, certificates: CertTable) -> Self {
        self.certificates = certificates;
        self
    }

    /// Requests reports for this privilege level (VMPL), 0 to 3, in place of the kernel's own. It cannot be more privileged than
    /// that.
    #[must_use]
    pub fn with_privilege_level(mut self, level: u8) -> Self {
        self.privilege_level = Some(level);
        self
    }

    fn evidence(&self, challenge: &[u8; 64]) -> Result<SnpEvidence, AttestError> {
        let mut request = TsmRequest::new(Provider::SevGuest, challenge);
        if let Some(level) = self.privilege_level {
            request = request.with_privilege_level(level);
        }
        let made = self.tsm.report(&request)?;
        if Report::only_report_data(&made.outblob) != Some(*challenge) {
            let reason = "device gave no report, or one about something else";
            return Err(AttestError::Device(reason.to_owned()));
        }
        // The table is the host's, and so hostile. Without it, the other side gets the certificates elsewhere.
        let table = CertTable::decode(&made.auxblob).unwrap_or_default();
        Ok(SnpEvidence::new(made.outblob, table.or(&self.certificates)))
    }
}

impl LocalAttester for SnpAttester {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    /// It has no claim for it.
    fn names_leaf_key(&self) -> bool {
        false
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let evidence = self.evidence(snp::report_data(request.bound()).bytes())?;
        let failed = |what: &str| AttestError::Device(what.to_owned());
        let bytes = evidence.encode();
        let bytes = bytes.map_err(|_| failed("evidence does not encode"))?;
        let media_type = self.media_types.first().cloned();
        let media_type = media_type.ok_or_else(|| failed("no media type"))?;
        Ok(Cmw::evidence(media_type, bytes))
    }
}

impl fmt::Debug for SnpAttester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnpAttester")
            .field("certificates", &self.certificates)
            .field("privilege_level", &self.privilege_level)
            .finish_non_exhaustive()
    }
}

/// The driver's own device file. A machine that has it is a guest, whatever configfs says.
const DEVICE: &str = "/dev/sev-guest";
