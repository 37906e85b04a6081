//! Collateral in a directory, one file a piece.
//!
//! ```text
//! struct {
//!     opaque magic[16];           // "atls-collateral\x01"
//!     uint64 checksum;            // FNV-1a of all that follows
//!     uint16 key_length;
//!     opaque key[key_length];
//!     uint64 fetched_at;          // seconds since the epoch
//!     uint64 fresh_until;
//!     uint8  has_sequence;        // 0 or 1
//!     uint64 sequence;
//!     opaque bytes[];             // to the end of the file
//! } File;                         // all numbers big-endian
//! ```
//!
//! The checksum is against torn and rotten files. Against somebody who can write here there is nothing: the contents
//! are signed by their makers, and whoever uses them verifies them and their dates.

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
use std::time::Duration;

use atls_core::pki_types::UnixTime;

use crate::Fetched;
use crate::entry::Entry;
use crate::entry::Origin;
use crate::limits::CacheLimits;
use crate::limits::MAX_KEY;

/// A directory of this cache's own; others may use it at the same time.
#[derive(Debug)]
pub(crate) struct Disk {
    directory: PathBuf,
}

impl Disk {
    /// Makes the directory where it is absent, for this user alone.
    pub(crate) fn open(directory: PathBuf) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&directory)?;
        Ok(Self { directory })
    }

    /// What is there under this key, expired or not. A file that is absent, too large or damaged is nothing.
    pub(crate) fn load(&self, key: &str, limits: &CacheLimits) -> Option<Entry> {
        let (known, entry) = read(&self.path(key), limits.max_octets)?;
        (known == key).then_some(entry)
    }

    /// Puts it in place of what was there, in one step.
    pub(crate) fn store(&self, key: &str, entry: &Entry) -> io::Result<()> {
        let encoded = encode(key, entry).ok_or(ErrorKind::InvalidInput)?;
        let path = self.path(key);
        // One name a key, so that what a crash leaves behind is overwritten and does not add up.
        let temporary = self.named(key, "tmp");
        let written = create_new(&temporary).and_then(|mut file| file.write_all(&encoded));
        let renamed = written.and_then(|()| fs::rename(&temporary, &path));
        if renamed.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        renamed
    }

    pub(crate) fn remove(&self, key: &str) {
        let _ = fs::remove_file(self.path(key));
    }

    /// Removes what nobody can use any more, and what is too much, first what expires first. A number of issue outlives its
    /// contents, for as long as there is room.
    pub(crate) fn prune(&self, limits: &CacheLimits, grace: Duration, now: UnixTime) {
        let Ok(files) = fs::read_dir(&self.directory) else {
            return;
        };
        let mut kept = Vec::new();
        for file in files.flatten() {
            let path = file.path();
            if path.extension().is_none_or(|extension| extension != SUFFIX) {
                continue;
            }
            let Some((_, entry)) = read(&path, limits.max_octets) else {
                let _ = fs::remove_file(path);
                continue;
            };
            let end = entry.fetched.fresh_until.as_secs();
            let usable = now.as_secs() < end.saturating_add(grace.as_secs());
            if usable || entry.fetched.sequence.is_some() {
                kept.push((end, path));
            } else {
                let _ = fs::remove_file(path);
            }
        }
        kept.sort();
        let excess = kept.len().saturating_sub(limits.max_files);
        for (_, path) in kept.into_iter().take(excess) {
            let _ = fs::remove_file(path);
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.named(key, SUFFIX)
    }

    /// Keys have no `.`, and nothing is named `.` or `..`, so no two of them share a file and none leaves the directory.
    fn named(&self, key: &str, suffix: &str) -> PathBuf {
        self.directory
            .join(format!("{}.{suffix}", key.replace('/', ".")))
    }
}

/// A new file for this user alone, never one that somebody else put or linked there.
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

fn read(path: &Path, max_octets: usize) -> Option<(String, Entry)> {
    let limit = max_octets.checked_add(MAX_HEADER)?;
    let limit = u64::try_from(limit).ok()?;
    let mut octets = Vec::new();
    let file = File::open(path).ok()?;
    file.take(limit.saturating_add(1))
        .read_to_end(&mut octets)
        .ok()?;
    let (key, entry) = decode(&octets)?;
    (entry.fetched.bytes.len() <= max_octets).then_some((key, entry))
}

fn encode(key: &str, entry: &Entry) -> Option<Vec<u8>> {
    let mut checked = Vec::new();
    checked.extend(u16::try_from(key.len()).ok()?.to_be_bytes());
    checked.extend(key.as_bytes());
    checked.extend(entry.fetched_at.as_secs().to_be_bytes());
    checked.extend(entry.fetched.fresh_until.as_secs().to_be_bytes());
    checked.push(u8::from(entry.fetched.sequence.is_some()));
    checked.extend(entry.fetched.sequence.unwrap_or(0).to_be_bytes());
    checked.extend_from_slice(&entry.fetched.bytes);
    let mut out = Vec::from(MAGIC);
    out.extend(fnv1a(&checked).to_be_bytes());
    out.append(&mut checked);
    Some(out)
}

fn decode(octets: &[u8]) -> Option<(String, Entry)> {
    let rest = octets.strip_prefix(&MAGIC)?;
    let (checksum, rest) = rest.split_first_chunk()?;
    if u64::from_be_bytes(*checksum) != fnv1a(rest) {
        return None;
    }
    let (length, rest) = rest.split_first_chunk()?;
    let (key, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (fetched_at, rest) = rest.split_first_chunk()?;
    let (fresh_until, rest) = rest.split_first_chunk()?;
    let (has_sequence, rest) = rest.split_first()?;
    let (sequence, bytes) = rest.split_first_chunk()?;
    let time = |octets: &[u8; 8]| {
        UnixTime::since_unix_epoch(Duration::from_secs(u64::from_be_bytes(*octets)))
    };
    let mut fetched = Fetched::new(bytes, time(fresh_until));
    if *has_sequence == 1 {
        fetched = fetched.with_sequence(u64::from_be_bytes(*sequence));
    }
    let entry = Entry {
        fetched,
        fetched_at: time(fetched_at),
        origin: Origin::Disk,
    };
    Some((String::from_utf8(key.to_vec()).ok()?, entry))
}

/// FNV-1a, 64 bits.
fn fnv1a(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |hash, octet| {
        (hash ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

const MAGIC: [u8; 16] = *b"atls-collateral\x01";

/// Octets before the contents, with the longest key.
const MAX_HEADER: usize = 16 + 8 + 2 + MAX_KEY + 8 + 8 + 1 + 8;

const SUFFIX: &str = "collateral";

#[cfg(test)]
mod tests {
    use proptest::prelude::any;
    use proptest::prop_assert_eq;
    use proptest::proptest;

    use super::*;

    fn entry(bytes: &[u8], times: (u64, u64), sequence: Option<u64>) -> Entry {
        let time = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let mut fetched = Fetched::new(bytes, time(times.1));
        fetched.sequence = sequence;
        Entry {
            fetched,
            fetched_at: time(times.0),
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
            let entry = entry(&bytes, times, sequence);
            let encoded = encode(&key, &entry).unwrap();
            prop_assert_eq!(decode(&encoded), Some((key, entry)));
        }

        #[test]
        fn arbitrary_octets_are_nothing(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(decode(&octets), None);
            let mut headed = Vec::from(MAGIC);
            headed.extend(fnv1a(&octets).to_be_bytes());
            headed.extend(&octets);
            // With a checksum that fits it is something, or nothing, and never a panic.
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
