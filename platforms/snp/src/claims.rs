//! The claims of a verified report, for handlers.

use atls_core::policy::instance::InstanceId;
use std::fmt;

use atls_core::AppraisalError;
use atls_formats::snp::GuestPolicy;
use atls_formats::snp::PlatformInfo;
use atls_formats::snp::Product;
use atls_formats::snp::Report;
use atls_formats::snp::SigningKey;
use atls_formats::snp::Tcb;
use atls_reference::Digest;

use crate::vek::VekExtensions;

/// The claims of a verified report about its guest and machine: `peer.claims::<SnpClaims>()`.
///
/// AMD's signature covers all of them. The result says whether they are good enough. `Debug` leaves out the fields that name the
/// machine.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnpClaims {
    /// The name of the policy's image that the report matches, if there is one.
    pub image: Option<String>,
    /// The processor.
    pub product: Product,
    /// The version of the report.
    pub report_version: u32,
    /// `GUEST_SVN` of the ID block.
    pub guest_svn: u32,
    /// `POLICY` of the guest.
    pub policy: GuestPolicy,
    /// `FAMILY_ID` of the ID block.
    pub family_id: Digest<16>,
    /// `IMAGE_ID` of the ID block.
    pub image_id: Digest<16>,
    /// The privilege level that asked, 0 to 3; all ones for the host.
    pub vmpl: u32,
    /// The firmware that runs.
    pub current_tcb: Tcb,
    /// The firmware that the report vouches for.
    pub reported_tcb: Tcb,
    /// The oldest firmware to which the host can go back.
    pub committed_tcb: Tcb,
    /// The firmware at the guest's launch.
    pub launch_tcb: Tcb,
    /// How the machine is set up.
    pub platform_info: PlatformInfo,
    /// The kind of key that signed.
    pub signing_key: SigningKey,
    /// VLEK: the cloud provider, in AMD's words.
    pub provider: Option<String>,
    /// `MEASUREMENT`.
    pub measurement: Digest<48>,
    /// `HOST_DATA`.
    pub host_data: Digest<32>,
    /// `ID_KEY_DIGEST`.
    pub id_key_digest: Digest<48>,
    /// `AUTHOR_KEY_DIGEST`.
    pub author_key_digest: Digest<48>,
    /// `REPORT_ID`: random, the same for the guest's life. It names the guest.
    pub report_id: Digest<32>,
    /// `CHIP_ID`, `None` if the host hides it. It names the machine: do not log it.
    pub chip_id: Option<Digest<64>>,
}

impl SnpClaims {
    /// The identities of the machine.
    pub(crate) fn instances(&self) -> impl Iterator<Item = InstanceId> + use<> {
        let chip = self.chip_id.as_ref();
        let chip = chip.and_then(|id| InstanceId::new("snp.chip_id", id.as_ref()));
        let guest = InstanceId::new("snp.report_id", self.report_id.as_ref());
        chip.into_iter().chain(guest)
    }

    /// # Errors
    /// [`AppraisalError::Malformed`] if reserved bytes of a TCB version are not zero.
    pub(crate) fn of(report: &Report<'_>, vek: &VekExtensions) -> Result<Self, AppraisalError> {
        let tcb = |bytes| Tcb::decode(vek.product, bytes).ok_or(AppraisalError::Malformed);
        Ok(Self {
            image: None,
            product: vek.product,
            report_version: report.version,
            guest_svn: report.guest_svn,
            policy: report.policy,
            family_id: report.family_id.into(),
            image_id: report.image_id.into(),
            vmpl: report.vmpl,
            current_tcb: tcb(report.current_tcb)?,
            reported_tcb: tcb(report.reported_tcb)?,
            committed_tcb: tcb(report.committed_tcb)?,
            launch_tcb: tcb(report.launch_tcb)?,
            platform_info: report.platform_info,
            signing_key: report.signing_key,
            provider: vek.provider.clone(),
            measurement: report.measurement.into(),
            host_data: report.host_data.into(),
            id_key_digest: report.id_key_digest.into(),
            author_key_digest: report.author_key_digest.into(),
            report_id: report.report_id.into(),
            chip_id: (!report.hides_chip()).then(|| report.chip_id.into()),
        })
    }
}

impl fmt::Debug for SnpClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnpClaims")
            .field("image", &self.image)
            .field("product", &self.product)
            .field("report_version", &self.report_version)
            .field("policy", &self.policy)
            .field("vmpl", &self.vmpl)
            .field("reported_tcb", &self.reported_tcb)
            .field("platform_info", &self.platform_info)
            .field("signing_key", &self.signing_key)
            .field("measurement", &self.measurement)
            .finish_non_exhaustive()
    }
}
