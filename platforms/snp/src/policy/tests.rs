use atls_formats::snp::Tcb;
use atls_reference::ReferenceError;
use atls_reference::from_json;
use atls_reference::from_toml;

use super::*;

const GOOD: &str = r#"
version = 1

[snp]
allow-vlek = true
max-vmpl = 1
minimum-abi = "1.55"
require-guest-policy = ["no-smt", "no-cxl", "aes256-xts"]
require-platform = ["alias-check-complete", "no-smt"]

[snp.minimum-tcb.milan]
reported = { bootloader = 4, tee = 0, snp = 24, microcode = 219 }
launch = { bootloader = 3, tee = 0, snp = 24, microcode = 219 }

[snp.minimum-tcb.turin]
reported = { fmc = 1, bootloader = 4, tee = 0, snp = 24, microcode = 219 }

[[snp.image]]
name = "payments"
measurement = "010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101"
host-data = "0202020202020202020202020202020202020202020202020202020202020202"
"#;

fn with(find: &str, replacement: &str) -> Result<SnpPolicy, ReferenceError> {
    assert!(GOOD.contains(find), "{find}");
    from_toml(&GOOD.replace(find, replacement))
}

fn problem(find: &str, replacement: &str) -> String {
    with(find, replacement).unwrap_err().to_string()
}

#[test]
fn a_file_is_read_and_missing_fields_are_strict() {
    let policy: SnpPolicy = from_toml(GOOD).unwrap();
    assert!(policy.allow_vlek);
    assert!(!policy.allow_debug && !policy.allow_masked_chip_id);
    assert!(!policy.allow_migration_agent && !policy.allow_missing_crl);
    assert_eq!((policy.min_report_version, policy.max_vmpl), (3, 1));
    let milan = &policy.minimum_tcb[&Product::Milan];
    assert_eq!(*milan.committed(), milan.reported);
    assert_eq!(milan.launch().bootloader, 3);
    let abi = AbiVersion {
        major: 1,
        minor: 55,
    };
    assert_eq!(policy.minimum_abi, Some(abi));
    assert_eq!(policy.images[0].host_data, Some([2; 32].into()));
}

#[test]
fn a_written_policy_is_read_back() {
    let policy: SnpPolicy = from_toml(GOOD).unwrap();
    let json = serde_json::json!({ "version": 1, "snp": policy });
    assert_eq!(from_json::<SnpPolicy>(&json.to_string()).unwrap(), policy);
}

