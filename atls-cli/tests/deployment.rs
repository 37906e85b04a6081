//! The files of docs/deploy hold commands that the binary understands.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod proxies;
mod support;

use std::process::Command;

use saphyr::LoadableYamlNode;
use saphyr::Yaml;
use support::Ran;
use support::World;
use support::page;

#[test]
fn the_container_is_built_by_a_command_that_cargo_understands() {
    let stages = stages();
    assert_eq!(stages.len(), 2);
    let rust = page("Cargo.toml");
    let rust = rust
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    let image = format!(
        "rust:{}-slim-bookworm AS build",
        rust.unwrap().trim_matches('"')
    );
    let [(_, from), (_, folder), (_, copied), (_, run)] = &stages[0][..] else {
        panic!("{stages:?}");
    };
    assert_eq!([from, folder, copied], [&image, "/build", ". ."]);
    assert_eq!(run.split_whitespace().collect::<Vec<_>>(), BUILD);
    // A build of the same package that stops before compiling: cargo resolves all that it names.
    let resolved = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "-p",
            "atls-cli",
            "--depth",
            "0",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(resolved.status.success(), "{resolved:?}");
    let [(_, base), (_, result), (_, entry), (_, command)] = &stages[1][..] else {
        panic!("{stages:?}");
    };
    assert_eq!(base, "gcr.io/distroless/cc-debian12:nonroot");
    assert_eq!(result, "--from=build /build/target/release/atls /atls");
    assert_eq!(entry, "[\"/atls\"]");
    assert!(command.starts_with("[\"proxy\", "), "{command}");
}

#[test]
#[ignore = "it builds a release, for minutes; CI runs it"]
fn the_container_is_built_by_its_command_from_what_it_copies() {
    let world = World::new();
    let context = world.path("context");
    copy_context(&context);
    let [(_, _), (_, _), (_, _), (_, run)] = &stages()[0][..] else {
        panic!("other instructions");
    };
    let target = std::path::Path::new(env!("CARGO_BIN_EXE_atls"));
    let target = target.ancestors().nth(2).unwrap().join("container");
    let built = Command::new("sh")
        .args(["-c", run])
        .current_dir(&context)
        .env("CARGO_TARGET_DIR", &target)
        // What optimisation adds is minutes of a processor: the files, the features and the libraries are the same.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .status();
    assert!(built.unwrap().success());
    let atls = target.join("release/atls");
    let linked = Command::new("ldd").arg(&atls).output().unwrap();
    let linked = String::from_utf8(linked.stdout).unwrap();
    for library in linked
        .lines()
        .filter_map(|line| line.split_whitespace().next())
    {
        let name = library.rsplit('/').next().unwrap();
        let name = name.split_once(".so").unwrap().0;
        assert!(OF_DISTROLESS.contains(&name), "{linked}");
    }
    let started = Command::new(&atls)
        .args(["proxy", "--config", "/etc/atls/proxy.toml"])
        .output()
        .unwrap();
    let told = String::from_utf8(started.stderr).unwrap();
    assert_eq!(started.status.code(), Some(1), "{told}");
    assert!(told.contains("/etc/atls/proxy.toml"), "{told}");
}

#[test]
fn the_container_and_the_unit_run_a_configuration_that_is_understood() {
    let command = ["proxy", "--config", "/etc/atls/proxy.toml"];
    let container = page("docs/deploy/Dockerfile");
    let shown = command.map(|word| format!("\"{word}\"")).join(", ");
    assert!(container.contains(&format!("CMD [{shown}]")));
    let unit = page("docs/deploy/atls-proxy.service");
    let start = format!("ExecStart=/usr/local/bin/atls {}\n", command.join(" "));
    assert!(unit.contains(&start));
    let world = certified();
    let config = page("docs/deploy/proxy.toml");
    let folder = world.path("").display().to_string();
    let config = config
        .replace("/etc/atls/", &folder)
        .replace("0.0.0.0:8443", "127.0.0.1:0");
    let config = config
        .replace("0.0.0.0:9901", "127.0.0.1:0")
        .replace("127.0.0.1:9900", "127.0.0.1:0");
    world.write("proxy.toml", config);
    is_understood(world.atls(&["proxy", "--config", "proxy.toml"]));
}

#[test]
fn the_units_satisfy_systemd() {
    let Ok(version) = Command::new("systemd-analyze").arg("--version").output() else {
        println!("skipped: there is no systemd-analyze");
        return;
    };
    assert!(version.status.success());
    let world = World::new();
    let unit = page("docs/deploy/atls-proxy.service");
    let own = unit.replace("/usr/local/bin/atls", env!("CARGO_BIN_EXE_atls"));
    assert_ne!(unit, own);
    world.write("atls-proxy.service", own);
    world.write("atls-proxy.socket", page("docs/deploy/atls-proxy.socket"));
    let verified = Command::new("systemd-analyze")
        .args(["verify", "./atls-proxy.service", "./atls-proxy.socket"])
        .current_dir(world.path(""))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&verified.stderr);
    let about: Vec<_> = told
        .lines()
        .filter(|line| line.contains("atls-proxy"))
        .collect();
    assert_eq!(about, Vec::<&str>::new());
    assert!(verified.status.success(), "{told}");
    // 2.0 of 10, by systemd 252; later ones know more to restrict.
    let exposed = Command::new("systemd-analyze")
        .args([
            "security",
            "--offline=true",
            "--threshold=30",
            "./atls-proxy.service",
        ])
        .current_dir(world.path(""))
        .output()
        .unwrap();
    assert!(exposed.status.success(), "{exposed:?}");
}

