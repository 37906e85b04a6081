//! `atls tcb`: how far a platform is behind, and what will be refused next.

mod standing;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use atls_core::PeerAttestation;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_snp::SnpClaims;
use atls_tdx::SgxClaims;
use atls_tdx::TdxClaims;
use clap::Args;
use serde_json::json;

use crate::appraise;
use crate::appraise::AttestationKeys;
use crate::appraise::Evidence;
use crate::appraise::Policy;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::get::Client;
use crate::get::Http;
use crate::get::Target;
use crate::inspect;
use crate::narrate::Narration;
use crate::policy::Capture;
use crate::seen;
use crate::terminal::Terminal;
use crate::trust::AppraisalOptions;
use crate::trust::AttesterOptions;
use crate::trust::TrustOptions;
use crate::unused;
use crate::unused::LEAVE_OUT;
use crate::unused::given;
use standing::Judge;
use standing::Standing;
use standing::Versions;

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TcbOptions {
    /// Evidence in a file that `atls inspect` recognises, or an https URL of an attested server
    #[arg(value_name = "EVIDENCE|URL")]
    from: String,

    /// Judge by this policy, instead of by the makers' latest word
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Judge as of this time, such as 2026-11-29T18:00:00Z
    #[arg(long, value_name = "TIME")]
    at: Option<String>,

    /// Write one JSON document
    #[arg(long)]
    json: bool,

    /// Authorities of the server's TLS certificate, in PEM, instead of those of this system
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,

    #[command(flatten)]
    trust: AppraisalOptions,
}

impl TcbOptions {
    fn is_of_server(&self) -> bool {
        self.from.starts_with("https://")
    }

    /// # Errors
    /// A usage failure for an argument that would have no effect.
    fn check(&self) -> Result<(), Failure> {
        let status = given([("--accept-warning", self.trust.accept_warning)]);
        unused::refuse(
            &status,
            "each status is told, and judged by its dates",
            LEAVE_OUT,
        )?;
        match self.is_of_server() {
            true => {
                let at = given([("--at", self.at.is_some())]);
                unused::refuse(&at, "a server is judged as of now", LEAVE_OUT)
            }
            false => {
                let ca = given([("--ca", !self.ca.is_empty())]);
                unused::refuse(&ca, "no server is connected to", LEAVE_OUT)?;
                let simulated = given([
                    ("--trust-sim", !self.trust.trust_sim.is_empty()),
                    (
                        "--dangerous-accept-simulated",
                        self.trust.dangerous_accept_simulated,
                    ),
                ]);
                let why = "simulated devices have no TCB, and no server is connected to";
                unused::refuse(&simulated, why, LEAVE_OUT)
            }
        }
    }

    fn judge(&self) -> Judge {
        match self.policy {
            Some(_) => Judge::Policy,
            None => Judge::Maker,
        }
    }
}

pub(crate) async fn run(options: &TcbOptions, terminal: &mut Terminal) -> Result<(), Failure> {
    let ended = assess(options, terminal).await;
    match ended {
        Err(failure) if options.json && !failure.is_reported() => {
            terminal.out_json(&json!({ "current": false, "error": failure.to_json() }))?;
            Err(failure.already_reported())
        }
        other => other,
    }
}

async fn assess(options: &TcbOptions, terminal: &mut Terminal) -> Result<(), Failure> {
    options.check()?;
    let standings = match options.is_of_server() {
        true => of_server(options).await?,
        false => of_file(options).await?,
    };
    if standings.is_empty() {
        return Err(
            Failure::usage("no platform in it has versions to compare").with_help(NO_VERSIONS)
        );
    }
    let current = standings.iter().all(Standing::is_current);
    let style = terminal.out_style();
    if options.json {
        let platforms: Vec<_> = standings.iter().map(Standing::to_json).collect();
        terminal.out_json(&json!({ "current": current, "platforms": platforms }))?;
    } else {
        for standing in &standings {
            for line in standing.table(style).lines(style) {
                terminal.out_line(&line)?;
            }
        }
    }
    let failure = match (current, standings.iter().all(Standing::is_judged)) {
        (true, true) => return Ok(()),
        (false, _) => Failure::new(Outcome::Refused, "the platform is behind, or soon will be"),
        (true, false) => Failure::usage("nothing says which firmware of AMD is good enough")
            .with_help("--policy FILE says it, by minimum-tcb and next-minimum-tcb"),
    };
    Err(match options.json {
        true => failure.already_reported(),
        false => failure,
    })
}