/// TOML has no repeated keys. JSON has them, and the last one would count.
#[test]
fn a_product_that_is_named_twice_is_refused() {
    let json = serde_json::json!({ "version": 1, "snp": from_toml::<SnpPolicy>(GOOD).unwrap() })
        .to_string();
    let (before, after) = json.split_once(r#""milan":"#).unwrap();
    let lax = r#""milan":{"reported":{"bootloader":0,"tee":0,"snp":0,"microcode":0}}"#;
    let twice = format!(r#"{before}{lax},"milan":{after}"#);
    let refused = from_json::<SnpPolicy>(&twice).unwrap_err().to_string();
    assert!(refused.contains("twice"), "{refused}");
    assert!(from_json::<SnpPolicy>(&json).is_ok());
}

#[test]
fn missing_and_unknown_fields_are_named() {
    for (find, named) in [
        (
            "reported = { bootloader = 4, tee = 0, snp = 24, microcode = 219 }\nlaunch",
            "reported",
        ),
        ("microcode = 219 }\nlaunch", "microcode"),
        ("measurement =", "measurement"),
        ("name =", "name"),
    ] {
        let renamed = find.replacen(named, "else", 1);
        let text = problem(find, &renamed);
        assert!(text.contains("else") || text.contains(named), "{text}");
    }
    let text = problem("max-vmpl", "max-vmpls");
    assert!(text.contains("max-vmpls"), "{text}");
    let text = problem("no-cxl", "no-such");
    assert!(text.contains("no-such"), "{text}");
    let text = problem("turin", "venice");
    assert!(text.contains("venice"), "{text}");
    let text = problem("1.55", "1");
    assert!(text.contains("1.55"), "{text}");
    let bare = from_toml::<SnpPolicy>("version = 1\n[snp]\nimage = []\n").unwrap_err();
    assert!(bare.to_string().contains("minimum-tcb"), "{bare}");
}

#[test]
fn a_policy_that_accepts_anything_or_nothing_is_refused() {
    let good: SnpPolicy = from_toml(GOOD).unwrap();
    let checked = |change: fn(&mut SnpPolicy)| {
        let mut policy = good.clone();
        change(&mut policy);
        policy.check()
    };
    assert_eq!(checked(|_| {}), Ok(()));
    let changes: [fn(&mut SnpPolicy); 10] = [
        |policy| policy.images.clear(),
        |policy| policy.images[0].name.clear(),
        |policy| policy.images[0].measurement = [0; 48].into(),
        |policy| policy.minimum_tcb.clear(),
        |policy| policy.min_report_version = 1,
        |policy| policy.min_report_version = 6,
        |policy| policy.max_vmpl = 4,
        |policy| policy.chip_ids = Some(Vec::new()),
        |policy| {
            let milan = policy.minimum_tcb.get_mut(&Product::Milan).unwrap();
            milan.reported.fmc = Some(1);
        },
        |policy| {
            let turin = policy.minimum_tcb.get_mut(&Product::Turin).unwrap();
            let without = Tcb {
                fmc: None,
                ..turin.reported
            };
            turin.committed = Some(without);
        },
    ];
    for change in changes {
        assert!(checked(change).is_err());
    }
}

#[test]
fn conditions_of_an_image_are_read_and_written() {
    let text = format!(
        "{GOOD}{}",
        r#"
[snp.image.conditions]
guest-svn = { at-least = 7 }
guest-policy = { value = "0000000000030000", mask = "ffffffffffffffff" }
max-vmpl = 0
signing-key = "vcek"
cpuid-family = 25
reported-tcb = { exactly = "db18000000000004" }
"#
    );
    let policy: SnpPolicy = from_toml(&text).unwrap();
    let conditions = &policy.images[0].conditions;
    assert_eq!(conditions.guest_svn, Some(Level::AtLeast(7)));
    assert_eq!(conditions.launch_tcb, None);
    assert!(!conditions.is_empty());
    let json = serde_json::json!({ "version": 1, "snp": policy });
    assert_eq!(from_json::<SnpPolicy>(&json.to_string()).unwrap(), policy);
    let unknown = text.replace("max-vmpl = 0\nsigning", "vmpl = 0\nsigning");
    assert!(from_toml::<SnpPolicy>(&unknown).is_err());
}

/// The message has the whole path to a value of the wrong form.
#[test]
fn an_error_within_a_table_of_products_names_the_product_and_the_field() {
    let text = problem(
        "snp = 24, microcode = 219 }\nlaunch",
        "snp = 300, microcode = 219 }\nlaunch",
    );
    assert!(
        text.contains("snp.minimum-tcb.milan.reported.snp"),
        "{text}"
    );
    let json = serde_json::json!({ "version": 1, "snp": from_toml::<SnpPolicy>(GOOD).unwrap() });
    let mut bad = json.clone();
    bad["snp"]["minimum-tcb"]["turin"]["reported"]["fmc"] = "one".into();
    let text = from_json::<SnpPolicy>(&bad.to_string())
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("snp.minimum-tcb.turin.reported.fmc"),
        "{text}"
    );
    let text = problem("reported = { fmc = 1, ", "reported = { ");
    assert!(text.contains("[snp]: minimum-tcb.turin.reported"), "{text}");
    assert!(!text.contains('?'), "{text}");
}

#[test]
fn an_announced_minimum_is_read_and_written() {
    let announced = format!(
        "{GOOD}{}",
        r#"
[snp.next-minimum-tcb.milan]
from = "2027-01-31"
reported = { bootloader = 4, tee = 0, snp = 25, microcode = 220 }
"#
    );
    let policy: SnpPolicy = from_toml(&announced).unwrap();
    let next = &policy.next_minimum_tcb[&Product::Milan];
    assert_eq!(next.from.to_string(), "2027-01-31");
    assert_eq!(next.from.begins_at(), 1_801_353_600);
    let json = serde_json::json!({ "version": 1, "snp": policy });
    assert_eq!(from_json::<SnpPolicy>(&json.to_string()).unwrap(), policy);
    for day in [
        "2027-02-29",
        "2027-1-31",
        "2027-01-31T00:00:00Z",
        "1969-12-31",
        "soon",
        "",
    ] {
        let text = announced.replace("2027-01-31", day);
        let refused = from_toml::<SnpPolicy>(&text).unwrap_err().to_string();
        assert!(
            refused.contains("snp.next-minimum-tcb.milan.from"),
            "{refused}"
        );
    }
    let other = announced.replace("next-minimum-tcb.milan", "next-minimum-tcb.genoa");
    let refused = from_toml::<SnpPolicy>(&other).unwrap_err().to_string();
    assert!(
        refused.contains("[snp]: next-minimum-tcb.genoa"),
        "{refused}"
    );
}
