//! `atls policy explain` on what a policy does not look at.

use atls_cca::CcaKeys;
use atls_cca::PsaKeys;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedPsa;
use atls_formats::tpm::HashAlgorithm;
use atls_tpm::TpmKeys;
use atls_tpm::testing::ForgedTpm;
use serde_json::Value;
use serde_json::json;

use super::support::World;

#[test]
fn registers_that_no_image_names_are_told_with_their_events() {
    let world = World::new();
    let mut tpm = ForgedTpm::new();
    tpm.log = ForgedTpm::log().measured(8, 0xd, b"grub_cmd: linux /vmlinuz");
    tpm.quoting(HashAlgorithm::Sha256, &[0, 4, 7, 8]);
    // Register 5 is in the log, and not quoted.
    let sent = tpm.log.bytes().to_vec();
    let not_quoted = ForgedTpm::log()
        .measured(8, 0xd, b"grub_cmd: linux /vmlinuz")
        .measured(5, 4, b"partitions");
    tpm.sent_log = Some(not_quoted.bytes().to_vec());
    assert_ne!(tpm.sent_log.as_ref(), Some(&sent));
    world.write("evidence", tpm.evidence(&[7; 32]).encode().unwrap());
    let keys = TpmKeys::new(vec![tpm.trusted("web-1")]);
    let image = ForgedTpm::image();
    let policy = json!({ "version": 1, "tpm": { "image": [image] }, "tpm-keys": keys });
    world.write("policy.json", policy.to_string());
    let unseen = not_looked_at(&world);
    for name in [
        "sha256.pcr0",
        "sha256.pcr0 event 1, EV_S_CRTM_VERSION",
        "sha256.pcr5 log",
        "sha256.pcr7",
        "sha256.pcr8",
        "sha256.pcr8 event 1, EV_IPL",
        "secure-boot",
        "min-firmware",
        "max-restarts",
        "reset-count",
        "safe-clock",
    ] {
        assert!(unseen[name].is_string(), "{name}: {unseen:#}");
    }
    assert!(
        unseen["sha256.pcr8 event 1, EV_IPL"]
            .to_string()
            .contains("grub_cmd: linux")
    );
    assert!(unseen["sha256.pcr4"].is_null(), "{unseen:#}");

    let mut whole = policy.clone();
    whole["tpm"] = json!({
        "image": [image],
        "secure-boot": true,
        "safe-clock": true,
        "min-firmware": "0007000200030000",
        "max-restarts": 0,
    });
    for (pcr, field) in [("0", "pcr"), ("7", "pcr"), ("8", "pcr")] {
        let value = tpm.log.value(pcr.parse().unwrap());
        let value: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        whole["tpm"]["image"][0][field][pcr] = value.into();
    }
    whole["tpm-keys"]["ak"][0]["reset-count"] = 1.into();
    world.write("policy.json", whole.to_string());
    let unseen = not_looked_at(&world);
    let names: Vec<_> = unseen.as_object().unwrap().keys().collect();
    assert_eq!(names, ["sha256.pcr5 log"]);
}

#[test]
fn claims_of_a_realm_that_no_line_names_are_told() {
    let world = World::new();
    let forged = ForgedCca::new();
    world.write("evidence", forged.token(&[7; 64]));
    let keys = CcaKeys::new(vec![forged.trusted("rack 7")]);
    let mut policy = json!({ "version": 1, "cca": forged.policy(), "cca-keys": keys });
    world.write("policy.json", policy.to_string());
    let unseen = not_looked_at(&world);
    for name in ["rem0", "configuration", "component 2, RMM: version"] {
        assert!(unseen[name].is_null(), "{name}: {unseen:#}");
    }
    for field in ["rem2", "personalization-value"] {
        policy["cca"]["realm"][0]
            .as_object_mut()
            .unwrap()
            .remove(field);
    }
    policy["cca"]["platform"][0]["configuration-mask"] = "ffff0000".into();
    let component = &mut policy["cca"]["platform"][0]["component"][1];
    for field in ["kind", "signer-id", "version"] {
        component.as_object_mut().unwrap().remove(field);
    }
    world.write("policy.json", policy.to_string());
    let unseen = not_looked_at(&world);
    for name in [
        "rem2",
        "personalization-value",
        "configuration, outside of configuration-mask",
        "component 2, RMM: kind",
        "component 2, RMM: signer-id",
        "component 2, RMM: version",
    ] {
        assert!(unseen[name].is_string(), "{name}: {unseen:#}");
    }
    assert!(unseen["rem1"].is_null(), "{unseen:#}");

    // A second realm of that name, which is another one.
    let mut other = policy["cca"]["realm"][0].clone();
    other["initial-measurement"] = "ab".repeat(32).into();
    other["rem2"] = "ab".repeat(32).into();
    policy["cca"]["realm"].as_array_mut().unwrap().push(other);
    world.write("policy.json", policy.to_string());
    let unseen = not_looked_at(&world);
    assert!(unseen["rem2"].is_string(), "{unseen:#}");
}

