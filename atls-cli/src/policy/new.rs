//! `atls policy new`.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use atls_core::Origin;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use clap::Args;
use serde_json::json;

use super::capture::Capture;
use super::check;
use crate::appraise;
use crate::appraise::AttestationKeys;
use crate::appraise::Evidence;
use crate::appraise::KeyOptions;
use crate::appraise::Policy;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::get::Client;
use crate::get::Http;
use crate::get::Target;
use crate::inspect;
use crate::narrate::Narration;
use crate::report;
use crate::seen;
use crate::terminal::Terminal;
use crate::trust::AppraisalOptions;
use crate::trust::AttesterOptions;
use crate::trust::TrustOptions;
use crate::unused;
use crate::unused::LEAVE_OUT;
use crate::unused::given;

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct NewOptions {
    /// Evidence in a file that `atls inspect` recognises, or an https URL of an attested server
    #[arg(long, value_name = "EVIDENCE|URL")]
    from: String,

    /// Where to write it [default: the standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Name of the image, for people
    #[arg(long, value_name = "NAME", default_value = "as seen")]
    name: String,

    /// Appraise as of this time, such as 2026-11-29T18:00:00Z
    #[arg(long, value_name = "TIME")]
    at: Option<String>,

    /// Write it although nobody found out whether the Evidence is genuine
    #[arg(long)]
    dangerous_unverified: bool,

    /// Write one JSON document, with the policy as its text
    #[arg(long)]
    json: bool,

    /// Authorities of the server's TLS certificate, in PEM, instead of those of this system
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,

    #[command(flatten)]
    keys: KeyOptions,

    #[command(flatten)]
    trust: AppraisalOptions,
}

impl NewOptions {
    fn is_of_server(&self) -> bool {
        self.from.starts_with("https://")
    }

    /// # Errors
    /// A usage failure for an argument that would have no effect.
    fn check(&self) -> Result<(), Failure> {
        let status = given([("--accept-warning", self.trust.accept_warning)]);
        let why = "a policy is written whatever the status, which is told";
        unused::refuse(&status, why, LEAVE_OUT)?;
        let at = given([("--at", self.at.is_some())]);
        if self.is_of_server() {
            return unused::refuse(&at, "a server is appraised as of now", LEAVE_OUT);
        }
        let ca = given([("--ca", !self.ca.is_empty())]);
        unused::refuse(&ca, "no server is connected to", LEAVE_OUT)?;
        if self.dangerous_unverified {
            let all: Vec<_> = at.into_iter().chain(self.trust.given()).collect();
            let why = "--dangerous-unverified verifies nothing of a file";
            unused::refuse(&all, why, "leave one of them out")?;
        }
        Ok(())
    }

    fn keys(&self) -> Result<AttestationKeys, Failure> {
        match self.keys.open()? {
            AttestationKeys::Unknown if self.dangerous_unverified => {
                Ok(AttestationKeys::DangerousAny)
            }
            AttestationKeys::Unknown if self.keys_are_of_simulators() => {
                AttestationKeys::of_simulators(&self.trust.simulated_devices()?)
            }
            keys => Ok(keys),
        }
    }

    /// Where `--trust-sim` gave the policy its keys, Evidence of a simulator is appraised under them, as the policy has it.
    fn trust(&self) -> AppraisalOptions {
        let mut trust = self.trust.clone();
        if self.keys_are_of_simulators() {
            trust.trust_sim.clear();
            trust.dangerous_accept_simulated = true;
        }
        trust
    }

    fn keys_are_of_simulators(&self) -> bool {
        self.trust.knows_a_simulator() && !self.keys.are_named()
    }
}

pub(super) async fn run(options: &NewOptions, terminal: &mut Terminal) -> Result<(), Failure> {
    match write(options, terminal).await {
        Err(failure) if options.json => {
            terminal.out_json(&json!({ "error": failure.to_json() }))?;
            Err(failure.already_reported())
        }
        ended => ended,
    }
}

async fn write(options: &NewOptions, terminal: &mut Terminal) -> Result<(), Failure> {
    options.check()?;
    let written = match options.is_of_server() {
        true => of_server(options).await?,
        false => of_file(options).await?,
    };
    read_back(&written)?;
    if let Some(path) = &options.output {
        create(path, &written.text)?;
    }
    if options.json {
        return terminal.out_json(&json!({ "policy": written.text, "notes": written.notes }));
    }
    if options.output.is_none() {
        terminal.out(written.text.as_bytes())?;
    }
    let style = terminal.error_style();
    for note in &written.notes {
        terminal.error_line(&style.warning(note));
    }
    Ok(())
}

/// Evidence that nobody verified may say what no policy may name.
fn read_back(written: &Written) -> Result<(), Failure> {
    let read = check::accepted(&Policy::written(&written.text)).map(drop);
    read.map_err(|failure| Failure::new(Outcome::NotAttested, failure.reason()))
}

/// A policy, and what its reader should know.
struct Written {
    text: String,
    notes: Vec<String>,
}

