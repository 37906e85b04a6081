//! `atls policy measure`. The known answers were computed by other programs over the same bytes: those of SEV-SNP by sev-snp-measure 0.0.13, which
//! also agrees on its own published image; those of TDX and Nitro by scripts after the specifications.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod policies;
#[path = "../support/mod.rs"]
mod support;

use support::World;

#[test]
fn the_launch_digest_is_what_others_compute() {
    let world = World::new();
    world.write("ovmf", ovmf());
    world.write("kernel", "kernel".repeat(1000));
    world.write("initrd", "initrd".repeat(1000));
    let boots = [
        "--kernel",
        "kernel",
        "--initrd",
        "initrd",
        "--cmdline",
        "console=ttyS0",
    ];
    let cases: [(&[&str], &str); 5] = [
        (
            &["--vcpus", "4", "--cpu", "EPYC-Genoa"],
            "01b6c2ee041acfc9e4f831c2376aa5236f1c2a3bfc2b442f1db94fbbf95b0e056747d80f573d601c9fd14f606cc1fd8a",
        ),
        (
            &["--vcpus", "4", "--cpu", "0xa10f10"],
            "01b6c2ee041acfc9e4f831c2376aa5236f1c2a3bfc2b442f1db94fbbf95b0e056747d80f573d601c9fd14f606cc1fd8a",
        ),
        (
            &[
                "--vcpus",
                "1",
                "--cpu",
                "EPYC-Milan",
                "--guest-features",
                "0x21",
            ],
            "ca5e410781a270b1490b2f491829e4fa80c4172778b283869f829c4500b830ab14ed99bc922c3799bd8f3415f9563f20",
        ),
        (
            &["--vcpus", "2", "--vmm", "ec2"],
            "a181e9a31e6137cea9f89aeb7a24358e6ece28ea35159d0662bc08792b78d411b6f97d9fe6a96b236cc6f8ab929e6634",
        ),
        (
            &["--vcpus", "2", "--vmm", "gce"],
            "fc9d73edc17c7a1ed17cc03c8210ca66d2783b6932a96a8c3f9e4d85e821b757aefd9f3c45873433d300cb1b99d32dff",
        ),
    ];
    for (index, (more, expected)) in cases.into_iter().enumerate() {
        let with_kernel: &[&str] = if index < 2 { &boots } else { &[] };
        let ran = measure(
            &world,
            &[&["snp", "--ovmf", "ovmf"], with_kernel, more].concat(),
        );
        assert_eq!(ran["values"]["measurement"], expected, "{more:?}");
        let last = ran["steps"].as_array().unwrap().last().unwrap();
        assert_eq!(last["digest"], expected);
    }
}

#[test]
fn every_part_of_a_direct_boot_is_measured() {
    let world = World::new();
    world.write("ovmf", ovmf());
    world.write("a", "a");
    world.write("b", "b");
    let digest = |kernel: &str, initrd: &str, cmdline: &str, vcpus: &str| {
        let boots = ["--kernel", kernel, "--initrd", initrd, "--cmdline", cmdline];
        let guest = ["snp", "--ovmf", "ovmf", "--vcpus", vcpus, "--cpu", "EPYC"];
        measure(&world, &[&guest[..], &boots].concat())["values"]["measurement"].clone()
    };
    let one = digest("a", "a", "x", "1");
    for other in [
        digest("b", "a", "x", "1"),
        digest("a", "b", "x", "1"),
        digest("a", "a", "y", "1"),
        digest("a", "a", "x", "2"),
    ] {
        assert_ne!(one, other);
    }
}

#[test]
fn mrtd_is_what_others_compute() {
    let world = World::new();
    world.write("ovmf", ovmf());
    for (more, expected) in [
        (
            &[][..],
            "622cde8615bfa8845e4d17a92ae06111997a1c8e4675ee91d56c9ec08b86001c9cc1b192b3a37d45c6698c8cda463195",
        ),
        (
            &["--add-pages-first"],
            "95801a9227df48b9e33be6ac5c1f3c1794e4d281d0fafa23baa9851b7f65a7ce6483f3cc9a951b232ff004f194dd0f70",
        ),
    ] {
        let ran = measure(&world, &[&["tdx", "--ovmf", "ovmf"], more].concat());
        assert_eq!(ran["values"]["mrtd"], expected);
    }
}

