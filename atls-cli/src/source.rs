//! Reads files and the standard input, and not more of them than a limit.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;

use crate::failure::Failure;

/// Reads a whole file, or the standard input where the name is `-`.
///
/// # Errors
/// A usage failure where it cannot be read, or is larger than `at_most` bytes.
pub(crate) fn read(path: &Path, at_most: usize) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    let unreadable =
        |error: io::Error| Failure::usage(format!("{shown}: cannot be read")).because(&error);
    let bytes = if path == Path::new("-") {
        bounded(io::stdin().lock(), at_most)
    } else {
        File::open(path).and_then(|file| bounded(file, at_most))
    };
    let bytes = bytes.map_err(unreadable)?;
    if bytes.len() > at_most {
        return Err(Failure::usage(format!(
            "{shown}: it is larger than {at_most} bytes, the most that is read"
        )));
    }
    Ok(bytes)
}

/// Reads a file as text.
///
/// # Errors
/// As [`read`], and where it is not UTF-8.
pub(crate) fn read_text(path: &Path, at_most: usize) -> Result<String, Failure> {
    let bytes = read(path, at_most)?;
    String::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("{}: it is no text in UTF-8", path.display())))
}

/// Reads one byte more than the limit, where there is one.
fn bounded(source: impl Read, at_most: usize) -> io::Result<Vec<u8>> {
    let limit = u64::try_from(at_most).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    source
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Most bytes of a file with keys or certificates. The authorities of a whole system have some 300 KiB.
pub(crate) const MAX_KEYS: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_file_is_not_read_to_its_end() {
        let failure = read(Path::new("/dev/zero"), 1000).unwrap_err();
        assert!(failure.reason().contains("larger than 1000 bytes"));
    }
}