#[test]
fn the_sidecar_has_arguments_that_are_understood() {
    let world = certified();
    let folder = world.path("").display().to_string();
    let arguments: Vec<_> = arguments_of(sidecar(&pod()))
        .into_iter()
        .map(|word| word.replace("/etc/atls/tls.crt", &format!("{folder}chain.pem")))
        .map(|word| word.replace("/etc/atls/tls.key", &format!("{folder}key.pem")))
        .map(|word| {
            word.replace("0.0.0.0:8443", "127.0.0.1:0")
                .replace("0.0.0.0:9901", "127.0.0.1:0")
        })
        .collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    assert_eq!(arguments[0], "proxy");
    is_understood(world.atls(&arguments));
}

#[test]
fn the_pod_probes_and_exposes_the_ports_that_the_sidecar_opens() {
    let pod = pod();
    assert_eq!(pod["kind"].as_str(), Some("Pod"));
    let sidecar = sidecar(&pod);
    let arguments = arguments_of(sidecar);
    let port = |flag: &str| {
        let of_flag = arguments.iter().find_map(|word| word.strip_prefix(flag));
        let (_, port) = of_flag.unwrap().rsplit_once(':').unwrap();
        Some(port.parse().unwrap())
    };
    let probe = &sidecar["readinessProbe"]["httpGet"];
    assert_eq!(probe["path"].as_str(), Some("/healthz"));
    assert_eq!(probe["port"].as_integer(), port("--probes="));
    assert_eq!(
        sidecar["ports"][0]["containerPort"].as_integer(),
        port("--listen=")
    );
    let upstream = arguments
        .iter()
        .find_map(|word| word.strip_prefix("--upstream=http://"));
    let service = arguments_of(&pod["spec"]["containers"][0]);
    assert_eq!(service, ["--listen", upstream.unwrap()]);
    let mount = sidecar["volumeMounts"][0]["mountPath"].as_str().unwrap();
    assert!(arguments.contains(&format!("--cert={mount}/tls.crt")));
}

/// The instructions of each stage of the Dockerfile.
fn stages() -> Vec<Vec<(String, String)>> {
    let mut stages = Vec::new();
    for line in page("docs/deploy/Dockerfile").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (instruction, rest) = line.split_once(' ').unwrap();
        if instruction == "FROM" {
            stages.push(Vec::new());
        }
        let stage = stages.last_mut().expect("FROM comes first");
        stage.push((instruction.to_owned(), rest.to_owned()));
    }
    stages
}

/// The files of the repository but for those that .dockerignore names.
fn copy_context(to: &std::path::Path) {
    let ignored = page(".dockerignore");
    let ignored: Vec<_> = ignored
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for file in listed.split('\0').filter(|file| !file.is_empty()) {
        let first = file.split('/').next().unwrap();
        if ignored.contains(&first) {
            continue;
        }
        let copy = to.join(file);
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        // Links stay links, as Docker copies them; some lead to folders.
        match std::fs::read_link(root().join(file)) {
            Ok(target) => std::os::unix::fs::symlink(target, copy).unwrap(),
            Err(_) => drop(std::fs::copy(root().join(file), copy).unwrap()),
        }
    }
}

fn root() -> &'static std::path::Path {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.parent().unwrap()
}

fn pod() -> Yaml<'static> {
    let text = page("docs/deploy/sidecar.yaml").leak();
    let mut documents = Yaml::load_from_str(text).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn sidecar<'a>(pod: &'a Yaml<'static>) -> &'a Yaml<'static> {
    let containers = &pod["spec"]["containers"];
    assert_eq!(containers[1]["name"].as_str(), Some("atls"));
    &containers[1]
}

fn arguments_of(container: &Yaml<'_>) -> Vec<String> {
    let words = container["args"].as_vec().unwrap().iter();
    words
        .map(|word| word.as_str().unwrap().to_owned())
        .collect()
}

/// Everything is right but the machine, which has no device.
#[track_caller]
fn is_understood(ran: Ran) {
    let ran = ran.ends_with(4);
    assert!(ran.error().contains("no such device"), "{}", ran.error());
}

fn certified() -> World {
    let world = World::new();
    world.identity(&world.authority);
    world
}

const BUILD: [&str; 8] = [
    "cargo",
    "build",
    "--release",
    "--locked",
    "-p",
    "atls-cli",
    "--bin",
    "atls",
];

/// The libraries of C in the image of the second stage, and what the kernel adds.
const OF_DISTROLESS: [&str; 5] = ["ld-linux-x86-64", "libc", "libgcc_s", "libm", "linux-vdso"];
