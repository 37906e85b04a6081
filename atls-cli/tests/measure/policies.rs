//! What was measured, and a policy of it.

use super::eif;
use super::support::World;

#[test]
fn lines_of_an_image_make_a_policy_that_is_right() {
    let world = World::new();
    world.write("image.eif", eif());
    let words = [
        "policy",
        "measure",
        "nitro",
        "image.eif",
        "--name",
        "a \"name\"",
    ];
    let lines = world.atls(&words).ends_with(0).out();
    assert!(
        lines.starts_with("# Recomputed from what was built; "),
        "{lines}"
    );
    let head = "version = 1\n[nitro]\nmax-age-seconds = 300\n";
    world.write("policy.toml", format!("{head}{lines}"));
    world.atls(&["policy", "check", "policy.toml"]).ends_with(0);
}

#[test]
fn an_image_is_named_by_the_hash_of_what_was_built() {
    let world = World::new();
    world.write("image.eif", eif());
    let hash = |bytes: &[u8]| {
        let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
        let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
        digits.collect::<String>()
    };
    let build = ["policy", "measure", "nitro", "image.eif"];
    let lines = world.atls(&build).ends_with(0).out();
    let name = format!("name = \"sha256:{}\"", hash(&eif()));
    assert!(lines.contains(&name), "{lines}");
    world.write("policy.toml", format!("version = 1\n[nitro]\n{lines}"));
    let check = [&build[..], &["--check", "policy.toml"]].concat();
    world.atls(&check).ends_with(0);
    // Another build, also under the name of this one.
    let mut other = eif();
    let last = other.last_mut().unwrap();
    *last ^= 1;
    world.write("image.eif", &other);
    let ran = world.atls(&check).ends_with(3);
    assert!(ran.error().contains("no image"), "{}", ran.error());
    let forged = lines.replace(&hash(&eif()), &hash(&other));
    world.write("policy.toml", format!("version = 1\n[nitro]\n{forged}"));
    let ran = world.atls(&check).ends_with(3);
    assert!(ran.error().contains("and was built as"), "{}", ran.error());
}

#[test]
fn a_policy_is_held_against_what_was_built() {
    let world = World::new();
    world.write("image.eif", eif());
    let build = ["policy", "measure", "nitro", "image.eif", "--name", "web 1"];
    let lines = world.atls(&build).ends_with(0).out();
    let policy = format!("version = 1\n[nitro]\n{lines}");
    world.write("policy.toml", &policy);
    let check = [&build[..], &["--check", "policy.toml"]].concat();
    let told = world.atls(&check).ends_with(0).out();
    assert!(
        told.contains("[nitro] web 1: pcr0, pcr1, pcr2 (policy.toml, line "),
        "{told}"
    );
    world.write("policy.toml", policy.replace("pcr2 = ", "pcr8 = "));
    let told = world.atls(&[&check[..], &["--json"]].concat()).ends_with(0);
    assert_eq!(
        told.json()["same_in_policy"],
        serde_json::json!(["pcr0", "pcr1"])
    );

    let line = policy
        .lines()
        .find(|line| line.starts_with("pcr1"))
        .unwrap();
    let others = [
        policy.replace(line, &format!("pcr1 = \"{}\"", "ab".repeat(48))),
        policy.replace("web 1", "web 2"),
        format!(
            "version = 1\n[nitro]\n[[nitro.image]]\nname = \"web 1\"\npcr8 = \"{}\"\n",
            "ab".repeat(48)
        ),
        "version = 1\n".to_owned(),
    ];
    for other in others {
        world.write("policy.toml", &other);
        let ran = world.atls(&check).ends_with(3);
        assert_eq!(ran.out(), "", "{other}");
    }
}

/// Whoever reads *the policy names this build* believes that it accepts no other by this name.
#[test]
fn others_that_a_policy_accepts_by_the_name_of_a_build_are_told() {
    let world = World::new();
    world.write("image.eif", eif());
    let build = ["policy", "measure", "nitro", "image.eif", "--name", "web 1"];
    let lines = world.atls(&build).ends_with(0).out();
    let other = "ab".repeat(48);
    let older = format!("[[nitro.image]]\nname = \"web 1\"\npcr0 = \"{other}\"\n");
    let check = [&build[..], &["--check", "policy.toml"]].concat();
    for policy in [
        format!("version = 1\n[nitro]\n{lines}{older}"),
        format!("version = 1\n[nitro]\n{older}{lines}"),
    ] {
        world.write("policy.toml", &policy);
        let place = |text: &str| {
            let line = policy.lines().position(|line| line.contains(text)).unwrap();
            // The table of an image begins a line or more before.
            let before: Vec<_> = policy.lines().take(line + 1).collect();
            let begins = before.iter().rposition(|line| *line == "[[nitro.image]]");
            format!("(policy.toml, line {})", begins.unwrap() + 1)
        };
        let told = world.atls(&check).ends_with(0).out();
        let (same, others) = told
            .split_once("it accepts others by the same name")
            .unwrap();
        let built = lines.lines().find(|line| line.starts_with("pcr0")).unwrap();
        assert!(same.contains(&place(built)), "{told}");
        assert!(others.contains(&format!("pcr0 is {other}")), "{told}");
        assert!(others.contains(&place(&other)), "{told}");
        let told = world.atls(&[&check[..], &["--json"]].concat()).ends_with(0);
        let told = told.json()["others_of_the_name"].clone();
        assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
    }
    world.write("policy.toml", format!("version = 1\n[nitro]\n{lines}"));
    let told = world.atls(&check).ends_with(0).out();
    assert!(!told.contains("others"), "{told}");
    let told = world.atls(&[&check[..], &["--json"]].concat()).ends_with(0);
    assert_eq!(told.json()["others_of_the_name"], serde_json::json!([]));
}
