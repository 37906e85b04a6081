//! The rows: each machine behind its real attester, and Evidence of Azure that this test writes.

use std::sync::Arc;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_formats::snp::CertificateKind;
use atls_formats::snp::pem;
use atls_nitro::NitroAttester;
use atls_nitro::testing::ForgedNitro;
use atls_passport::PassportAttester;
use atls_snp::Product;
use atls_snp::SnpAttester;
use atls_snp::testing::ForgedSnp;
use atls_tdx::TdxAttester;
use atls_trustee::SampleAttester;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::testing::FakeConfigFs;
use atls_tsm::testing::Forged;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use serde_json::json;

use crate::device::device;
use crate::machines::Machines;

type Named = (&'static str, Arc<dyn Attester>);

/// Each attester, by the name of its row.
pub(crate) fn all(machines: &Machines) -> Vec<Named> {
    let td = || td(machines);
    let log = machines.event_log.bytes();
    let sample = || Arc::new(SampleAttester::new("1").unwrap());
    let nitro = NitroAttester::over(ForgedNitro::device(&machines.nitro)).unwrap();
    let passport = |device: Arc<dyn Attester>| {
        Arc::new(PassportAttester::new(device, machines.trustee.issuer()))
    };
    let mut rows: Vec<Named> = vec![
        ("simulator", machines.simulator.clone()),
        ("TDX", device(td())),
        ("TDX, event log", device(td().with_event_log(log).unwrap())),
    ];
    rows.extend(snp_by_table(&machines.snp));
    rows.extend::<[Named; 8]>([
        ("CCA", device(machines.cca.attester())),
        ("PSA", device(machines.psa.attester())),
        ("Nitro", device(nitro)),
        ("TPM", machines.tpm.clone()),
        ("Azure vTPM on SNP", device(AzureVtpm::new(&machines.snp))),
        ("Trustee's sample", sample()),
        ("TDX, passport of Trustee", passport(device(td()))),
        ("Trustee's sample, passport of Trustee", passport(sample())),
    ]);
    rows
}

fn td(machines: &Machines) -> TdxAttester {
    let (platform, report) = (machines.tdx.clone(), machines.td_report());
    let configfs = FakeConfigFs::new(Provider::TdxGuest, move |inblob| Forged {
        outblob: platform
            .tdx_quote(&report, inblob.try_into().unwrap())
            .unwrap(),
        auxblob: Vec::new(),
    });
    TdxAttester::over(Tsm::over(configfs)).unwrap().unwrap()
}

/// One row for each kind of table that a host gives.
fn snp_by_table(platform: &ForgedSnp) -> Vec<Named> {
    let (ark, ask) = (CertificateKind::Ark, CertificateKind::Ask);
    let (vcek, other) = (CertificateKind::Vcek, CertificateKind::Vlek);
    let certificates = platform.certificates();
    let der = |kind| (kind, certificates.get(kind).unwrap().to_vec());
    let text = |kind| (kind, pem(kind, &der(kind).1).into_bytes());
    let vlek = ForgedSnp::with_vlek(Product::Milan).unwrap();
    let foreign = (other, vlek.vek_certificate());
    let unreadable = (vcek, b"certificate".to_vec());
    let mut broken = table(&[der(vcek)]);
    broken[16] = 0xff;
    let ours = |auxblob| snp(platform, auxblob);
    vec![
        ("SNP, no table", ours(Vec::new())),
        (
            "SNP, table in PEM",
            ours(table(&[text(vcek), text(ask), text(ark)])),
        ),
        (
            "SNP, table in DER",
            ours(table(&[der(vcek), der(ask), der(ark)])),
        ),
        ("SNP, VCEK alone", ours(table(&[der(vcek)]))),
        ("SNP, ASK and ARK alone", ours(table(&[der(ask), der(ark)]))),
        (
            "SNP, VCEK and a VLEK",
            ours(table(&[foreign, der(vcek), der(ask), der(ark)])),
        ),
        ("SNP, VLEK signs", snp(&vlek, vlek.certificates().encode())),
        ("SNP, unreadable VCEK", ours(table(&[unreadable, der(ask)]))),
        ("SNP, broken table", ours(broken)),
    ]
}

fn snp(platform: &ForgedSnp, auxblob: Vec<u8>) -> Arc<dyn Attester> {
    let platform = platform.clone();
    let configfs = FakeConfigFs::new(Provider::SevGuest, move |inblob| Forged {
        outblob: platform.signed_report(inblob.try_into().unwrap()),
        auxblob: auxblob.clone(),
    });
    device(SnpAttester::over(Tsm::over(configfs)).unwrap().unwrap())
}

/// A host's table, with the certificates as they are.
fn table(entries: &[(CertificateKind, Vec<u8>)]) -> Vec<u8> {
    let mut offset = 24 * (entries.len() + 1);
    let mut table = Vec::new();
    for (kind, value) in entries {
        let guid: u128 = match kind {
            CertificateKind::Ark => 0xc0b4_06a4_a803_4952_9743_3fb6_014c_d0ae,
            CertificateKind::Ask => 0x4ab7_b379_bbac_4fe4_a02f_05ae_f327_c782,
            CertificateKind::Vcek => 0x63da_758d_e664_4564_adc5_f4b9_3be8_accd,
            CertificateKind::Vlek => 0xa807_4bc2_a25a_483e_aae6_39c0_45a0_b8a1,
            _ => panic!("no such kind here"),
        };
        table.extend(guid.to_be_bytes());
        table.extend(u32::try_from(offset).unwrap().to_le_bytes());
        table.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
        offset += value.len();
    }
    table.extend([0; 24]);
    table.extend(entries.iter().flat_map(|(_, value)| value));
    table
}

/// The media type under which this test sends Evidence of Azure.
pub(crate) const AZURE: &str = "application/vnd.example.azure-vtpm+json";

/// Evidence as Confidential Containers' guest components write it, with the value of the connection in the TPM quote. The project has
/// no attester for it.
struct AzureVtpm {
    media_types: [MediaType; 1],
    hcl_report: String,
}

impl AzureVtpm {
    fn new(platform: &ForgedSnp) -> Self {
        let report = platform.signed_report(&[0; 64]);
        Self {
            media_types: [MediaType::parse(AZURE).unwrap()],
            hcl_report: BASE64_URL_SAFE.encode([b"HCLA", &[0; 28][..], &report].concat()),
        }
    }
}

impl LocalAttester for AzureVtpm {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let value = request.bound().as_bytes();
        // Magic, type, no name of a key; extraData; 25 bytes of clock and firmware; one register, and no digest.
        let quote = [
            &b"\xff\x54\x43\x47\x80\x18\0\0\0"[..],
            &[u8::try_from(value.len()).unwrap()],
            value,
            &[0; 25],
            b"\0\0\0\x01\0\x0b\x03\x01\0\0\0\0",
        ]
        .concat();
        let message: String = quote.iter().map(|byte| format!("{byte:02x}")).collect();
        let evidence = json!({
            "version": 1, "tpm_quote": { "message": message }, "hcl_report": self.hcl_report,
        });
        let [media_type] = &self.media_types;
        let evidence = evidence.to_string().into_bytes();
        Ok(Cmw::evidence(media_type.clone(), evidence))
    }
}
