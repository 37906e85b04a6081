//! Any bytes as firmware and as an enclave image, as `atls policy measure` reads them. What follows the last section of an enclave image is part
//! of it or makes it none; no byte of firmware changes without the launch digest of SEV-SNP.
#![no_main]
#![allow(dead_code, reason = "the command uses more of it")]

use std::env::temp_dir;
use std::fs;
use std::path::Path;
use std::process;

use measure::Measured;

#[path = "../../atls-cli/src/failure.rs"]
mod failure;

#[path = "../../atls-cli/src/source.rs"]
mod source;

#[path = "../../atls-cli/src/measure"]
mod measure {
    mod built;
    mod digest;
    mod eif;
    mod kernel_hashes;
    mod ovmf;
    mod snp;
    mod tdx;
    mod vmsa;

    use std::fmt::Display;
    use std::path::Path;

    use built::Built;
    use clap::Parser;

    use crate::failure::Failure;

    #[derive(Parser)]
    enum Platform {
        Nitro(eif::NitroOptions),
        Snp(snp::SnpOptions),
        Tdx(tdx::TdxOptions),
    }

    /// As `measure/mod.rs` has it.
    pub(crate) struct Measured {
        pub(crate) values: Vec<(&'static str, String)>,
        table: &'static str,
        built: Built,
        steps: Vec<(String, String)>,
        steps_are: &'static str,
    }

    pub(crate) fn run(words: &[&str]) -> Option<Measured> {
        let words = [&["measure"][..], words].concat();
        let measured = match Platform::try_parse_from(words).expect("good arguments") {
            Platform::Nitro(image) => eif::measure(&image),
            Platform::Snp(image) => snp::measure(&image),
            Platform::Tdx(image) => tdx::measure(&image),
        };
        measured.ok()
    }

    fn wrong(path: &Path, what: impl Display) -> Failure {
        Failure::usage(format!("{}: {what}", path.display()))
    }
}

// An image may ask for as much memory as guests have, whose measurement takes its time: libFuzzer's limits are those of this target.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((form, image)) = bytes.split_first() else {
        return;
    };
    let path = temp_dir().join(format!("atls-image-{}", process::id()));
    match *form {
        0..4 => firmware(*form, image, &path),
        _ => enclave(image, &path),
    }
});

fn firmware(form: u8, image: &[u8], path: &Path) {
    // Tables stand at the end, and pages are whole.
    let filling = image.len().next_multiple_of(PAGE) - image.len();
    let mut image = [vec![0; filling], image.to_vec()].concat();
    let file = path.to_str().expect("a path of text");
    let direct = [
        "--kernel",
        file,
        "--initrd",
        file,
        "--cmdline",
        "console=ttyS0",
    ];
    let snp = ["snp", "--ovmf", file, "--vcpus", "2", "--cpu", "EPYC"];
    let tdx = ["tdx", "--ovmf", file];
    let words = match form {
        0 => snp.to_vec(),
        1 => [&snp[..], &direct].concat(),
        2 => tdx.to_vec(),
        _ => [&tdx[..], &["--add-pages-first"]].concat(),
    };
    let Some(measured) = measure(&image, path, &words) else {
        return;
    };
    // Its first byte, which is of no table.
    image[0] ^= 1;
    if let (0, Some(other)) = (form, measure(&image, path, &words)) {
        assert_ne!(measured.values, other.values);
    }
}

fn enclave(image: &[u8], path: &Path) {
    let words = ["nitro", path.to_str().expect("a path of text")];
    if measure(image, path, &words).is_some() {
        let longer = [image, &[0]].concat();
        assert!(
            measure(&longer, path, &words).is_none(),
            "something follows"
        );
    }
}

fn measure(image: &[u8], path: &Path, words: &[&str]) -> Option<Measured> {
    fs::write(path, image).expect("a file");
    let measured = measure::run(words)?;
    for (_, value) in &measured.values {
        assert!(value.len() == 96 && value.bytes().all(|digit| digit.is_ascii_hexdigit()));
    }
    Some(measured)
}

const PAGE: usize = 4096;
