//! The prose, compiled.

#[doc = include_str!("../../README.md")]
struct Readme;
#[doc = include_str!("../../atls-axum/README.md")]
struct AxumReadme;
#[doc = include_str!("../../atls-reqwest/README.md")]
struct ReqwestReadme;
#[doc = include_str!("../../atls-tower/README.md")]
struct TowerReadme;
#[doc = include_str!("../../platforms/azure/README.md")]
struct AzureReadme;
#[doc = include_str!("../../docs/adding-a-platform.md")]
struct AddingAPlatform;
#[doc = include_str!("../../docs/getting-started.md")]
struct GettingStarted;
#[doc = include_str!("../../docs/modes.md")]
struct Modes;
#[doc = include_str!("../../docs/operations.md")]
struct Operations;
#[doc = include_str!("../../docs/platforms/cca.md")]
struct Cca;
#[doc = include_str!("../../docs/platforms/azure.md")]
struct Azure;
#[doc = include_str!("../../docs/post-quantum.md")]
struct PostQuantum;
#[doc = include_str!("../../docs/platforms/collateral.md")]
struct Collateral;
#[doc = include_str!("../../docs/platforms/nitro.md")]
struct Nitro;
#[doc = include_str!("../../docs/platforms/snp.md")]
struct Snp;
#[doc = include_str!("../../docs/platforms/tdx.md")]
struct Tdx;
#[doc = include_str!("../../docs/platforms/tpm.md")]
struct Tpm;