async fn of_file(options: &TcbOptions) -> Result<Vec<Standing>, Failure> {
    let at = appraise::time(options.at.as_deref())?;
    let mut standings = Vec::new();
    let found = inspect::evidence_of(Path::new(&options.from))?;
    let found = found.into_iter().flat_map(|item| match &options.policy {
        // It is about the whole of a composite.
        Some(_) => vec![item],
        None => with_versions(&item),
    });
    for item in found {
        if !item
            .table()
            .is_some_and(|table| WITH_VERSIONS.contains(&table))
        {
            continue;
        }
        let policy = match &options.policy {
            Some(path) => Policy::open(path)?,
            None => Policy::written(&seen::policy_of(
                &item,
                "as seen",
                &AttestationKeys::Unknown,
            )?),
        };
        let appraised = appraise::recorded(&item, &policy, &options.trust, at).await?;
        for (_, appraised) in appraised.items() {
            let found = versions(
                appraised.claims::<TdxClaims>(),
                appraised.claims::<SgxClaims>(),
                appraised.claims::<SnpClaims>(),
            );
            standings.extend(
                found.map(|versions| Standing::of(versions, appraised.findings(), options.judge())),
            );
        }
    }
    Ok(standings)
}

fn with_versions(item: &Evidence) -> Vec<Evidence> {
    let mut parts = item.parts();
    parts.retain(|part| part.table() != Some("azure"));
    parts
}

async fn of_server(options: &TcbOptions) -> Result<Vec<Standing>, Failure> {
    let target = Target::parse(&options.from)?;
    let mut trust = TrustOptions {
        ca: options.ca.clone(),
        policy: options.policy.clone(),
        appraisal: options.trust.clone(),
        ..TrustOptions::default()
    };
    // It is asked how bad it is, and nothing is sent to it.
    trust.appraisal.accept_warning = true;
    let (attester, silent) = (AttesterOptions::default(), Narration::Silent);
    let client = match &options.policy {
        Some(_) => Client::new(&trust, &attester, Http::Any, silent)?,
        None => Client::over(
            as_seen(&options.trust)?,
            &trust,
            &attester,
            Http::Any,
            silent,
        )?,
    };
    let peer = client.connect(&target).await?.peer()?;
    Ok(of_peer(&peer, options.judge()))
}

fn as_seen(trust: &AppraisalOptions) -> Result<RelyingParty, Failure> {
    let mut policy = StandardPolicy::new().accept_warning();
    if trust.accepts_simulated() {
        policy = policy.dangerous_accept_simulated();
    }
    let keys = AttestationKeys::Unknown;
    let seen = Capture::new("as seen", keys, trust.clone()).of_tables(&WITH_VERSIONS);
    RelyingParty::builder()
        .verifier(Arc::new(seen))
        .standard_policy(policy)
        .build()
        .map_err(|error| Failure::fault("no verifier").because(&error))
}

fn of_peer(peer: &PeerAttestation, judge: Judge) -> Vec<Standing> {
    let standings = peer.items().iter().filter_map(|item| {
        let found = versions(
            item.claims::<TdxClaims>(),
            item.claims::<SgxClaims>(),
            item.claims::<SnpClaims>(),
        );
        found.map(|versions| Standing::of(versions, item.findings(), judge))
    });
    standings.collect()
}

fn versions(
    td: Option<&TdxClaims>,
    enclave: Option<&SgxClaims>,
    guest: Option<&SnpClaims>,
) -> Option<Versions> {
    let platform = td.map(|td| &td.platform);
    let platform = platform.or_else(|| enclave.map(|enclave| &enclave.platform));
    let intel = platform.map(|platform| Versions::Intel(Box::new(platform.clone())));
    intel.or_else(|| guest.map(|claims| Versions::Amd(Box::new(claims.clone()))))
}

/// The tables of platforms whose makers number their firmware.
const WITH_VERSIONS: [&str; 4] = ["azure", "sgx", "snp", "tdx"];

const NO_VERSIONS: &str = "TDX, SGX and SEV-SNP have, and VMs of Azure on them. AWS publishes none of Nitro; of TPMs, CCA and PSA no list says \
                           what is current, and a policy names the firmware that is good enough: see `atls policy explain`";

const EXAMPLES: &str = "\
Intel rates platforms by TCB Info, which it issues anew; the next issue is published early. AMD publishes
no list: what is good enough is in your policy, minimum-tcb and next-minimum-tcb. Exit code 3 says that the
platform is behind, now or by the next issue, and 1 that nothing says what is good enough.

Examples:
  atls tcb https://service.example/
  atls tcb quote.bin --collateral collateral.json --early early.json
  atls tcb report.bin --policy policy.toml";
