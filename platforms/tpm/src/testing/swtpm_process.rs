//! `swtpm` of this machine, started and ended.

use std::fmt;
use std::fs;
use std::fs::DirBuilder;
use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::Public;
use ring::rand::SecureRandom;
use ring::rand::SystemRandom;

use crate::device::Swtpm;
use crate::device::SwtpmControl;
use crate::endorsement::EndorsementTemplate;
use crate::error::TpmError;
use crate::nv::NvReaders;
use crate::policy::hexadecimal;
use crate::tpm::RH_ENDORSEMENT;
use crate::tpm::Tpm;

/// A TPM in software that is a real one but for its walls: a process of `swtpm`, with a state of its own in a private folder that goes with it.
///
/// The process is a child in the group of this one, so what ends the group, such as Ctrl-C, ends it too. Its folder is left behind then.
pub struct SwtpmProcess {
    folder: PathBuf,
    sockets: Sockets,
    child: Option<Child>,
}

#[derive(Clone, Copy, Debug)]
enum Sockets {
    /// Ports of data and control on loopback.
    Tcp(u16, u16),
    Unix,
}

impl SwtpmProcess {
    /// A TPM as it comes from the factory, behind sockets of the file system.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] where there is no `swtpm` on this machine.
    pub fn start() -> io::Result<Self> {
        Self::start_with(Sockets::Unix, |_| Ok(()))
    }

