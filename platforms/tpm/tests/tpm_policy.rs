//! The table of a policy: what it may leave out, and what it may not.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use atls_reference::ReferenceError;
use atls_reference::from_json;
use atls_reference::from_toml;
use atls_tpm::TpmPolicy;

#[test]
fn a_table_is_read_and_written() {
    let text = format!(
        "version = 1\n[tpm]\nsecure-boot = true\nmin-firmware = \"0007000200030000\"\n\
         [[tpm.image]]\nname = \"a\"\nbank = \"sha384\"\n[tpm.image.pcr]\n4 = \"{0}\"\n8 = \"{0}\"\n23 = \"{0}\"\n\
         [[tpm.image.event]]\nname = \"splash\"\npcr = 11\ndigest = \"{0}\"\noptional = true\n\
         [tpm.image.ima]\nallow = [\"{1}\"]\n",
        "ab".repeat(48),
        "cd".repeat(32),
    );
    let policy: TpmPolicy = from_toml(&text).unwrap();
    assert!(policy.secure_boot);
    assert_eq!(policy.min_firmware, Some([0, 7, 0, 2, 0, 3, 0, 0].into()));
    let image = &policy.images[0];
    let registers: Vec<_> = image.pcr.keys().map(|pcr| pcr.get()).collect();
    assert_eq!(registers, [4, 8, 23]);
    assert!(image.events[0].optional);
    assert_eq!(image.ima.as_ref().unwrap().allow.len(), 1);

    let written = serde_json::json!({ "version": 1, "tpm": policy });
    assert_eq!(
        from_json::<TpmPolicy>(&written.to_string()).unwrap(),
        policy
    );
}

