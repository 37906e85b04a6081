//! The measurement list of Linux IMA, which leads to register 10.
//!
//! `security/integrity/ima` of Linux, in the forms of `/sys/kernel/security/ima/binary_runtime_measurements` (little-endian) and
//! `ascii_runtime_measurements`:
//!
//! ```text
//! binary  = register(4) ‖ SHA-1(20) ‖ length(4) ‖ template ‖ length(4) ‖ *[ length(4) ‖ field ]
//! ascii   = register SP SHA-1 SP template SP algorithm ":" digest SP path [ SP signature ] LF
//! value'  = Hash(value ‖ Hash(*[ length(4) ‖ field ])), and Hash(value ‖ ones) for a violation
//! ```
//!
//! The SHA-1 in the list is not looked at, except that a violation has zeros there. The extended value is computed from the fields.
//! A path is bytes of any kind, chosen by whoever names a file. The kernel writes `_` for a space in the ASCII form, and a line feed as
//! it is: a file with one in its name makes that form malformed. The binary form has no such weakness.
//!
//! Kernels before 5.8 extended the SHA-1 filled up with zeros into every bank; their lists explain nothing here.

use super::algorithm::HashAlgorithm;
use super::error::TpmFormatError;
use super::event::Replay;
use super::hexadecimal;
use super::wire::Reader;

/// A list: the peer's word, until a replay leads to the value of a register.
#[derive(Clone, Debug)]
pub struct ImaLog {
    entries: Vec<ImaEntry>,
}

/// One measurement. A replay confirms every field of it, but of a violation the register alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImaEntry {
    /// The register, usually 10.
    pub pcr: u8,
    /// The digest of the file; `None` of a violation, whose digest says nothing.
    pub digest: Option<Vec<u8>>,
    /// The name of the digest's algorithm, such as `sha256`.
    pub algorithm: String,
    /// The path under which the file was measured, as the kernel wrote it: bytes of any kind, without a zero.
    pub path: Vec<u8>,
    /// The bytes that were hashed.
    template_data: Vec<u8>,
}

impl ImaLog {
    /// Reads a list of either form, whole.
    ///
    /// # Errors
    /// [`TpmFormatError::ImaLog`] where it is malformed, or of another template than `ima-ng`, `ima-sig`, `ima-buf` and `ima-modsig`.
    pub fn decode(list: &[u8]) -> Result<Self, TpmFormatError> {
        // The three high bytes of a register in the binary form are zero; an ASCII form has a space within them.
        let entries = match list.get(1) {
            Some(0) => Reader::whole(list, read_binary),
            _ => read_ascii(list),
        };
        let entries = entries.ok_or(TpmFormatError::ImaLog)?;
        Ok(Self { entries })
    }

    /// All measurements. **Nothing confirms them.**
    pub fn claimed_entries(&self) -> &[ImaEntry] {
        &self.entries
    }

    /// The measurements in a register that lead to this value, of which there is at least one; `None` where they never do.
    ///
    /// The list grows while a quote is made. Measurements behind that value are left out: nothing confirms them.
    pub fn replay(&self, bank: HashAlgorithm, pcr: u8, value: &[u8]) -> Option<Vec<&ImaEntry>> {
        let mut replay = Replay::of(bank, pcr);
        let mut confirmed = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.pcr == pcr) {
            replay.extend(&entry.extended(bank));
            confirmed.push(entry);
            if replay.value() == value {
                return Some(confirmed);
            }
        }
        None
    }
}

impl ImaEntry {
    fn extended(&self, bank: HashAlgorithm) -> Vec<u8> {
        match self.digest {
            Some(_) => bank.digest(&[&self.template_data]),
            None => vec![0xff; bank.size()],
        }
    }

