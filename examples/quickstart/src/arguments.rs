//! The command line.

use crate::tamper::Tamper;

/// The task that the arguments name.
#[derive(Clone, Copy)]
pub(crate) enum Command {
    Help,
    Show(Platform),
    Tamper(Tamper),
}

/// The platform of the server.
#[derive(Clone, Copy)]
pub(crate) enum Platform {
    Simulated,
    Tpm,
}

impl Command {
    /// `--tamper KIND` and `--tamper=KIND` are the same, and so with `--platform`.
    ///
    /// # Errors
    /// The error text says what is wrong with the arguments, and which ones there are.
    pub(crate) fn parse(arguments: &[&str]) -> Result<Self, String> {
        match arguments {
            [] => Ok(Self::Show(Platform::Simulated)),
            ["--help" | "-h"] => Ok(Self::Help),
            ["--tamper", kind] => Self::tamper(kind),
            ["--platform", name] => Self::on(name),
            ["--platform"] => Err(format!("--platform needs a NAME; {PLATFORMS}")),
            ["--tamper"] => Err(format!("--tamper needs a KIND; {}", kinds())),
            [argument] => match argument.split_once('=') {
                Some(("--tamper", kind)) => Self::tamper(kind),
                Some(("--platform", name)) => Self::on(name),
                _ => Err(unknown(argument)),
            },
            [first, ..] if first.starts_with("--tamper") => {
                Err("one attack at a time; run the program again for another".to_owned())
            }
            [first, ..] => Err(unknown(first)),
        }
    }

    fn on(platform: &str) -> Result<Self, String> {
        match platform {
            "sim" => Ok(Self::Show(Platform::Simulated)),
            "tpm" => Ok(Self::Show(Platform::Tpm)),
            _ => Err(format!("there is no platform {platform:?}; {PLATFORMS}")),
        }
    }

    fn tamper(kind: &str) -> Result<Self, String> {
        let tamper = Tamper::named(kind);
        let tamper = tamper.ok_or_else(|| format!("there is no attack {kind:?}; {}", kinds()))?;
        Ok(Self::Tamper(tamper))
    }
}

pub(crate) fn help() -> String {
    let mut text = HELP.to_owned();
    for tamper in Tamper::ALL {
        text.push_str(&format!(
            "\n  {}\n      {}\n",
            tamper.name(),
            tamper.story()
        ));
    }
    text
}

fn unknown(argument: &str) -> String {
    format!("there is no argument {argument:?}; --help tells what there is")
}

fn kinds() -> String {
    let kinds: Vec<_> = Tamper::ALL.iter().map(|tamper| tamper.name()).collect();
    format!("the kinds are {}", kinds.join(", "))
}

const PLATFORMS: &str = "the platforms are sim and tpm";

const HELP: &str = "\
usage: quickstart [--platform NAME | --tamper KIND]

Attested TLS on one machine. Without arguments: a server attests itself inside TLS 1.3, a client
demands that before it sends its request, and the program tells each step: the binder that ties
the Evidence to this connection, the Evidence, its appraisal, the claims of the result in words.

The platform is simulated, so a run proves that the protocol works and nothing about your machine.
It needs no network beyond loopback, no privileges and no file.

With --platform tpm the server has a real TPM 2.0, in software: swtpm, which is started (Debian has
it as swtpm and swtpm-tools). The Evidence is then a quote; the TPM's keys are in a file, so it is
simulated all the same. NAME is tpm or sim, the default.

With --tamper an attacker stands in for the server. The program succeeds (exit code 0) where the
client refuses him before it sends a byte of HTTP, and by the one check that this attack is about.

exit codes: 0 as expected, 1 not as expected, 2 wrong arguments

KIND is one of
";
