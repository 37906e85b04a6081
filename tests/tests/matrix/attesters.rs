//! The machines, forged, each behind its real attester.

use std::sync::Arc;
use std::sync::Mutex;

use atls_core::LocalAttester;
use atls_formats::snp::CertificateKind;
use atls_formats::snp::pem;
use atls_nitro::NitroAttester;
use atls_nitro::testing::ForgedNitro;
use atls_sim::SimAttester;
use atls_sim::TrustAnchor;
use atls_snp::Product;
use atls_snp::SnpAttester;
use atls_snp::testing::ForgedPlatform;
use atls_tdx::TdxAttester;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::testing::FakeConfigFs;
use atls_tsm::testing::Forged;
use test_support::at;

use crate::NOW;

/// One machine of each kind. Its verifier trusts its forger.
pub(crate) struct Machines {
    pub(crate) nitro: Arc<ForgedNitro>,
    pub(crate) snp: ForgedPlatform,
    pub(crate) tdx: Arc<atls_tdx::testing::ForgedPlatform>,
    pub(crate) sim: TrustAnchor,
    simulator: Mutex<Option<SimAttester>>,
}

type Named = (&'static str, Box<dyn LocalAttester>);

impl Machines {
    pub(crate) fn new() -> Self {
        let sim = SimAttester::generate().unwrap();
        Self {
            nitro: Arc::new(ForgedNitro::new(at(NOW))),
            snp: ForgedPlatform::new(Product::Milan).unwrap(),
            tdx: Arc::new(atls_tdx::testing::ForgedPlatform::new(NOW).unwrap()),
            sim: sim.trust_anchor(),
            simulator: Mutex::new(Some(sim)),
        }
    }

    /// Each attester, by the name of its row. The simulated device is made once, and given out by the first call.
    pub(crate) fn attesters(&self) -> Vec<Named> {
        let mut attesters: Vec<Named> = Vec::new();
        if let Some(sim) = self.simulator.lock().unwrap().take() {
            attesters.push(("simulator", Box::new(sim)));
        }
        attesters.push(("TDX", self.tdx()));
        attesters.extend(self.snp());
        let device = NitroAttester::over(ForgedNitro::device(&self.nitro)).unwrap();
        attesters.push(("Nitro", Box::new(device)));
        attesters
    }

    fn tdx(&self) -> Box<dyn LocalAttester> {
        let platform = self.tdx.clone();
        let configfs = FakeConfigFs::new(Provider::TdxGuest, move |inblob| Forged {
            outblob: platform
                .tdx_quote(&platform.td_report(), inblob.try_into().unwrap())
                .unwrap(),
            auxblob: Vec::new(),
        });
        Box::new(TdxAttester::over(Tsm::over(configfs)).unwrap().unwrap())
    }

    /// One for each kind of table that a host gives.
    fn snp(&self) -> Vec<Named> {
        let platform = &self.snp;
        let vlek = ForgedPlatform::with_vlek(Product::Milan).unwrap();
        let certificates = platform.certificates();
        let der = |kind| certificates.get(kind).unwrap().to_vec();
        let text = |kind| pem(kind, &der(kind)).into_bytes();
        let (ark, ask) = (CertificateKind::Ark, CertificateKind::Ask);
        let (vcek, other) = (CertificateKind::Vcek, CertificateKind::Vlek);
        let foreign = vlek.vek_certificate();
        let mut broken = table(&[(vcek, der(vcek))]);
        broken[16] = 0xff;
        vec![
            ("SNP, no table", snp(platform, Vec::new())),
            (
                "SNP, table in PEM",
                snp(
                    platform,
                    table(&[(vcek, text(vcek)), (ask, text(ask)), (ark, text(ark))]),
                ),
            ),
            (
                "SNP, table in DER",
                snp(
                    platform,
                    table(&[(vcek, der(vcek)), (ask, der(ask)), (ark, der(ark))]),
                ),
            ),
            (
                "SNP, VCEK alone",
                snp(platform, table(&[(vcek, der(vcek))])),
            ),
            (
                "SNP, ASK and ARK alone",
                snp(platform, table(&[(ask, der(ask)), (ark, der(ark))])),
            ),
            (
                "SNP, VCEK and a VLEK",
                snp(
                    platform,
                    table(&[
                        (other, foreign),
                        (vcek, der(vcek)),
                        (ask, der(ask)),
                        (ark, der(ark)),
                    ]),
                ),
            ),
            ("SNP, VLEK signs", snp(&vlek, vlek.certificates().encode())),
            (
                "SNP, unreadable VCEK",
                snp(
                    platform,
                    table(&[(vcek, b"certificate".to_vec()), (ask, der(ask))]),
                ),
            ),
            ("SNP, broken table", snp(platform, broken)),
        ]
    }
}

fn snp(platform: &ForgedPlatform, auxblob: Vec<u8>) -> Box<dyn LocalAttester> {
    let platform = platform.clone();
    let configfs = FakeConfigFs::new(Provider::SevGuest, move |inblob| Forged {
        outblob: platform.signed_report(inblob.try_into().unwrap()),
        auxblob: auxblob.clone(),
    });
    Box::new(SnpAttester::over(Tsm::over(configfs)).unwrap().unwrap())
}

/// As a host writes it, whatever the certificates are in.
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
    for (_, value) in entries {
        table.extend(value);
    }
    table
}
