//! The measurements in Evidence, for the owner of a machine who writes a policy.

use atls_core::AppraisalError;
use atls_formats::snp::Report;
use atls_formats::snp::SnpEvidence;
use atls_formats::snp::Tcb;
use atls_reference::Digest;

/// The measurements in SEV-SNP Evidence, by their names in a policy file, with their values.
///
/// **Nothing is verified**, neither signature nor binding. This shows what a policy could pin of a machine of your own. A policy
/// that pins the values of somebody else's machine trusts the maker of these bytes.
///
/// # Errors
/// [`AppraisalError::Malformed`]; [`AppraisalError::UnknownKey`] for a processor that this crate does not know.
pub fn dangerous_unverified_measurements(
    evidence: &[u8],
) -> Result<Vec<(&'static str, String)>, AppraisalError> {
    let evidence = SnpEvidence::decode(evidence)?;
    let report = Report::decode(evidence.report())?;
    let (major, minor) = report.policy.abi();
    let mut found = vec![
        ("measurement", Digest::from(report.measurement).to_string()),
        ("host-data", Digest::from(report.host_data).to_string()),
        ("family-id", Digest::from(report.family_id).to_string()),
        ("image-id", Digest::from(report.image_id).to_string()),
        (
            "id-key-digest",
            Digest::from(report.id_key_digest).to_string(),
        ),
        (
            "author-key-digest",
            Digest::from(report.author_key_digest).to_string(),
        ),
        ("guest-svn", report.guest_svn.to_string()),
        ("minimum-abi", format!("{major}.{minor}")),
        ("report-version", report.version.to_string()),
        ("vmpl", report.vmpl.to_string()),
    ];
    if let Some(product) = report.product()? {
        found.push(("product", product.key().to_owned()));
        let versions = [
            ("minimum-tcb.reported", report.reported_tcb),
            ("minimum-tcb.committed", report.committed_tcb),
            ("minimum-tcb.launch", report.launch_tcb),
        ];
        for (name, bytes) in versions {
            let tcb = Tcb::decode(product, bytes).ok_or(AppraisalError::Malformed)?;
            found.push((name, tcb.to_string()));
        }
    }
    Ok(found)
}