    /// From what was hashed: a digest, a path, and perhaps a signature or a buffer.
    fn of(pcr: u8, sha1: &[u8], template_data: &[u8]) -> Option<Self> {
        let mut fields = Reader::of(template_data);
        let (algorithm, digest) = read_digest(fields.sized_le()?)?;
        let path = fields.sized_le()?.strip_suffix(&[0])?;
        while !fields.rest.is_empty() {
            fields.sized_le()?;
        }
        let is_violation = sha1.iter().all(|byte| *byte == 0);
        Some(Self {
            pcr,
            digest: (!is_violation).then(|| digest.to_vec()),
            algorithm: algorithm.to_owned(),
            path: path.to_vec(),
            template_data: template_data.to_vec(),
        })
    }
}

fn read_binary(reader: &mut Reader<'_>) -> Option<Vec<ImaEntry>> {
    let mut entries = Vec::new();
    while !reader.rest.is_empty() {
        let pcr = reader.u32_le()?;
        let sha1 = reader.take(SHA1)?;
        let template = std::str::from_utf8(reader.sized_le()?).ok()?;
        let template_data = reader.sized_le()?;
        if !TEMPLATES.contains(&template) {
            return None;
        }
        entries.push(ImaEntry::of(register(pcr)?, sha1, template_data)?);
    }
    Some(entries)
}

fn read_ascii(list: &[u8]) -> Option<Vec<ImaEntry>> {
    let lines = list.split_inclusive(|byte| *byte == b'\n');
    lines.map(read_line).collect()
}

fn read_line(line: &[u8]) -> Option<ImaEntry> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let mut words = line.split(|byte| *byte == b' ');
    let pcr = text(words.next()?)?.parse().ok()?;
    let sha1 = hexadecimal(words.next()?).filter(|sha1| sha1.len() == SHA1)?;
    let template = text(words.next()?)?;
    let (algorithm, digest) = text(words.next()?)?.rsplit_once(':')?;
    let digest = hexadecimal(digest.as_bytes())?;
    let digest = [algorithm.as_bytes(), b":\0", &digest].concat();
    let path = [words.next()?, &[0]].concat();
    let mut template_data = Vec::new();
    put_sized(&mut template_data, &digest)?;
    put_sized(&mut template_data, &path)?;
    if template != NO_THIRD_FIELD {
        let third = words.next().unwrap_or_default();
        put_sized(&mut template_data, &hexadecimal(third)?)?;
    }
    let has_rest = words.any(|word| !word.is_empty());
    if has_rest || !ASCII_TEMPLATES.contains(&template) {
        return None;
    }
    ImaEntry::of(register(pcr)?, &sha1, &template_data)
}

/// `algorithm ":" zero ‖ digest`
fn read_digest(field: &[u8]) -> Option<(&str, &[u8])> {
    let end = field.iter().position(|byte| *byte == 0)?;
    let (name, digest) = field.split_at_checked(end)?;
    let name = std::str::from_utf8(name).ok()?.strip_suffix(':')?;
    Some((name, digest.strip_prefix(&[0])?))
}

fn register(pcr: u32) -> Option<u8> {
    u8::try_from(pcr).ok().filter(|pcr| *pcr < 24)
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    out.extend(u32::try_from(bytes.len()).ok()?.to_le_bytes());
    out.extend_from_slice(bytes);
    Some(())
}

/// Bytes of the digest that the list itself has.
const SHA1: usize = 20;

const NO_THIRD_FIELD: &str = "ima-ng";

/// Those whose ASCII form can be turned back into what was hashed.
const ASCII_TEMPLATES: [&str; 3] = [NO_THIRD_FIELD, "ima-sig", "ima-buf"];

