//! Collateral that came with the Evidence: in its certificate table, or as Endorsements beside it.

use atls_core::cmw::Item;
use atls_formats::snp::CertTable;
use atls_formats::snp::CertificateKind;
use atls_formats::snp::Report;

use crate::vek::VekExtensions;
use crate::x509::Certificate;

/// The certificates and the revocation list that the peer, or its host, sent. Nothing of them is verified.
pub(crate) struct PeerCollateral<'a> {
    vek: Option<&'a [u8]>,
    sent_another_vek: bool,
    authorities: Vec<&'a [u8]>,
    crl: Option<&'a [u8]>,
}

impl<'a> PeerCollateral<'a> {
    /// Takes the table's pieces first, and Endorsements for those that it lacks.
    pub(crate) fn of(
        report: &Report<'_>,
        table: &'a CertTable,
        endorsements: &'a [Item<'a>],
    ) -> Self {
        let of_table = table.get(report.signing_key.certificate());
        let mut vek = of_table.filter(|der| fits(der, report));
        let mut authorities: Vec<_> = [CertificateKind::Ask, CertificateKind::Ark]
            .into_iter()
            .filter_map(|kind| table.get(kind))
            .collect();
        let mut crl = table.get(CertificateKind::Crl);
        for endorsement in endorsements {
            let media_type = endorsement.media_type();
            let media_type = media_type.as_ref().map(ToString::to_string);
            let value = endorsement.value();
            match media_type.as_deref() {
                Some(CERTIFICATE) if fits(value, report) => vek = vek.or(Some(value)),
                Some(CERTIFICATE) if is_of_amd(value) => authorities.push(value),
                Some(REVOCATION_LIST) => crl = crl.or(Some(value)),
                // It belongs to another platform's Evidence in the same collection.
                _ => {}
            }
        }
        Self {
            sent_another_vek: of_table.is_some() && vek.is_none(),
            vek,
            authorities,
            crl,
        }
    }

    /// A certificate that fits the report. A host that updated its firmware and not its table has one that does not fit, which
    /// counts as none.
    pub(crate) fn vek(&self) -> Option<&'a [u8]> {
        self.vek
    }

    /// Whether the table has a VEK's certificate, and none fits the report.
    pub(crate) fn sent_another_vek(&self) -> bool {
        self.sent_another_vek
    }

    pub(crate) fn authorities(&self) -> impl Iterator<Item = &'a [u8]> {
        self.authorities.iter().copied()
    }

    pub(crate) fn crl(&self) -> Option<&'a [u8]> {
        self.crl
    }
}

fn fits(der: &[u8], report: &Report<'_>) -> bool {
    let certificate = Certificate::decode(der);
    let extensions = certificate.and_then(|certificate| VekExtensions::read(&certificate));
    extensions.is_ok_and(|extensions| extensions.fit(report))
}

fn is_of_amd(der: &[u8]) -> bool {
    Certificate::decode(der).is_ok_and(|certificate| {
        let name = certificate.common_name();
        name.is_some_and(|name| name.starts_with("ARK-") || name.starts_with("SEV-"))
    })
}

/// RFC 2585.
const CERTIFICATE: &str = "application/pkix-cert";

/// RFC 2585.
const REVOCATION_LIST: &str = "application/pkix-crl";
