//! `atls inspect`: says what some bytes are.

mod authenticator;
mod azure;
mod cbor;
mod certificate;
mod claims;
mod cmw;
mod corim;
mod corim_values;
mod cose;
mod dcap;
mod event_log;
mod found;
mod json;
mod policy_file;
mod recognise;
mod snp;
mod tpm;
mod tree;
mod verify;

use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::appraise::Evidence;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::source;
use crate::terminal::Terminal;
use found::Found;
use verify::VerifyOptions;

pub(crate) use event_log::kind as event_kind;
pub(crate) use event_log::readable;

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InspectOptions {
    /// The file, or - for the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    verification: VerifyOptions,

    /// Write one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(options: &InspectOptions, terminal: &mut Terminal) -> Result<(), Failure> {
    let ended = inspect(options, terminal).await;
    match ended {
        Err(failure) if options.json => {
            terminal.out_json(&json!({ "error": failure.to_json() }))?;
            Err(failure.already_reported())
        }
        other => other,
    }
}

async fn inspect(options: &InspectOptions, terminal: &mut Terminal) -> Result<(), Failure> {
    let found = open(&options.file)?;
    options.verification.check(&found)?;
    let verified = match options.verification.verify {
        true => Some(verify::verify(&found, &options.verification).await?),
        false => None,
    };
    if options.json {
        let verified = verified.map(|verified| verified.to_json());
        return terminal.out_json(&json!({ "found": found.tree.to_json(), "verified": verified }));
    }
    let style = terminal.out_style();
    let trees = std::iter::once(found.tree).chain(verified);
    for line in trees.flat_map(|tree| tree.lines(style)) {
        terminal.out_line(&line)?;
    }
    Ok(())
}

/// The Evidence in a file.
///
/// # Errors
/// A usage failure where the file holds none.
pub(crate) fn evidence_of(path: &Path) -> Result<Vec<Evidence>, Failure> {
    let found = open(path)?;
    if found.evidence.is_empty() {
        let what = format!(
            "{}: it holds no Evidence: {}",
            path.display(),
            found.tree.name()
        );
        return Err(Failure::usage(what));
    }
    Ok(found.evidence)
}

fn open(path: &Path) -> Result<Found, Failure> {
    let bytes = source::read(path, MAX_INPUT)?;
    recognise::recognise(&bytes).ok_or_else(|| {
        let what = format!("{}: it is nothing that is known here", path.display());
        Failure::new(Outcome::NotAttested, what).with_help(
            "known are TDX and SGX quotes, SEV-SNP reports and certificate tables, HCL reports of Azure, Nitro documents, TPM Evidence and quotes, PSA and CCA \
             tokens, CMW, EAR, CoRIM, exported authenticators, certificates and policy files; in binary, hex, base64 or PEM",
        )
    })
}

/// Bytes; the largest of all that are known are policy files.
const MAX_INPUT: usize = atls_reference::MAX_FILE;

const EXAMPLES: &str = "\
Field names are the vendor's. [signed by …] marks what a signature covers, [not signed] what anybody may
have written; without --verify no signature is verified.

Examples:
  atls inspect quote.bin
  base64 -d evidence.b64 | atls inspect -
  atls inspect quote.bin --verify --collateral collateral.json --at 2026-06-08T12:00:00Z
  atls inspect result.jwt --verify --key ear.jwk";
