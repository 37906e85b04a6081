//! The attester of this end.

use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use atls_cca::CcaAttester;
use atls_core::AttestError;
use atls_core::Attester;
use atls_core::LocalAttester;
use atls_core::pki_types::PrivatePkcs8KeyDer;
use atls_core::pki_types::pem::PemObject;
use atls_nitro::NitroAttester;
use atls_sim::SimAttester;
use atls_snp::SnpAttester;
use atls_tdx::TdxAttester;
use atls_tower::Blocking;
use atls_tpm::TpmAttester;
use clap::Args;

use crate::failure::Failure;
use crate::source;

/// The device by which this end proves itself.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct AttesterOptions {
    /// Attest this end by its device: auto, tdx, snp, cca or nitro, or by its tpm; or sim=KEY for
    /// tests, a P-256 key in PKCS #8
    #[arg(long, value_name = "DEVICE", help_heading = ATTESTATION)]
    pub(crate) attester: Option<DeviceOption>,

    /// Attest this end before the server did: any server with a trusted certificate then learns
    /// what this end is
    #[arg(long, requires = "attester", help_heading = ATTESTATION)]
    pub(crate) attest_first: bool,
}

/// The attestation of this end, with its device open.
#[derive(Clone)]
pub(crate) struct Own {
    pub(crate) device: Option<Arc<dyn Attester>>,
    pub(crate) first: bool,
}

impl Own {
    /// # Errors
    /// As [`open`].
    pub(crate) fn open(options: &AttesterOptions) -> Result<Self, Failure> {
        Ok(Self {
            device: options.attester.as_ref().map(open).transpose()?,
            first: options.attest_first,
        })
    }
}

/// Which device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeviceOption {
    Auto,
    Cca,
    Nitro,
    Simulated(PathBuf),
    Snp,
    Tdx,
    Tpm,
}

impl FromStr for DeviceOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("sim=")) {
            ("auto", _) => Ok(Self::Auto),
            ("cca", _) => Ok(Self::Cca),
            ("nitro", _) => Ok(Self::Nitro),
            ("snp", _) => Ok(Self::Snp),
            ("tdx", _) => Ok(Self::Tdx),
            ("tpm", _) => Ok(Self::Tpm),
            (_, Some(file)) => Ok(Self::Simulated(file.into())),
            _ => Err("the devices are auto, tdx, snp, cca, nitro, tpm and sim=KEY".to_owned()),
        }
    }
}

/// Opens the device.
///
/// # Errors
/// A local fault where this machine has none of that kind.
pub(crate) fn open(option: &DeviceOption) -> Result<Arc<dyn Attester>, Failure> {
    match option {
        DeviceOption::Auto => device(any),
        DeviceOption::Cca => device(cca),
        DeviceOption::Nitro => device(nitro),
        DeviceOption::Simulated(file) => simulated(file),
        DeviceOption::Snp => device(snp),
        DeviceOption::Tdx => device(tdx),
        DeviceOption::Tpm => device(tpm),
    }
}

type Opened = Result<Option<Box<dyn LocalAttester>>, AttestError>;

fn device(open: fn() -> Opened) -> Result<Arc<dyn Attester>, Failure> {
    let opened =
        open().map_err(|error| Failure::fault("the device cannot be used").because(&error))?;
    let device = opened.ok_or_else(|| {
        Failure::fault("this machine has no such device")
            .with_help("a TD, an SEV-SNP guest and a realm need configfs-tsm and the rights to use it, an enclave /dev/nsm")
    })?;
    let spawned = Blocking::spawn(device);
    let attester = spawned
        .map_err(|error: io::Error| Failure::fault("the device got no thread").because(&error))?;
    Ok(Arc::new(attester))
}

fn any() -> Opened {
    for open in [nitro, tdx, snp, cca] {
        if let Some(device) = open()? {
            return Ok(Some(device));
        }
    }
    Ok(None)
}

fn cca() -> Opened {
    Ok(CcaAttester::open()?.map(boxed))
}

fn nitro() -> Opened {
    Ok(NitroAttester::open()?.map(boxed))
}

fn snp() -> Opened {
    Ok(SnpAttester::open()?.map(boxed))
}

fn tdx() -> Opened {
    Ok(TdxAttester::open()?.map(boxed))
}

fn tpm() -> Opened {
    Ok(TpmAttester::open()?.map(boxed))
}

fn boxed(device: impl LocalAttester + 'static) -> Box<dyn LocalAttester> {
    Box::new(device)
}

fn simulated(file: &std::path::Path) -> Result<Arc<dyn Attester>, Failure> {
    let bytes = source::read(file, source::MAX_KEYS)?;
    let wrong = || {
        Failure::usage(format!("{}: it is no P-256 key in PKCS #8", file.display()))
            .with_help("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 makes one")
    };
    let der = match PrivatePkcs8KeyDer::from_pem_slice(&bytes) {
        Ok(key) => key.secret_pkcs8_der().to_vec(),
        Err(_) => bytes,
    };
    let device = SimAttester::from_pkcs8(&der).map_err(|_| wrong())?;
    Ok(Arc::new(device))
}

const ATTESTATION: &str = "Attestation of this end";
