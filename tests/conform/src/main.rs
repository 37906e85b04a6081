//! `conform`: tests a peer against `docs/protocol.md`. See `docs/conformance.md`.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program for a terminal"
)]

mod command;
mod options;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use atls_core::session::Side;
use clap::Parser;
use conform::breach::Breach;
use conform::breach::number;
use conform::keys::Keys;
use conform::kit::Kit;
use conform::kit::Target;
use conform::report::Report;
use conform::rules::UNTESTED;
use conform::run::run;
use conform::weaker::Mode;
use conform::weaker::Weak;
use tokio::net::TcpListener;

use crate::command::Command;
use crate::options::Action;
use crate::options::Common;
use crate::options::ModeOption;
use crate::options::Options;

#[tokio::main]
async fn main() -> ExitCode {
    match perform(Options::parse().action).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("conform: {error}");
            ExitCode::from(3)
        }
    }
}

async fn perform(action: Action) -> Result<u8, Box<dyn Error>> {
    match action {
        Action::Keys { folder } => {
            Keys::kept(&folder)?;
            println!("{}", folder.join("authority.pem").display());
            println!("{}", folder.join("device.key").display());
            Ok(0)
        }
        Action::List => {
            for side in [Side::Server, Side::Client] {
                for case in all(side) {
                    println!("{side}  {case}: {}", case.expected());
                }
            }
            for (rule, why) in UNTESTED {
                println!("no case for {rule}: {why}");
            }
            Ok(0)
        }
        Action::Client {
            address,
            name,
            asks_only,
            common,
        } => {
            let mut resolved = tokio::net::lookup_host(&address).await?;
            let address = resolved.next().ok_or("the address has no host")?;
            let mut kit = common.kit()?;
            kit.name = name;
            kit.demands = !asks_only;
            report(&kit, &Target::Server(address), &common).await
        }
        Action::Server {
            listen,
            run,
            common,
        } => {
            let kit = common.kit()?;
            let target = match run {
                Some(command) => Target::Client(Arc::new(Command::new(&command, kit.limit))),
                None => {
                    let listener = TcpListener::bind(&listen).await?;
                    eprintln!("waiting for the client on {}", listener.local_addr()?);
                    Target::Visitors(Arc::new(listener))
                }
            };
            report(&kit, &target, &common).await
        }
    }
}

/// The cases of all modes.
fn all(side: Side) -> Vec<Breach> {
    let in_certificate = Weak::cases(side, Mode::InCertificate);
    let in_handshake = Weak::cases(side, Mode::InHandshake);
    let weaker = in_certificate.iter().chain(&in_handshake);
    let mut cases = Breach::cases(side);
    cases.extend(weaker.map(|case| Breach::Weak(*case)));
    cases.sort_by_key(|case| number(case.rule()));
    cases.dedup();
    cases
}

async fn weaker(kit: &Kit, target: &Target, mode: Mode, chosen: impl Fn(&str) -> bool) -> Report {
    let mut cases = Weak::cases(target.side(), mode);
    cases.retain(|case| chosen(&Breach::Weak(*case).to_string()));
    conform::weaker::run::run(kit, target, mode, &cases).await
}

async fn report(kit: &Kit, target: &Target, common: &Common) -> Result<u8, Box<dyn Error>> {
    let chosen = |name: &str| {
        common.only.is_empty() || common.only.iter().any(|only| name.starts_with(only))
    };
    let report = match common.mode {
        ModeOption::Exchange => {
            let mut cases = Breach::cases(target.side());
            cases.retain(|case| chosen(&case.to_string()));
            run(kit, target, &cases).await
        }
        ModeOption::InCertificate => weaker(kit, target, Mode::InCertificate, chosen).await,
        ModeOption::InHandshake => weaker(kit, target, Mode::InHandshake, chosen).await,
    };
    if common.json {
        println!("{:#}", report.to_json());
    } else {
        println!("{report}");
    }
    Ok(report.exit_code())
}