#[test]
fn the_registers_of_an_enclave_are_what_others_compute() {
    let world = World::new();
    world.write("image.eif", eif());
    let ran = measure(&world, &["nitro", "image.eif"]);
    for (register, expected) in [
        (
            "pcr0",
            "87ed48a5cdd00c6494a260f3ddb32ebe367c93f38fb882e60188be9ad2d9b5ee7a3386c0d60a78eea5205582dd0a2140",
        ),
        (
            "pcr1",
            "e8503074cf2ff6ff49564955ee3ec8e6a86a18be02a9418c6d395d39d3cd1ee6f6227abad664386228451170ffea5102",
        ),
        (
            "pcr2",
            "0851f790e09ddcf2269c899fe5673ec1117b8223cebdd3dc3a489118ec9a07654f2921cd9ea72fdde86dcc1d5897905c",
        ),
    ] {
        assert_eq!(ran["values"][register], expected, "{register}");
    }
}

#[test]
fn images_that_are_cut_or_broken_are_refused_and_never_end_the_program() {
    let world = World::new();
    let (image, enclave) = (ovmf(), eif());
    let snp = ["snp", "--ovmf", "image", "--vcpus", "2", "--cpu", "EPYC"];
    for length in [0, 1, 4096, 8192, 12288] {
        world.write(
            "image",
            &image[image.len() - length..image.len() - length / 2],
        );
        refuses(&world, &snp);
        refuses(&world, &["tdx", "--ovmf", "image"]);
    }
    // Every byte of the tables, and of the two descriptors.
    let tables =
        (image.len() - 200..image.len() - 32).chain(image.len() - 0x400..image.len() - 0x3f0);
    for place in tables.step_by(3) {
        let mut broken = image.clone();
        broken[place] ^= 0xff;
        world.write("image", &broken);
        for command in [&snp[..], &["tdx", "--ovmf", "image"]] {
            let words = [&["policy", "measure"], command].concat();
            assert!([0, 1].contains(&world.atls(&words).code()), "{place}");
        }
    }
    for length in [0, 3, 547, 548, 559, 700, enclave.len() - 1] {
        world.write("image", &enclave[..length]);
        refuses(&world, &["nitro", "image"]);
    }
    let mut endless = enclave.clone();
    endless[552..560].fill(0xff);
    world.write("image", &endless);
    refuses(&world, &["nitro", "image"]);
}

#[test]
fn firmware_that_would_have_gibibytes_hashed_is_refused() {
    let world = World::new();
    let mut image = ovmf();
    let end = image.len();
    for section in 0..6 {
        let length = end - 0x400 + 16 + section * 12 + 4;
        put(&mut image, length, &numbers(&[0x1000_0000]));
    }
    // Those that are added, and not measured.
    for section in [2, 3] {
        let length = end - 0x200 + 16 + section * 32 + 16;
        put(&mut image, length, &numbers(&[0x3000_0000]));
    }
    world.write("image", image);
    let snp = ["snp", "--ovmf", "image", "--vcpus", "1", "--cpu", "EPYC"];
    refuses(&world, &snp);
    refuses(&world, &["tdx", "--ovmf", "image"]);
}

#[test]
fn a_firmware_that_checks_no_kernel_takes_none() {
    let world = World::new();
    let mut image = ovmf();
    let place = image.len() - 0x400 + 16 + 4 * 12 + 8;
    assert_eq!(image[place], 0x10);
    image[place] = 1;
    world.write("image", image);
    world.write("kernel", "x");
    let snp = [
        "policy", "measure", "snp", "--ovmf", "image", "--vcpus", "1", "--cpu", "EPYC",
    ];
    world.atls(&snp).ends_with(0);
    let ran = world
        .atls(&[&snp[..], &["--kernel", "kernel"]].concat())
        .ends_with(1);
    assert!(ran.error().contains("checks no hash"), "{}", ran.error());
}

