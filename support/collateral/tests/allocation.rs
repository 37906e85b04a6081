//! A file in the directory costs at most the memory of the largest piece, whatever its contents.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::fs;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::allocated_by;
use atls_collateral::Cache;
use atls_collateral::CacheLimits;
use support::HOUR;
use support::Maker;
use support::NOW;
use support::folder;
use support::now;
use support::piece;
use test_support::at;

#[test]
fn allocations_are_bounded_whatever_lies_there() {
    let folder = folder("allocation");
    let cache = opened(&folder);
    now(cache.get("a", at(NOW))).unwrap();
    let file = only_file(&folder);
    let good = fs::read(&file).unwrap();
    files_that_are_read(&folder, &file, &good);
    files_that_are_tidied(&folder, &file, &good);
    files_that_are_many(&folder, &good);
}

fn files_that_are_read(folder: &Path, file: &Path, good: &[u8]) {
    let mut findings = Findings::new();
    let mut inputs = vec![
        Hostile::new("zeros", vec![0; 200_000]),
        Hostile::new("much behind it", [good, &[0; 200_000]].concat()),
    ];
    // The length of the key is 2 bytes behind the checksum.
    for length in [[0xff, 0xff], [0, 201], [0, 0]] {
        let mut claims = good.to_vec();
        claims[24..26].copy_from_slice(&length);
        claims.resize(200_000, 0x61);
        inputs.push(Hostile::new(&format!("a key of {length:?}"), claims));
    }
    let read = |bytes: &[u8]| {
        fs::write(file, bytes).unwrap();
        let cache = opened(folder);
        now(cache.get("a", at(NOW))).map(drop)
    };
    // Buffers that grow by doubling.
    let bound = Bound {
        per_byte: 0,
        constant: 20 * LARGEST,
    };
    findings.check("file", bound, &inputs, read);
    findings.assert_none();

    File::create(file).unwrap().set_len(1 << 30).unwrap();
    let cost = allocated_by(|| {
        let cache = opened(folder);
        now(cache.get("a", at(NOW))).map(drop)
    });
    assert!(cost < bound.constant, "{cost} for a sparse file of 1 GiB");
}

/// Tidying reads the beginnings of all files.
fn files_that_are_tidied(folder: &Path, file: &Path, good: &[u8]) {
    let cost = |bytes: &[u8]| {
        fs::write(file, bytes).unwrap();
        let cache = opened(folder);
        allocated_by(|| now(cache.refresh(at(NOW))))
    };
    cost(good);
    let small = cost(good);
    let large = cost(&[good, &[0; 200_000]].concat());
    assert!(
        large < small + 4 * 1024,
        "{large}, and {small} for a small one"
    );
}

/// The cache keeps their names until it knows the excess.
fn files_that_are_many(folder: &Path, good: &[u8]) {
    const MANY: usize = 2_000;
    for number in 0..MANY {
        fs::write(folder.join(format!("{number}.collateral")), good).unwrap();
    }
    let cache = opened(folder);
    let cost = allocated_by(|| now(cache.refresh(at(NOW))));
    assert!(cost < MANY * 4 * 1024, "{cost} for {MANY} files");
}

/// Pieces of 16 KiB, and a maker that always gives one.
fn opened(folder: &Path) -> Cache<Maker> {
    let maker = Maker::default();
    maker.prepare("a", Ok(piece("one", NOW + HOUR)));
    let mut limits = CacheLimits::default();
    limits.max_bytes = LARGEST;
    let cache = Cache::builder(maker).directory(folder).limits(limits);
    cache.build().unwrap()
}

fn only_file(folder: &Path) -> PathBuf {
    let mut files = fs::read_dir(folder).unwrap();
    let only = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    only
}

const LARGEST: usize = 16 * 1024;