#[test]
fn claims_of_a_device_that_no_line_names_are_told() {
    let world = World::new();
    let forged = ForgedPsa::new();
    world.write("evidence", forged.token(&[7; 32]));
    let keys = PsaKeys::new(vec![forged.trusted("meter 9")]);
    let policy = json!({ "version": 1, "psa": forged.policy(), "psa-keys": keys });
    world.write("policy.json", policy.to_string());
    let unseen = not_looked_at(&world);
    assert_eq!(unseen["client ID"], "-1");
    assert_eq!(unseen["boot seed"], "b0".repeat(32));
    assert_eq!(unseen.as_object().unwrap().len(), 2, "{unseen:#}");
}

#[test]
fn the_image_that_matched_says_what_was_looked_at() {
    let world = World::new();
    let platform = super::td_platform(&world);
    let report = platform.td_report();
    world.write("evidence", platform.tdx_quote(&report, &[7; 64]).unwrap());
    let image = |name: &str, rtmr3: Option<String>| {
        json!({
            "name": name, "mrtd": report.mrtd, "rtmr1": report.rtmr[1], "rtmr2": report.rtmr[2],
            "rtmr0": report.rtmr[0], "rtmr3": rtmr3,
        })
    };
    let mut loose = image("loose", None);
    loose.as_object_mut().unwrap().remove("rtmr3");
    let other = image("other", Some("ab".repeat(48)));
    let policy = json!({ "version": 1, "tdx": {
        "accept-tcb": ["UpToDate"], "accept-advisories": [], "image": [other, loose],
    }});
    world.write("policy.json", policy.to_string());
    let explain = ["policy", "explain", "policy.json", "evidence", "--json"];
    let told = world
        .atls(&[&explain[..], &super::TD].concat())
        .ends_with(0)
        .json();
    let unseen = &told["items"][0]["not_looked_at"];
    assert!(unseen["rtmr3"].is_string(), "{unseen:#}");
    assert!(unseen["rtmr0"].is_null(), "{unseen:#}");
}

#[test]
fn a_field_that_is_null_is_no_demand_that_was_left_out() {
    let world = World::new();
    let image = json!({
        "name": "web", "mrtd": "ab".repeat(48), "rtmr0": null, "rtmr1": "ab".repeat(48), "rtmr2": "ab".repeat(48),
    });
    let policy = json!({ "version": 1, "tdx": {
        "accept-tcb": ["UpToDate"], "accept-advisories": [], "image": [image],
    }});
    world.write("policy.json", policy.to_string());
    let ran = world.atls(&["policy", "check", "policy.json"]).ends_with(1);
    assert!(
        ran.error().contains("tdx.image[0].rtmr0: null"),
        "{}",
        ran.error()
    );
}

#[test]
fn images_of_one_name_look_at_what_all_of_them_name() {
    let world = World::new();
    let platform = super::td_platform(&world);
    let report = platform.td_report();
    world.write("evidence", platform.tdx_quote(&report, &[7; 64]).unwrap());
    let loose = json!({ "name": "web", "mrtd": report.mrtd, "rtmr1": report.rtmr[1], "rtmr2": report.rtmr[2] });
    let mut strict = loose.clone();
    strict["mrtd"] = "ab".repeat(48).into();
    strict["rtmr3"] = json!(report.rtmr[3]);
    let policy = json!({ "version": 1, "tdx": {
        "accept-tcb": ["UpToDate"], "accept-advisories": [], "image": [strict, loose],
    }});
    world.write("policy.json", policy.to_string());
    let explain = ["policy", "explain", "policy.json", "evidence", "--json"];
    let told = world.atls(&[&explain[..], &super::TD].concat());
    let unseen = &told.ends_with(0).json()["items"][0]["not_looked_at"];
    assert!(unseen["rtmr3"].is_string(), "{unseen:#}");
    assert!(unseen["rtmr1"].is_null(), "{unseen:#}");

    let mut tpm = ForgedTpm::new();
    tpm.quoting(HashAlgorithm::Sha256, &[0, 4, 7]);
    world.write("evidence", tpm.evidence(&[7; 32]).encode().unwrap());
    let keys = TpmKeys::new(vec![tpm.trusted("web-1")]);
    let loose = json!(ForgedTpm::image());
    let mut strict = loose.clone();
    strict["pcr"]["0"] = "ab".repeat(32).into();
    let policy = json!({ "version": 1, "tpm": { "image": [strict, loose] }, "tpm-keys": keys });
    world.write("policy.json", policy.to_string());
    let unseen = not_looked_at(&world);
    assert!(unseen["sha256.pcr0"].is_string(), "{unseen:#}");
    assert!(unseen["sha256.pcr4"].is_null(), "{unseen:#}");
}

fn not_looked_at(world: &World) -> Value {
    let explain = ["policy", "explain", "policy.json", "evidence", "--json"];
    let told = world.atls(&explain).ends_with(0).json();
    told["items"][0]["not_looked_at"].clone()
}