/// Recorded Evidence is appraised under the policy that was made of it: what does not match is then not genuine, or out of date.
async fn of_file(options: &NewOptions) -> Result<Written, Failure> {
    let items = inspect::evidence_of(Path::new(&options.from))?;
    let item = only(items)?;
    options.keys.check_used([&item])?;
    let (keys, trust) = (options.keys()?, options.trust());
    let text = seen::policy_of(&item, &options.name, &keys)?;
    if options.dangerous_unverified {
        return Ok(unverified(&text));
    }
    let at = appraise::time(options.at.as_deref())?;
    let written = Policy::written(&text);
    // Genuine under the keys that are known; and then as the policy says, which may have fewer.
    let known = keys.over(written.clone());
    let mut origins = Vec::new();
    let mut notes = Vec::new();
    for policy in [&known, &written] {
        let appraised = appraise::recorded(&item, policy, &trust, at)
            .await
            .map_err(with_way_out)?;
        notes.clear();
        for (_, appraised) in appraised.items() {
            origins.push(appraised.origin());
            notes.extend(report::notes(
                appraised.ear().status(),
                appraised.findings(),
            ));
        }
    }
    notes.extend(simulated(&origins, options));
    let says = format!("Genuine: {}. Its binding was not checked.", vouched(&item));
    Ok(verified(&text, &says, notes))
}

fn vouched(item: &Evidence) -> &'static str {
    match item.table() {
        Some("cca" | "psa" | "tpm") => "its signatures verify under a key that was named",
        _ => "its signatures verify up to the root",
    }
}

/// A key that software holds is in the policy, and its results are refused all the same.
fn simulated(origins: &[Origin], options: &NewOptions) -> Option<String> {
    let is_simulated = origins.iter().any(|origin| *origin != Origin::Device);
    let is_accepted = options.trust.accepts_simulated() && !options.keys_are_of_simulators();
    (is_simulated && !is_accepted).then(|| {
        "software holds its key, which proves nothing: --dangerous-accept-simulated accepts it"
            .to_owned()
    })
}

/// A live server's Evidence is appraised in the connection, binding included.
async fn of_server(options: &NewOptions) -> Result<Written, Failure> {
    let target = Target::parse(&options.from)?;
    let (keys, trust) = (options.keys()?, options.trust());
    let capture = Arc::new(Capture::new(&options.name, keys, trust.clone()));
    let relying_party = RelyingParty::builder()
        .verifier(capture.clone())
        .standard_policy(
            StandardPolicy::new()
                .accept_warning()
                .dangerous_accept_simulated(),
        )
        .build()
        .map_err(|error| Failure::fault("no verifier").because(&error))?;
    let tls = TrustOptions {
        ca: options.ca.clone(),
        ..TrustOptions::default()
    };
    let client = Client::over(
        relying_party,
        &tls,
        &AttesterOptions::default(),
        Http::Any,
        Narration::Silent,
    )?;
    let connected = client.connect(&target).await;
    let Some(captured) = capture.take() else {
        return Err(match connected {
            Err(failure) => failure,
            Ok(_) => Failure::new(Outcome::NotAttested, "the server did not attest"),
        });
    };
    let captured = captured?;
    match captured.appraised {
        Ok(result) => {
            let says = "Genuine: its signatures verify up to a root or a key that is known, and it was bound to a connection.";
            let mut notes = report::notes(result.status, &result.findings);
            notes.extend(simulated(&[result.origin], options));
            Ok(verified(&captured.text, says, notes))
        }
        Err(_) if options.dangerous_unverified => Ok(unverified(&captured.text)),
        Err(error) => Err(with_way_out(appraise::failure(&error))),
    }
}

fn only(items: Vec<Evidence>) -> Result<Evidence, Failure> {
    let mut items = items.into_iter();
    match (items.next(), items.next()) {
        (Some(item), None) => Ok(item),
        _ => Err(Failure::usage(
            "there are several items of Evidence in it; give one alone",
        )),
    }
}

fn verified(text: &str, says: &str, notes: Vec<String>) -> Written {
    Written {
        text: format!("# {says}\n{text}"),
        notes,
    }
}

fn unverified(text: &str) -> Written {
    let says = "NOT VERIFIED: nobody found out whether the Evidence is genuine.";
    Written {
        text: format!("# {says}\n{text}"),
        notes: vec![says.to_owned()],
    }
}

fn with_way_out(failure: Failure) -> Failure {
    match failure.help() {
        Some(_) => failure,
        None => failure.with_help(
            "--dangerous-unverified writes a policy all the same, of your own machine's Evidence",
        ),
    }
}

/// A policy is not written over another one.
fn create(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::usage(format!("{}: cannot be written", path.display())).because(&error)
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

const EXAMPLES: &str = "\
Each line of the policy is explained in a comment. The Evidence must be genuine: it is appraised under
the very policy that was made of it. Look at what was seen before you accept it: whoever made the
Evidence chose it.

Examples:
  atls policy new --from https://service.example/ --name 'payments 1.4.2' -o policy.toml
  atls policy new --from quote.bin --collateral collateral.json --at 2026-06-08T12:00:00Z
  atls policy new --from tpm-evidence.cbor --attestation-keys tpm-keys.toml";