/// TOML has no repeated keys. JSON has them, and the last one would count.
#[test]
fn a_register_that_is_named_twice_is_refused() {
    let text = |registers: &str| {
        format!(r#"{{"version":1,"tpm":{{"image":[{{"name":"a","pcr":{{{registers}}}}}]}}}}"#)
    };
    let once = format!(r#""4":"{VALUE}""#);
    assert!(from_json::<TpmPolicy>(&text(&once)).is_ok());
    let twice = format!(r#""4":"{}",{once}"#, "cd".repeat(32));
    let refused = from_json::<TpmPolicy>(&text(&twice)).unwrap_err();
    assert!(
        refused.to_string().contains("duplicate key `4`"),
        "{refused}"
    );
}

#[test]
fn unmeasured_registers_are_read_and_written_and_named_once() {
    let text = |unmeasured: &str| {
        format!(
            "version = 1\n[[tpm.image]]\nname = \"a\"\nunmeasured = {unmeasured}\n[tpm.image.pcr]\n4 = \"{VALUE}\"\n"
        )
    };
    let policy: TpmPolicy = from_toml(&text("[8, 12]")).unwrap();
    let named: Vec<_> = policy.images[0]
        .unmeasured
        .iter()
        .map(|pcr| pcr.get())
        .collect();
    assert_eq!(named, [8, 12]);
    let written = serde_json::json!({ "version": 1, "tpm": policy });
    let read = from_json::<TpmPolicy>(&written.to_string());
    assert_eq!(read.unwrap(), policy);
    for wrong in ["[4]", "[24]", "[-1]", "8"] {
        assert!(from_toml::<TpmPolicy>(&text(wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn counters_and_sections_are_read_and_written() {
    let text = format!(
        "version = 1\n[tpm]\nmax-restarts = 0\nsafe-clock = true\n[[tpm.image]]\nname = \"a\"\n[tpm.image.pcr]\n4 = \"{VALUE}\"\n\
         [tpm.image.systemd-stub]\nphases = [\"enter-initrd\"]\n\
         [[tpm.image.systemd-stub.section]]\nname = \".linux\"\ndigest = \"{VALUE}\"\n",
    );
    let policy: TpmPolicy = from_toml(&text).unwrap();
    assert_eq!(policy.max_restarts, Some(0));
    assert!(policy.safe_clock);
    let stub = policy.images[0].systemd_stub.as_ref().unwrap();
    assert_eq!(stub.sections[0].name, ".linux");
    assert_eq!(stub.phases, ["enter-initrd"]);
    let written = serde_json::json!({ "version": 1, "tpm": policy });
    let read = from_json::<TpmPolicy>(&written.to_string());
    assert_eq!(read.unwrap(), policy);
}

#[test]
fn sections_are_a_kernel_and_stand_for_their_register() {
    let section = |name: &str| {
        format!("[[tpm.image.systemd-stub.section]]\nname = \"{name}\"\ndigest = \"V\"")
    };
    let boot = "[tpm.image.pcr]\n4 = \"V\"";
    let stub = read(&format!("{boot}\n{}", section(".linux"))).unwrap();
    let phases = &stub.images[0].systemd_stub.as_ref().unwrap().phases;
    assert_eq!(phases.len(), 6, "systemd's");
    let ima = "[tpm.image.ima]\nallow = [\"V\"]";
    let files = format!("{boot}\n{}\n{ima}", section(".linux"));
    assert!(read(&files).is_ok(), "the command line is among them");

    let at = |field: &str| format!("image[0].systemd-stub{field}");
    let alone = section(".linux");
    assert_eq!(problem(&alone), ("image[0]".to_owned(), 2), "no boot code");
    for (name, field) in [
        (".initrd", ".section"),
        ("linux", ".section[0].name"),
        (".toolongs", ".section[0].name"),
        (".é", ".section[0].name"),
    ] {
        let image = format!("{boot}\n{}", section(name));
        assert_eq!(problem(&image).0, at(field), "{name}");
    }
    let image = format!("{boot}\n11 = \"V\"\n{}", section(".linux"));
    assert_eq!(problem(&image).0, at(""));
    let event = "[[tpm.image.event]]\nname = \"k\"\npcr = 11\ndigest = \"V\"";
    let image = format!("{boot}\n{event}\n{}", section(".linux"));
    assert_eq!(problem(&image).0, at(""));
    let long = section(".linux").replace("\"V\"", &format!("\"{}\"", "ab".repeat(48)));
    let image = format!("{boot}\n{long}");
    assert_eq!(problem(&image), (at(".section[0].digest"), 8));
}

#[test]
fn what_is_left_out_is_strict() {
    let policy = read("[tpm.image.pcr]\n4 = \"V\"").unwrap();
    assert_eq!(policy, TpmPolicy::new(policy.images.clone()));
    assert_eq!(policy.images[0].bank.to_string(), "sha256");
    let policy = read("[[tpm.image.event]]\nname = \"k\"\npcr = 4\ndigest = \"V\"").unwrap();
    assert!(!policy.images[0].events[0].optional);
}

#[test]
fn an_image_that_pins_nothing_is_refused() {
    for open in [
        "",
        "[tpm.image.pcr]\n",
        "[tpm.image.pcr]\n16 = \"V\"\n23 = \"V\"",
        "[[tpm.image.event]]\nname = \"k\"\npcr = 4\ndigest = \"V\"\noptional = true",
        "[[tpm.image.event]]\nname = \"k\"\npcr = 16\ndigest = \"V\"",
        "dangerous-any-boot-code = true\n[tpm.image.pcr]\n16 = \"V\"\n20 = \"V\"\n21 = \"V\"\n22 = \"V\"\n23 = \"V\"",
        "[tpm.image.ima]\nallow = [\"V\"]",
    ] {
        assert_eq!(problem(open), ("image[0]".to_owned(), 2), "{open}");
    }
    for enough in [
        "[tpm.image.pcr]\n4 = \"V\"",
        "[tpm.image.pcr]\n16 = \"V\"\n17 = \"V\"",
        "[[tpm.image.event]]\nname = \"k\"\npcr = 4\ndigest = \"V\"",
    ] {
        assert!(read(enough).is_ok(), "{enough}");
    }
}

#[test]
fn an_image_that_pins_no_boot_code_is_refused_unless_it_says_so() {
    for pcr in (0..24).filter(|pcr| ![4, 17, 18].contains(pcr)) {
        let by_value = format!("[tpm.image.pcr]\n{pcr} = \"V\"");
        let by_event = format!("[[tpm.image.event]]\nname = \"k\"\npcr = {pcr}\ndigest = \"V\"");
        for image in [by_value, by_event] {
            assert_eq!(problem(&image), ("image[0]".to_owned(), 2), "{image}");
        }
    }
    let optional = "[tpm.image.pcr]\n11 = \"V\"\n\
        [[tpm.image.event]]\nname = \"k\"\npcr = 4\ndigest = \"V\"\noptional = true";
    assert_eq!(problem(optional), ("image[0]".to_owned(), 2));
    let said = "dangerous-any-boot-code = true\n[tpm.image.pcr]\n11 = \"V\"";
    assert!(read(said).unwrap().images[0].dangerous_any_boot_code);
    for enough in ["4", "17", "18"] {
        let image = format!("[tpm.image.pcr]\n{enough} = \"V\"");
        assert!(!read(&image).unwrap().images[0].dangerous_any_boot_code);
    }
}

#[test]
fn files_are_allowed_where_boot_code_and_command_line_are_pinned() {
    let ima = "[tpm.image.ima]\nallow = [\"V\"]";
    for (pinned, line) in [
        ("[tpm.image.pcr]\n4 = \"V\"", 6),
        (
            "dangerous-any-boot-code = true\n[tpm.image.pcr]\n8 = \"V\"",
            7,
        ),
        ("[tpm.image.pcr]\n4 = \"V\"\n7 = \"V\"\n10 = \"V\"", 8),
    ] {
        let refused = problem(&format!("{pinned}\n{ima}"));
        assert_eq!(refused, ("image[0].ima".to_owned(), line), "{pinned}");
    }
    for pinned in [
        "4 = \"V\"\n8 = \"V\"",
        "4 = \"V\"\n12 = \"V\"",
        "17 = \"V\"",
    ] {
        let image = format!("[tpm.image.pcr]\n{pinned}\n{ima}");
        assert!(read(&image).is_ok(), "{pinned}");
    }
}

#[test]
fn what_is_wrong_is_named_with_line_and_field() {
    for (image, field, line) in [
        ("[tpm.image.pcr]\n4 = \"Z\"", "image[0].pcr.4", 5),
        ("[tpm.image.pcr]\n17 = \"F\"", "image[0].pcr.17", 5),
        (
            "bank = \"sha384\"\n[tpm.image.pcr]\n4 = \"V\"",
            "image[0].pcr.4",
            6,
        ),
        (
            "bank = \"sha512\"\n[[tpm.image.event]]\nname = \"k\"\npcr = 4\ndigest = \"V\"",
            "image[0].event[0].digest",
            8,
        ),
        (
            "[tpm.image.pcr]\n4 = \"V\"\n[tpm.image.ima]\nallow = []",
            "image[0].ima.allow",
            7,
        ),
    ] {
        assert_eq!(problem(image), (field.to_owned(), line), "{image}");
    }
    let unnamed =
        format!("version = 1\n[[tpm.image]]\nname = \" \"\n[tpm.image.pcr]\n4 = \"{VALUE}\"");
    let refused = from_toml::<TpmPolicy>(&unnamed);
    assert!(matches!(
        refused,
        Err(ReferenceError::Meaning { line: 3, .. })
    ));
    let empty = from_toml::<TpmPolicy>("version = 1\n[tpm]\nimage = []\n");
    assert!(matches!(
        empty,
        Err(ReferenceError::Meaning { line: 3, .. })
    ));
}

#[test]
fn what_is_unknown_or_of_the_wrong_form_is_refused() {
    for image in [
        "[tpm.image.pcr]\n24 = \"V\"",
        "[tpm.image.pcr]\n04 = \"V\"",
        "[tpm.image.pcr]\npcr4 = \"V\"",
        "[tpm.image.pcr]\n4 = \"c0ffee\"",
        "[tpm.image.pcr]\n4 = \"V0\"",
        "bank = \"sha1\"\n[tpm.image.pcr]\n4 = \"V\"",
        "pcr4 = \"V\"",
        "[[tpm.image.event]]\nname = \"k\"\npcr = 24\ndigest = \"V\"",
        "[[tpm.image.event]]\nname = \"k\"\npcr = -1\ndigest = \"V\"",
        "[[tpm.image.event]]\npcr = 4\ndigest = \"V\"",
        "[[tpm.image.event]]\nname = \"k\"\npcr = 4\ndigest = \"V\"\nmandatory = true",
    ] {
        let refused = read(image);
        assert!(matches!(refused, Err(ReferenceError::Syntax(_))), "{image}");
    }
    let missing = from_toml::<TpmPolicy>("version = 1\n[tpm]\n");
    assert!(matches!(missing, Err(ReferenceError::Syntax(_))));
}

/// Of one image, in whose text these letters stand for digests of 32 bytes: any, zeros, and ones.
fn read(image: &str) -> Result<TpmPolicy, ReferenceError> {
    let image = image
        .replace('V', VALUE)
        .replace("\"Z\"", &format!("\"{}\"", "00".repeat(32)))
        .replace("\"F\"", &format!("\"{}\"", "ff".repeat(32)));
    from_toml(&format!(
        "version = 1\n[[tpm.image]]\nname = \"a\"\n{image}\n"
    ))
}

/// The field at fault, and its line.
fn problem(image: &str) -> (String, usize) {
    match read(image) {
        Err(ReferenceError::Meaning { field, line, .. }) => (field, line),
        other => panic!("{image}: {other:?}"),
    }
}

const VALUE: &str = "abababababababababababababababababababababababababababababababab";