/// Those that begin with a digest and a path.
const TEMPLATES: [&str; 4] = [NO_THIRD_FIELD, "ima-sig", "ima-buf", "ima-modsig"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BANK: HashAlgorithm = HashAlgorithm::Sha256;

    fn fields(fields: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        for field in fields {
            put_sized(&mut out, field).unwrap();
        }
        out
    }

    fn entry(path: &str, digest: u8) -> Vec<u8> {
        let digest = [&b"sha256:\0"[..], &[digest; 32]].concat();
        fields(&[&digest, &[path.as_bytes(), &[0]].concat()])
    }

    fn binary(entries: &[(u8, Vec<u8>)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (sha1, data) in entries {
            out.extend([10, 0, 0, 0]);
            out.extend([*sha1; 20]);
            put_sized(&mut out, b"ima-ng").unwrap();
            put_sized(&mut out, data).unwrap();
        }
        out
    }

    fn value(extended: &[Vec<u8>]) -> Vec<u8> {
        let mut replay = Replay::of(BANK, 10);
        extended.iter().for_each(|digest| replay.extend(digest));
        replay.value().to_vec()
    }

    fn two() -> (Vec<u8>, Vec<u8>) {
        let entries = [entry("boot_aggregate", 1), entry("/usr/bin/init", 2)];
        let digests = entries.each_ref().map(|data| BANK.digest(&[data]));
        (binary(&entries.map(|data| (9, data))), value(&digests))
    }

    #[test]
    fn a_binary_list_is_replayed() {
        let (list, value) = two();
        let list = ImaLog::decode(&list).unwrap();
        let entries = list.replay(BANK, 10, &value).unwrap();
        let paths: Vec<_> = entries.iter().map(|entry| &entry.path[..]).collect();
        assert_eq!(paths, [&b"boot_aggregate"[..], b"/usr/bin/init"]);
        assert_eq!(entries[1].digest, Some(vec![2; 32]));
        assert_eq!(entries[1].algorithm, "sha256");
        assert_eq!(list.replay(BANK, 10, &[0; 32]), None);
        assert_eq!(list.replay(BANK, 11, &value), None);
        assert_eq!(list.replay(HashAlgorithm::Sha384, 10, &value), None);
    }

    #[test]
    fn an_ascii_list_is_replayed_to_the_same_value() {
        let (binary, value) = two();
        let line = |path: &str, digest: &str| {
            let (sha1, digest) = ("09".repeat(20), digest.repeat(32));
            format!("10 {sha1} ima-ng sha256:{digest} {path}\n")
        };
        let ascii = line("boot_aggregate", "01") + &line("/usr/bin/init", "02");
        let ascii = ImaLog::decode(ascii.as_bytes()).unwrap();
        let binary = ImaLog::decode(&binary).unwrap();
        let entries = ascii.replay(BANK, 10, &value).unwrap();
        assert_eq!(Some(entries), binary.replay(BANK, 10, &value));
    }

    #[test]
    fn a_path_is_bytes_of_any_kind() {
        let digest = [&b"sha256:\0"[..], &[1; 32]].concat();
        let data = fields(&[&digest, b"/tmp/\xff\xfe\0"]);
        let value = value(&[BANK.digest(&[&data])]);
        let (sha1, file) = ("09".repeat(20), "01".repeat(32));
        let line = format!("10 {sha1} ima-ng sha256:{file} /tmp/");
        let ascii = [line.as_bytes(), b"\xff\xfe\n"].concat();
        for list in [binary(&[(9, data)]), ascii] {
            let list = ImaLog::decode(&list).unwrap();
            let entries = list.replay(BANK, 10, &value).unwrap();
            assert_eq!(entries[0].path, b"/tmp/\xff\xfe");
        }
    }

    #[test]
    fn a_line_feed_in_a_path_is_read_in_the_binary_form_alone() {
        let digest = [&b"sha256:\0"[..], &[1; 32]].concat();
        let data = fields(&[&digest, b"/tmp/a\nb\0"]);
        let value = value(&[BANK.digest(&[&data])]);
        let list = ImaLog::decode(&binary(&[(9, data)])).unwrap();
        let entries = list.replay(BANK, 10, &value).unwrap();
        assert_eq!(entries[0].path, b"/tmp/a\nb");
        let (sha1, file) = ("09".repeat(20), "01".repeat(32));
        let ascii = format!("10 {sha1} ima-ng sha256:{file} /tmp/a\nb\n");
        assert!(ImaLog::decode(ascii.as_bytes()).is_err());
    }

    #[test]
    fn a_signature_in_an_ascii_list_is_hashed_with_it() {
        let digest = [&b"sha256:\0"[..], &[1; 32]].concat();
        for (text, signature) in [("", &[][..]), ("0302ff", &[3, 2, 0xff])] {
            let hashed = fields(&[&digest, b"/a\0", signature]);
            let (sha1, file) = ("09".repeat(20), "01".repeat(32));
            let line = format!("10 {sha1} ima-sig sha256:{file} /a {text}\n");
            let list = ImaLog::decode(line.as_bytes()).unwrap();
            let value = value(&[BANK.digest(&[&hashed])]);
            assert!(list.replay(BANK, 10, &value).is_some(), "{text}");
        }
    }

    #[test]
    fn a_violation_extends_ones_and_has_no_digest() {
        let list = binary(&[(0, entry("/etc/changed", 0))]);
        let list = ImaLog::decode(&list).unwrap();
        let entries = list.replay(BANK, 10, &value(&[vec![0xff; 32]])).unwrap();
        assert_eq!(entries[0].digest, None);
    }

    #[test]
    fn what_was_measured_after_the_quote_is_left_out() {
        let (mut list, value) = two();
        list.extend(binary(&[(9, entry("/tmp/later", 3))]));
        let list = ImaLog::decode(&list).unwrap();
        assert_eq!(list.replay(BANK, 10, &value).unwrap().len(), 2);
    }

    #[test]
    fn a_cut_list_is_refused_or_explains_nothing() {
        let (list, value) = two();
        for length in 0..list.len() {
            let cut = ImaLog::decode(&list[..length]);
            let explains = cut.is_ok_and(|cut| cut.replay(BANK, 10, &value).is_some());
            assert!(!explains, "{length}");
        }
    }

    #[test]
    fn a_flipped_bit_in_what_is_hashed_explains_nothing() {
        let (list, value) = two();
        for index in 0..list.len() {
            let mut other = list.clone();
            other[index] ^= 1;
            // The SHA-1 of each entry is not looked at.
            let Ok(read) = ImaLog::decode(&other) else {
                continue;
            };
            let replayed = read.replay(BANK, 10, &value);
            let genuine = ImaLog::decode(&list).unwrap();
            let same = replayed.is_none() || replayed == genuine.replay(BANK, 10, &value);
            assert!(same, "byte {index}");
        }
    }

    #[test]
    fn other_templates_and_forms_are_refused() {
        let sha1 = "09".repeat(20);
        for refused in [
            format!("10 {sha1} ima 0101 /a\n"),
            format!("10 {sha1} ima-ng sha256:01 \n/a"),
            format!("24 {sha1} ima-ng sha256:01 /a\n"),
            format!("10 {sha1} ima-ng sha256:0g /a\n"),
            format!("10 {sha1} ima-ng sha256:010 /a\n"),
            "10 09 ima-ng sha256:01 /a\n".to_owned(),
            format!("10 {sha1} ima-ng sha256:01 /a more\n"),
            format!("10 {sha1} ima-modsig sha256:01 /a 00\n"),
        ] {
            assert!(ImaLog::decode(refused.as_bytes()).is_err(), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = ImaLog::decode(&bytes);
            let _ = ImaLog::decode(&[&[10, 0, 0, 0][..], &bytes].concat());
        }

        #[test]
        fn arbitrary_lines_never_panic(line in "10 [0-9a-f]{40} ima-[a-z]{2,3} [ -~]{0,60}") {
            let _ = ImaLog::decode(line.as_bytes());
        }
    }
}
