//! What attestation costs, against plain tokio-rustls in the same run. `load help` tells how it is used.
#![forbid(unsafe_code)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "figures for a terminal"
)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod appraisal;
mod bars;
mod certificates;
mod client;
mod client_end;
mod evidence;
mod figures;
mod handler;
mod memory;
mod options;
mod page;
mod pair;
mod plots;
mod requests;
mod run;
mod serve;
mod server;
mod server_end;
mod service;
mod tables;
mod usage;

use std::alloc::System;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use stats_alloc::INSTRUMENTED_SYSTEM;
use stats_alloc::StatsAlloc;
use tokio::runtime::Runtime;

use crate::figures::Figures;
use crate::options::Options;
use crate::options::Output;
use crate::options::USAGE;
use crate::page::Effort;
use crate::page::Page;
use crate::pair::Pair;
use crate::requests::Open;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<(), Box<dyn Error>> {
    let Some((command, words)) = words.split_first() else {
        return Err(USAGE.into());
    };
    match command.as_str() {
        "help" => {
            println!("{USAGE}");
            Ok(())
        }
        server::SERVE => serve::serve(),
        "connections" => connections(&Options::parse(words)?),
        "requests" => requests(&Options::parse(words)?),
        "memory" => memory(&Options::parse(words)?),
        "handler" => {
            let with = handler::measure(1_000_000)?;
            print!("{with}");
            Ok(())
        }
        "appraisal" => appraise(),
        "page" => page(words),
        "again" => show(&serde_json::from_slice(&fs::read(FIGURES)?)?),
        _ => Err(USAGE.into()),
    }
}

fn connections(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut pair = Pair::start(options.service)?;
    let figures = options.load().run(&mut pair)?;
    print(options, &figures)
}

fn requests(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut open = Open::new(Pair::start(options.service)?)?;
    open.round(options.warm)?;
    let figures = open.round(options.time)?;
    print(options, &figures)
}

fn memory(options: &Options) -> Result<(), Box<dyn Error>> {
    let held = memory::measure(options.service, &[options.held])?;
    if options.output == Output::Json {
        println!("{}", serde_json::to_string(&held)?);
        return Ok(());
    }
    println!("idle connections  client B  server B  resident B");
    for held in held {
        println!(
            "{:>16}  {:>8.0}  {:>8.0}  {:>10.0}",
            held.connections, held.client, held.server, held.resident
        );
    }
    Ok(())
}

fn appraise() -> Result<(), Box<dyn Error>> {
    let folder = appraisal::folder().ok_or("ATLS_VECTORS names no folder of genuine Evidence")?;
    for cost in appraisal::measure(&folder, 301)? {
        let library = cost.library.map_or_else(String::new, |library| {
            format!(", library alone {library:.0} us")
        });
        println!(
            "{}, {} bytes: {:.0} us{library}, cached {:.1} us",
            cost.name, cost.bytes, cost.appraisal, cost.cached
        );
    }
    Ok(())
}

/// `page [quick] [--peer PROGRAM]`
fn page(words: &[String]) -> Result<(), Box<dyn Error>> {
    let (quick, words) = match words.split_first() {
        Some((first, rest)) if first == "quick" => (true, rest),
        _ => (false, words),
    };
    let peer = match words {
        [] => None,
        [option, program] if option == "--peer" => Some(Path::new(program)),
        _ => return Err(USAGE.into()),
    };
    if quick {
        let page = page::measure(&Effort::quick(), peer)?;
        let folder = Path::new(QUICK_FOLDER);
        fs::create_dir_all(folder)?;
        plots::draw(&page, folder)?;
        println!("{}", tables::all(&page));
        return Ok(());
    }
    let page = page::measure(&Effort::whole(), peer)?;
    fs::create_dir_all(FOLDER)?;
    fs::write(FIGURES, serde_json::to_string_pretty(&page)?)?;
    show(&page)
}

fn show(page: &Page) -> Result<(), Box<dyn Error>> {
    plots::draw(page, Path::new(FOLDER))?;
    tables::write(page, Path::new(PAGE))
}

fn print(options: &Options, figures: &Figures) -> Result<(), Box<dyn Error>> {
    if options.output == Output::Json {
        println!("{}", serde_json::to_string(&figures)?);
        return Ok(());
    }
    println!("    done  failed     per s    p50 ms    p99 ms  client us  server us");
    println!(
        "{:>8}  {:>6}  {:>8.0}  {:>8.2}  {:>8.2}  {:>9.0}  {:>9.0}",
        figures.done,
        figures.failed,
        figures.per_second,
        figures.p50,
        figures.p99,
        figures.client_cpu,
        figures.server_cpu
    );
    Ok(())
}

/// Two threads, on both ends.
fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}

/// From the root of the workspace, where cargo runs.
const PAGE: &str = "docs/performance.md";
const FOLDER: &str = "docs/performance";
const FIGURES: &str = "docs/performance/figures.json";
const QUICK_FOLDER: &str = "target/performance";
