//! The command line.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;
use conform::evidence::Source;
use conform::keys::Keys;
use conform::kit::Kit;

/// Tests a peer of attested TLS against docs/protocol.md, with a case for each MUST.
///
/// Exit status: 0 where all cases that the peer supports passed, 1 where one failed, 2 where none failed and one was not reached, 3
/// where nothing could be tested.
#[derive(Debug, Parser)]
#[command(name = "conform")]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Tests a server: the kit connects to it as a client
    Client {
        /// Where the server listens, such as 127.0.0.1:8443
        address: String,
        /// The name by which the server is called in TLS and HTTP
        #[arg(long, default_value = "localhost")]
        name: String,
        /// The server serves clients that decline to attest
        #[arg(long)]
        asks_only: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Tests a client: the kit is the server that it connects to
    Server {
        /// Where the kit waits for a client that connects by itself, once for each case
        #[arg(long, default_value = "127.0.0.1:8443", conflicts_with = "run")]
        listen: String,
        /// A command that makes the client connect once; {addr} is replaced by host and port, {port} by the port
        #[arg(long)]
        run: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Lists the cases
    List,
    /// Makes the keys of a run: authority.pem and device.key are what the peer must trust
    Keys {
        /// Made where it is absent
        folder: PathBuf,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Common {
    /// The folder of the keys; see `conform keys`
    #[arg(long, default_value = "target/conform")]
    keys: PathBuf,
    /// Presents the CMW in this file instead of Evidence of the simulated device
    #[arg(long, conflicts_with = "attest")]
    evidence: Option<PathBuf>,
    /// Presents what this command prints, a CMW; {value} is replaced by the value to attest, in hexadecimal digits
    #[arg(long)]
    attest: Option<String>,
    /// One more media type of Evidence that the kit asks for
    #[arg(long)]
    media_type: Vec<String>,
    /// The mode to test: the exchange of §8, or Evidence in certificates of §11 or §12
    #[arg(long, value_enum, default_value_t = ModeOption::Exchange)]
    pub(crate) mode: ModeOption,
    /// The longest wait for anything of the peer, in seconds
    #[arg(long, default_value_t = 3.0)]
    limit: f64,
    /// Only cases whose name begins with this, such as P4 or P4.3/takes-nine-certificates
    #[arg(long)]
    pub(crate) only: Vec<String>,
    /// Prints JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ModeOption {
    Exchange,
    InCertificate,
    InHandshake,
}

impl Common {
    pub(crate) fn kit(&self) -> Result<Kit, Box<dyn Error>> {
        let mut kit = Kit::new(Keys::kept(&self.keys)?);
        kit.limit = Duration::try_from_secs_f64(self.limit)?;
        kit.formats.extend(self.media_type.iter().cloned());
        if let Some(path) = &self.evidence {
            kit.source = Source::file(path)?;
        }
        if let Some(command) = &self.attest {
            let words = command.split_whitespace().map(str::to_owned);
            kit.source = Source::Command(words.collect());
        }
        Ok(kit)
    }
}