    /// The same behind ports of loopback.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_over_tcp() -> io::Result<Self> {
        let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        let start = || {
            let (data, control) = (free()?, free()?);
            let sockets = Sockets::Tcp(port(&data)?, port(&control)?);
            drop((data, control));
            Self::start_with(sockets, |_| Ok(()))
        };
        // Others may take a port that was free a moment ago.
        for _ in 0..PORT_TRIES {
            match start() {
                Err(error) if error.kind() == io::ErrorKind::Other => {}
                started => return started,
            }
        }
        start()
    }

    /// A TPM that has registers of this bank alone.
    ///
    /// # Errors
    /// As [`start`](Self::start); it needs `swtpm_setup` too.
    pub fn with_bank(bank: HashAlgorithm) -> io::Result<Self> {
        Self::start_with(Sockets::Unix, |folder| {
            let bank = bank.to_string();
            run(setup(folder).args(["--pcr-banks", &bank]))
        })
    }

    /// A TPM with a certificate of its endorsement key, by an authority of its own: a root, and one below it.
    ///
    /// # Errors
    /// As [`with_bank`](Self::with_bank).
    pub fn certified() -> io::Result<Self> {
        Self::start_with(Sockets::Unix, |folder| {
            let at = |name: &str| folder.join(name).display().to_string();
            fs::write(
                folder.join("localca.conf"),
                format!(
                    "statedir = {0}\nsigningkey = {0}/signkey.pem\nissuercert = {1}\ncertserial = {0}/certserial\n",
                    folder.display(),
                    at(ISSUER),
                ),
            )?;
            fs::write(folder.join("localca.options"), "")?;
            fs::write(
                folder.join("setup.conf"),
                format!(
                    "create_certs_tool = swtpm_localca\ncreate_certs_tool_config = {}\ncreate_certs_tool_options = {}\nactive_pcr_banks = sha256\n",
                    at("localca.conf"),
                    at("localca.options"),
                ),
            )?;
            run(setup(folder).args(["--create-ek-cert", "--config", &at("setup.conf")]))
        })
    }

    /// The root of [`certified`](Self::certified), and the authority below it, in PEM.
    ///
    /// # Errors
    /// Where there is none.
    pub fn issuers(&self) -> io::Result<[Vec<u8>; 2]> {
        Ok([
            fs::read(self.folder.join(ROOT))?,
            fs::read(self.folder.join(ISSUER))?,
        ])
    }

    /// Ends the process at once, as a loss of power does. The folder stays.
    ///
    /// # Errors
    /// Where the process cannot be ended.
    pub fn kill(&mut self) -> io::Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        child.kill()?;
        let ended = || Ok(child.try_wait()?.is_some());
        wait_until(ended)
    }

    /// Starts a process again that was [killed](Self::kill), with the same state.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn restart(&mut self) -> io::Result<()> {
        let at = |name: &str| self.folder.join(name).display().to_string();
        let (data, control) = match self.sockets {
            Sockets::Tcp(data, control) => {
                let on = |port| format!("type=tcp,bindaddr=127.0.0.1,port={port}");
                (on(data), on(control))
            }
            Sockets::Unix => {
                let on = |name| format!("type=unixio,path={}", at(name));
                (on(DATA), on(CONTROL))
            }
        };
        let mut swtpm = Command::new("swtpm");
        swtpm.args(["socket", "--tpm2", "--flags"]);
        swtpm.args(["not-need-init,startup-clear", "--tpmstate"]);
        swtpm.args([format!("dir={}", self.folder.display())]);
        swtpm.args(["--server", &data, "--ctrl", &control]);
        let said = self.folder.join(SAID);
        swtpm.stdin(Stdio::null()).stdout(Stdio::null());
        let child = swtpm.stderr(File::create(&said)?).spawn()?;
        let (device, control) = (self.device(), self.control());
        let child = self.child.insert(child);
        wait_until(|| {
            if child.try_wait()?.is_some() {
                let said = fs::read_to_string(&said)?;
                return Err(io::Error::other(format!("swtpm failed: {said}")));
            }
            Ok(device.is_there() && control.is_there())
        })
    }

    /// The identifier of its process, while there is one.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// The folder of its state, which goes with it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its data channel. A command may take a minute: a key of RSA takes seconds where the machine is busy.
    pub fn device(&self) -> Swtpm {
        let device = match self.sockets {
            Sockets::Tcp(data, _) => Swtpm::tcp(loopback(data)),
            Sockets::Unix => Swtpm::unix(self.folder.join(DATA)),
        };
        device.with_deadline(PATIENCE)
    }

    /// Its control channel.
    pub fn control(&self) -> SwtpmControl {
        match self.sockets {
            Sockets::Tcp(_, control) => SwtpmControl::tcp(loopback(control)),
            Sockets::Unix => SwtpmControl::unix(self.folder.join(CONTROL)),
        }
    }

    /// Switches the TPM off and on, as a machine that starts anew does.
    ///
    /// # Errors
    /// [`TpmError`]
    pub fn reset(&self) -> Result<(), TpmError> {
        self.control().init()?;
        Tpm::over(self.device()).start_up()
    }

    /// Measures these bytes into a register.
    ///
    /// # Errors
    /// [`TpmError`]
    pub fn measure(&self, pcr: u8, bank: HashAlgorithm, bytes: &[u8]) -> Result<(), TpmError> {
        let digest = bank.digest(&[bytes]);
        Tpm::over(self.device()).extend(pcr, bank, &digest)
    }

    /// Puts these bytes, up to 2,048, at an index of the non-volatile memory, which anybody may read: as makers and clouds put certificates there.
    ///
    /// # Errors
    /// [`TpmError`], such as where there is something already.
    pub fn store(&self, index: u32, bytes: &[u8]) -> Result<(), TpmError> {
        Tpm::over(self.device()).write_nv((index, NvReaders::Anybody), bytes)
    }

    /// The public area of its endorsement key of ECC with P-256.
    ///
    /// # Errors
    /// [`TpmError`]
    pub fn ecc_endorsement_key(&self) -> Result<Public, TpmError> {
        let mut tpm = Tpm::over(self.device());
        let template = EndorsementTemplate::EccP256.public();
        let key = tpm.create_primary(RH_ENDORSEMENT, &[], &template)?;
        let read = tpm.read_public(key)?;
        tpm.flush(key)?;
        Ok(Public::decode(&read.ok_or(TpmError::Malformed)?.public)?)
    }

    /// Writes an index of the non-volatile memory, which the owner reads. One that is there is replaced.
    ///
    /// # Errors
    /// [`TpmError`]
    pub fn store_for_owner(&self, index: u32, contents: &[u8]) -> Result<(), TpmError> {
        let mut tpm = Tpm::over(self.device());
        if tpm.read_nv(index, &[])?.is_some() {
            tpm.remove_nv(index)?;
        }
        tpm.write_nv((index, NvReaders::Owner), contents)
    }

    /// The process stands still, and answers nothing.
    ///
    /// # Errors
    /// Where it cannot be stopped.
    pub fn pause(&self) -> io::Result<()> {
        self.signal("STOP")
    }

    /// The process goes on.
    ///
    /// # Errors
    /// Where it cannot be continued.
    pub fn resume(&self) -> io::Result<()> {
        self.signal("CONT")
    }

    fn start_with(
        sockets: Sockets,
        prepare: impl FnOnce(&Path) -> io::Result<()>,
    ) -> io::Result<Self> {
        let mut random = [0; 8];
        let filled = SystemRandom::new().fill(&mut random);
        filled.map_err(|_| io::Error::other("no random numbers"))?;
        let folder = format!("atls-swtpm-{}", hexadecimal::of(&random));
        let folder = std::env::temp_dir().join(folder);
        // A folder that somebody made before is an error.
        DirBuilder::new().mode(0o700).create(&folder)?;
        let mut process = Self {
            folder,
            sockets,
            child: None,
        };
        prepare(&process.folder)?;
        process.restart()?;
        Ok(process)
    }

    fn signal(&self, name: &str) -> io::Result<()> {
        match &self.child {
            Some(child) => {
                let pid = child.id().to_string();
                run(Command::new("kill").args([&format!("-{name}"), &pid]))
            }
            None => Ok(()),
        }
    }
}

impl Drop for SwtpmProcess {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl fmt::Debug for SwtpmProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SwtpmProcess")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

fn setup(folder: &Path) -> Command {
    let mut setup = Command::new("swtpm_setup");
    setup.args(["--tpm2", "--tpmstate"]).arg(folder);
    setup
}

/// Runs it. The error has its output; success drops that.
fn run(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let program = command.get_program().display();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    Err(io::Error::other(format!("{program} failed: {said}")))
}

/// Waits for what takes milliseconds.
fn wait_until(mut is_so: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    while !is_so()? {
        if Instant::now() > until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

const DATA: &str = "data";
const CONTROL: &str = "control";
const SAID: &str = "said";
/// More than a process takes to start, to answer or to end on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);
const PORT_TRIES: usize = 4;
const ROOT: &str = "swtpm-localca-rootca-cert.pem";
const ISSUER: &str = "issuercert.pem";
