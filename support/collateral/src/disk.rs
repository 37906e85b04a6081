//! Collateral in a directory, one file a piece.
//!
//! ```text
//! struct {
//!     opaque magic[16];           // "atls-collateral\x02"
//!     uint64 checksum;            // FNV-1a of all that follows
//!     uint16 key_length;
//!     opaque key[key_length];
//!     uint64 fetched_at;          // seconds since the epoch
//!     uint64 fresh_until;         // for tidying alone
//!     uint8  is_numbered;         // 0 or 1: its contents have a number of issue; for tidying alone
//!     opaque bytes[];             // to the end of the file
//! } File;                         // all numbers big-endian
//! ```
//!
//! The checksum finds torn and rotten files. An attacker who can write here can forge it: the platform
//! [reads](crate::Fetch::read) the contents, verifies them, and takes dates and numbers from them alone. A file's modification
//! time is when it was last written or read, by the caller's clock.

use std::fs;
use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::SystemTime;

use atls_core::pki_types::UnixTime;

use crate::entry::Entry;
use crate::fetch::Kind;
use crate::limits::CacheLimits;
use crate::limits::MAX_KEY;

/// The directory of a cache. Several caches may use it at the same time.
#[derive(Debug)]
pub(crate) struct Disk {
    directory: PathBuf,
    /// Files of devices: those left by the last tidying, or all files at the opening; and those added since.
    devices: AtomicUsize,
}

/// A key and its kind.
pub(crate) struct Named<'a> {
    pub(crate) key: &'a str,
    pub(crate) kind: Kind,
}

/// The believed parts of a file: the bytes, and the time at which they were fetched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) fetched_at: UnixTime,
}

impl Disk {
    /// Makes the directory where it is absent, for this user alone.
    pub(crate) fn open(directory: PathBuf) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&directory)?;
        let files = fs::read_dir(&directory)?.count();
        Ok(Self {
            directory,
            devices: AtomicUsize::new(files),
        })
    }

    /// The file under this key, expired or not. `None` for a file that is absent, too large or damaged.
    pub(crate) fn load(&self, key: &str, limits: &CacheLimits, now: UnixTime) -> Option<Kept> {
        let path = self.path(key);
        let limit = limits.max_bytes.checked_add(MAX_HEADER)?;
        let file = read(&path, limit.checked_add(1)?)?;
        let (header, bytes) = decode(&file)?;
        if header.key != key || bytes.len() > limits.max_bytes {
            return None;
        }
        touch(&path, now);
        Some(Kept {
            bytes: bytes.into(),
            fetched_at: seconds(header.fetched_at),
        })
    }

    /// Replaces the file in one step. A device beyond twice the limit is not written, because then no task tidies.
    pub(crate) fn store(
        &self,
        named: &Named<'_>,
        entry: &Entry,
        limits: &CacheLimits,
    ) -> io::Result<()> {
        let encoded = encode(named.key, entry).ok_or(ErrorKind::InvalidInput)?;
        let path = self.path(named.key);
        if named.kind == Kind::Device && !path.exists() {
            let most = limits.max_files.saturating_mul(2);
            if self.devices.load(Ordering::Relaxed) >= most {
                return Ok(());
            }
            self.devices.fetch_add(1, Ordering::Relaxed);
        }
        // One name a key: the next write replaces the remains of a crash.
        let temporary = self.named(named.key, "tmp");
        let written = create_new(&temporary).and_then(|mut file| file.write_all(&encoded));
        let renamed = written.and_then(|()| fs::rename(&temporary, &path));
        if renamed.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        touch(&path, entry.fetched_at);
        renamed
    }

    pub(crate) fn remove(&self, key: &str) {
        let _ = fs::remove_file(self.path(key));
    }

    /// Removes unusable files, and of each kind the excess over its limit, the longest unused first. Numbers of issue outlive
    /// their contents while there is room. Reads no contents.
    pub(crate) fn prune(
        &self,
        limits: &CacheLimits,
        grace: Duration,
        now: UnixTime,
        kind_of: impl Fn(&str) -> Kind,
    ) {
        let Ok(files) = fs::read_dir(&self.directory) else {
            return;
        };
        let (mut devices, mut published) = (Vec::new(), Vec::new());
        for file in files.flatten() {
            let path = file.path();
            if path.extension().is_none_or(|extension| extension != SUFFIX) {
                continue;
            }
            let bytes = read(&path, MAX_HEADER).unwrap_or_default();
            let Some((header, _)) = Header::decode(&bytes) else {
                let _ = fs::remove_file(path);
                continue;
            };
            let usable = now.as_secs() < header.fresh_until.saturating_add(grace.as_secs());
            if !usable && !header.is_numbered {
                let _ = fs::remove_file(path);
                continue;
            }
            let used_at = file.metadata().and_then(|metadata| metadata.modified());
            let used_at = used_at.unwrap_or(SystemTime::UNIX_EPOCH);
            match kind_of(header.key) {
                Kind::Device => devices.push((used_at, path)),
                Kind::Published => published.push((used_at, path)),
            }
        }
        let left = devices.len().min(limits.max_files);
        self.devices.store(left, Ordering::Relaxed);
        for mut files in [devices, published] {
            files.sort();
            let excess = files.len().saturating_sub(limits.max_files);
            for (_, path) in files.into_iter().take(excess) {
                let _ = fs::remove_file(path);
            }
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.named(key, SUFFIX)
    }

    /// Keys have no `.`: no two of them share a file, and none leaves the directory.
    fn named(&self, key: &str, suffix: &str) -> PathBuf {
        self.directory
            .join(format!("{}.{suffix}", key.replace('/', ".")))
    }
}

