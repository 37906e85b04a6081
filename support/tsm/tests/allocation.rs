//! An attribute costs at most the memory of the largest report, whatever the kernel or the host puts into it.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io;
use std::path::PathBuf;

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use atls_tsm::Attribute;
use atls_tsm::ConfigFs;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::TsmError;
use atls_tsm::TsmFs;
use atls_tsm::TsmRequest;

#[test]
fn allocations_are_bounded_whatever_is_read() {
    const MIB: usize = 1024 * 1024;
    let mut findings = Findings::new();
    let endless = [
        Hostile::new("1 MiB of zeros", vec![0; MIB]),
        Hostile::new("1 MiB of digits", vec![b'9'; MIB]),
        Hostile::new("10 MiB of lines", b"tdx_guest\n".repeat(MIB)),
    ];
    for (attribute, largest) in [
        (Attribute::OutBlob, 256 * 1024),
        (Attribute::AuxBlob, 256 * 1024),
        (Attribute::Generation, 128),
        (Attribute::Provider, 128),
    ] {
        // A buffer that grows by doubling, and paths.
        let bound = Bound {
            per_byte: 0,
            constant: 4 * largest + 4 * 1024,
        };
        findings.check(attribute.file_name(), bound, &endless, |contents| {
            let tsm = Tsm::over(Folder::with(attribute, contents));
            let refused = tsm.report(&TsmRequest::new(Provider::SevGuest, &[7; 64]));
            assert_eq!(refused, Err(TsmError::TooLarge(attribute)));
        });
    }
    findings.assert_none();
}

/// The file system as it is read in production, over files that the test wrote.
struct Folder {
    inner: ConfigFs,
}

impl Folder {
    /// One attribute has these contents, the others are as they should be.
    fn with(attribute: Attribute, contents: &[u8]) -> Self {
        let base = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tsm-allocation");
        let folder = base.join("entry");
        fs::create_dir_all(&folder).unwrap();
        let put = |attribute: Attribute, contents: &[u8]| {
            fs::write(folder.join(attribute.file_name()), contents).unwrap();
        };
        put(Attribute::InBlob, b"");
        put(Attribute::OutBlob, b"report");
        put(Attribute::AuxBlob, b"");
        put(Attribute::Generation, b"1\n");
        put(Attribute::Provider, b"sev_guest\n");
        put(attribute, contents);
        Self {
            inner: ConfigFs::at(base),
        }
    }
}

impl TsmFs for Folder {
    fn make(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, _: &str, attribute: Attribute, value: &[u8]) -> io::Result<()> {
        self.inner.write("entry", attribute, value)
    }

    fn read(&self, _: &str, attribute: Attribute, limit: usize) -> io::Result<Vec<u8>> {
        self.inner.read("entry", attribute, limit)
    }
}