fn measure(world: &World, words: &[&str]) -> serde_json::Value {
    let words = [&["policy", "measure"], words, &["--json"]].concat();
    world.atls(&words).ends_with(0).json()
}

fn refuses(world: &World, words: &[&str]) {
    let words = [&["policy", "measure"], words].concat();
    world.atls(&words).ends_with(1);
}

/// An image of 16 KiB with the tables of OVMF, and nothing that could run.
fn ovmf() -> Vec<u8> {
    let mut image: Vec<u8> = (0..16384_usize).map(|i| (i * 7 + i / 256) as u8).collect();
    let end = image.len();
    let snp: [[u32; 3]; 6] = [
        [0x80_0000, 0x9000, 1],
        [0x80_d000, 0x1000, 2],
        [0x80_e000, 0x1000, 3],
        [0x80_f000, 0x1000, 4],
        [0x81_0000, 0x1000, 0x10],
        [0x81_1000, 0xf000, 1],
    ];
    let sections = snp.as_flattened();
    let head = [16 + 12 * 6, 1, 6];
    put(
        &mut image,
        end - 0x400,
        &[b"ASEV", &numbers(&head)[..], &numbers(sections)].concat(),
    );
    // Offset, length in the image, address, length (64 bits each), kind, attributes.
    let tdx: [[u32; 8]; 5] = [
        [0x1000, 0x3000, 0xffff_d000, 0, 0x3000, 0, 0, 1],
        [0, 0x1000, 0xffff_c000, 0, 0x1000, 0, 1, 0],
        [0, 0, 0x81_0000, 0, 0x2000, 0, 3, 0],
        [0, 0, 0x80_9000, 0, 0x2000, 0, 2, 0],
        [0, 0, 0x10_0000, 0, 0x4000, 0, 4, 2],
    ];
    let head = [16 + 32 * 5, 1, 5];
    put(
        &mut image,
        end - 0x200,
        &[b"TDVF", &numbers(&head)[..], &numbers(tdx.as_flattened())].concat(),
    );
    let entries = [
        entry(&numbers(&[0x400]), "dc886566984a4798a75e5585a7bf67cc"),
        entry(
            &numbers(&[0x81_0c00, 0x400]),
            "7255371f3a3b4b04927b1da6efa8d454",
        ),
        entry(&numbers(&[0x80_b004]), "00f771de1a7e4fcb890e68c77e2fb44e"),
        entry(&numbers(&[0x200]), "e47a6535984a4798865e4685a7bf8ec2"),
    ]
    .concat();
    let table = entry(&entries, "96b582de1fb245f7baeaa366c55a082d");
    put(&mut image, end - 32 - table.len(), &table);
    image
}

fn entry(content: &[u8], guid: &str) -> Vec<u8> {
    let guid = u128::from_str_radix(guid, 16).unwrap().to_be_bytes();
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let guid = order.map(|place: usize| guid[place]);
    let length = u16::try_from(content.len() + 18).unwrap().to_le_bytes();
    [content, &length, &guid].concat()
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}

fn put(image: &mut [u8], place: usize, bytes: &[u8]) {
    image[place..place + bytes.len()].copy_from_slice(bytes);
}

/// An enclave image file of five sections.
fn eif() -> Vec<u8> {
    let mut file = b".eif".to_vec();
    file.resize(548, 0);
    for (kind, content) in [
        (1_u16, "kernel".repeat(1000)),
        (2, "console=ttyS0".to_owned()),
        (5, "{}".to_owned()),
        (3, "bootstrap".repeat(500)),
        (3, "application".repeat(700)),
    ] {
        let length = u64::try_from(content.len()).unwrap();
        file.extend(
            [
                &kind.to_be_bytes()[..],
                &[0, 0],
                &length.to_be_bytes(),
                content.as_bytes(),
            ]
            .concat(),
        );
    }
    file
}