/// Makes a new file for this user alone, and never opens a file or link of somebody else.
fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            options.open(path)
        }
        opened => opened,
    }
}

/// On failure the file is only removed sooner.
fn touch(path: &Path, now: UnixTime) {
    let time = Duration::from_secs(now.as_secs());
    if let Some(time) = SystemTime::UNIX_EPOCH.checked_add(time) {
        let file = OpenOptions::new().write(true).open(path);
        let _ = file.and_then(|file| file.set_modified(time));
    }
}

/// The beginning of a file, up to so many bytes.
fn read(path: &Path, bytes: usize) -> Option<Vec<u8>> {
    let limit = u64::try_from(bytes).ok()?;
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn encode(key: &str, entry: &Entry) -> Option<Vec<u8>> {
    let mut checked = Vec::new();
    checked.extend(u16::try_from(key.len()).ok()?.to_be_bytes());
    checked.extend(key.as_bytes());
    checked.extend(entry.fetched_at.as_secs().to_be_bytes());
    checked.extend(entry.fetched.fresh_until.as_secs().to_be_bytes());
    checked.push(u8::from(!entry.fetched.sequence.is_empty()));
    checked.extend_from_slice(&entry.fetched.bytes);
    let mut out = Vec::from(MAGIC);
    out.extend(fnv1a(&checked).to_be_bytes());
    out.append(&mut checked);
    Some(out)
}

/// A whole file whose checksum is right.
fn decode(file: &[u8]) -> Option<(Header<'_>, &[u8])> {
    let (header, bytes) = Header::decode(file)?;
    let checked = file.get(MAGIC.len().checked_add(8)?..)?;
    (header.checksum == fnv1a(checked)).then_some((header, bytes))
}

/// The part of a file before the contents.
#[derive(Debug, PartialEq, Eq)]
struct Header<'a> {
    checksum: u64,
    key: &'a str,
    fetched_at: u64,
    fresh_until: u64,
    is_numbered: bool,
}

impl<'a> Header<'a> {
    /// Decodes the header and gives the rest. The checksum is not compared.
    fn decode(file: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let rest = file.strip_prefix(&MAGIC)?;
        let (checksum, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let (fetched_at, rest) = rest.split_first_chunk()?;
        let (fresh_until, rest) = rest.split_first_chunk()?;
        let (is_numbered, bytes) = rest.split_first()?;
        let header = Self {
            checksum: u64::from_be_bytes(*checksum),
            key: str::from_utf8(key).ok()?,
            fetched_at: u64::from_be_bytes(*fetched_at),
            fresh_until: u64::from_be_bytes(*fresh_until),
            is_numbered: *is_numbered == 1,
        };
        Some((header, bytes))
    }
}

fn seconds(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// FNV-1a, 64 bits.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

const MAGIC: [u8; 16] = *b"atls-collateral\x02";

/// Bytes before the contents, with the longest key.
const MAX_HEADER: usize = 16 + 8 + 2 + MAX_KEY + 8 + 8 + 1;

const SUFFIX: &str = "collateral";

#[cfg(test)]
mod tests {
    use proptest::prelude::any;
    use proptest::prop_assert_eq;
    use proptest::proptest;

    use super::*;
    use crate::entry::Origin;
    use crate::fetched::Fetched;
    use crate::moment::Steady;

    fn entry(bytes: &[u8], times: (u64, u64), sequence: Option<u64>) -> Entry {
        let mut fetched = Fetched::new(bytes, seconds(times.1));
        fetched.sequence = sequence.into_iter().collect();
        Entry {
            fetched,
            fetched_at: seconds(times.0),
            came: Steady::default().at(seconds(times.0)),
            origin: Origin::Disk,
        }
    }

    proptest! {
        #[test]
        fn files_survive(
            key in "[a-z0-9/_-]{1,200}",
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            times in any::<(u64, u64)>(),
            sequence in any::<Option<u64>>(),
        ) {
            let encoded = encode(&key, &entry(&bytes, times, sequence)).unwrap();
            let (header, contents) = decode(&encoded).unwrap();
            prop_assert_eq!(contents, bytes);
            prop_assert_eq!(header.key, key);
            prop_assert_eq!((header.fetched_at, header.fresh_until), times);
            prop_assert_eq!(header.is_numbered, sequence.is_some());
            // The beginning alone is enough to tidy by.
            let beginning = encoded.get(..MAX_HEADER).unwrap_or(&encoded);
            prop_assert_eq!(Header::decode(beginning).unwrap().0, header);
        }

        #[test]
        fn arbitrary_bytes_are_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(decode(&bytes), None);
            let mut headed = Vec::from(MAGIC);
            headed.extend(fnv1a(&bytes).to_be_bytes());
            headed.extend(&bytes);
            // A fitting checksum must not lead to a panic.
            let _ = decode(&headed);
        }
    }

    #[test]
    fn a_file_cut_or_altered_anywhere_is_nothing() {
        let encoded = encode("a/b", &entry(b"contents", (1, 2), Some(3))).unwrap();
        for end in 0..encoded.len() {
            assert_eq!(decode(&encoded[..end]), None, "{end}");
        }
        for at in 0..encoded.len() {
            for bit in 0..8 {
                let mut altered = encoded.clone();
                altered[at] ^= 1 << bit;
                assert_eq!(decode(&altered), None, "{at}");
            }
        }
    }
}
