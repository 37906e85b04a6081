//! `atls policy measure`: the measurement of images, recomputed from their files.
//!
//! The crates that could do it are not used. `sev` computes launch digests, but pulls OpenSSL or an RSA crate with an advisory that nothing
//! fixes (RUSTSEC-2023-0071), and indexes into its input unchecked; that of AWS for its image format needs OpenSSL; for TDX there is none.

mod built;
mod check;
mod digest;
mod eif;
mod kernel_hashes;
mod ovmf;
mod snp;
mod tdx;
mod vmsa;

use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;
use serde_json::json;

use built::Built;

use crate::failure::Failure;
use crate::seen;
use crate::terminal::Terminal;

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MeasureOptions {
    #[command(subcommand)]
    platform: Platform,

    /// Name of the image [default: `sha256:` and the hash of what was built]
    #[arg(long, global = true, value_name = "NAME")]
    name: Option<String>,

    /// Write nothing, and say whether this policy names what was built, by --name, and what else it accepts by that name. Exit
    /// code 3 where it does not
    #[arg(long, global = true, value_name = "POLICY")]
    check: Option<PathBuf>,

    /// Write one JSON document
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Platform {
    /// PCR0, PCR1 and PCR2 of an AWS Nitro enclave image file (EIF)
    Nitro(eif::NitroOptions),
    /// The launch digest of an SEV-SNP guest: OVMF, and kernel, initrd and command line where QEMU boots them directly
    Snp(snp::SnpOptions),
    /// MRTD of a TD: its OVMF (TDVF)
    Tdx(tdx::TdxOptions),
}

/// The measurement of an image, and its computation.
struct Measured {
    table: &'static str,
    built: Built,
    /// Fields of the policy, and their values in hexadecimal.
    values: Vec<(&'static str, String)>,
    /// Each part in its order, and a digest: of the part, or of all up to it.
    steps: Vec<(String, String)>,
    /// The meaning of the digests of the steps.
    steps_are: &'static str,
}

/// Writes lines of a policy.
pub(crate) fn run(options: &MeasureOptions, terminal: &mut Terminal) -> Result<(), Failure> {
    let measured = match &options.platform {
        Platform::Nitro(image) => eif::measure(image),
        Platform::Snp(image) => snp::measure(image),
        Platform::Tdx(image) => tdx::measure(image),
    };
    match measured.and_then(|measured| write(&measured, options, terminal)) {
        Err(failure) if options.json => {
            terminal.out_json(&json!({ "error": failure.to_json() }))?;
            Err(failure.already_reported())
        }
        ended => ended,
    }
}

fn write(
    measured: &Measured,
    options: &MeasureOptions,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let name = &options
        .name
        .clone()
        .unwrap_or_else(|| measured.built.name());
    let checked = options.check.as_ref();
    let checked = checked.map(|policy| check::check(measured, name, policy));
    match checked.transpose()? {
        checked if options.json => {
            let mut document = measured.to_json();
            if let (Some(checked), Some(members)) = (checked, document.as_object_mut()) {
                members.insert("same_in_policy".to_owned(), json!(checked.fields()));
                members.insert("others_of_the_name".to_owned(), checked.others_json());
            }
            terminal.out_json(&document)
        }
        None => terminal.out(measured.to_toml(name).as_bytes()),
        Some(checked) => checked.tell(measured.table, name, terminal),
    }
}

impl Measured {
    fn to_toml(&self, name: &str) -> String {
        let mut text = String::new();
        seen::line(
            &mut text,
            "Recomputed from what was built; SHA-256 of each:",
        );
        for (what, hash) in self.built.parts() {
            seen::line(&mut text, &format!("  {hash}  {what}"));
        }
        seen::line(&mut text, &format!("{}:", self.steps_are));
        for (what, digest) in &self.steps {
            seen::line(&mut text, &format!("  {digest}  {what}"));
        }
        text.push_str(&format!("[[{}.image]]\n", self.table));
        let says = match *name == self.built.name() {
            true => "The hash of what was built: results and logs call the image so.",
            false => "For people: results and logs call it so.",
        };
        seen::line(&mut text, says);
        seen::pin(&mut text, "name", &seen::string(name));
        for (field, value) in &self.values {
            seen::pin(&mut text, field, &seen::quoted(value));
        }
        text
    }

    fn to_json(&self) -> serde_json::Value {
        let values = self.values.iter();
        let values: serde_json::Map<_, _> = values
            .map(|(field, value)| ((*field).to_owned(), value.as_str().into()))
            .collect();
        let steps = self.steps.iter();
        let steps: Vec<_> = steps
            .map(|(what, digest)| json!({ "measured": what, "digest": digest }))
            .collect();
        let built = self.built.parts();
        let built: serde_json::Map<_, _> = built
            .map(|(what, hash)| (what.to_owned(), hash.into()))
            .collect();
        json!({ "platform": self.table, "built": built, "built_as": self.built.name(), "values": values, "steps": steps, "steps_are": self.steps_are })
    }
}

fn wrong(path: &Path, what: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("{}: {what}", path.display()))
}

const EXAMPLES: &str = "\
The digests depend on how the host starts the guest. Compare with `atls policy new --from` of one that runs before you rely on them.

Examples:
  atls policy measure snp --ovmf OVMF.fd --kernel vmlinuz --initrd initrd --cmdline 'console=ttyS0' --vcpus 4 --cpu EPYC-Genoa
  atls policy measure tdx --ovmf OVMF.fd
  atls policy measure nitro enclave.eif
  atls policy measure nitro enclave.eif --name 'payments 1.4.2' --check policy.toml";
