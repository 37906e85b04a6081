//! The files that the commands of the pages are about.

use crate::support;
use crate::support::World;
use crate::support::enclave_image;

/// What a command needs in its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    /// `enclave.eif`, and a policy that names what was built.
    Image,
    /// A policy about TDX, and one with a typing error.
    Policies,
    /// A certificate, a device and the arguments of a proxy.
    Proxy,
    /// `quote.bin`, its collateral and `report.bin`, of real machines, and a policy that names another image.
    Samples,
}

pub fn prepare(world: &World, needs: Needs) {
    match needs {
        Needs::Nothing => {}
        Needs::Image => image(world),
        Needs::Policies => {
            world.write("policy.toml", policy("tdx"));
            world.write("typo.toml", policy("tdxx"));
        }
        Needs::Proxy => proxy(world),
        Needs::Samples => samples(world),
    }
}

fn image(world: &World) {
    world.write("enclave.eif", enclave_image());
    let measure = ["policy", "measure", "nitro", "enclave.eif"];
    let named = [&measure[..], &["--name", "payments 1.4.2"]].concat();
    let measured = world.atls(&named).ends_with(0).out();
    let policy = format!("version = 1\n\n[nitro]\nmax-age-seconds = 300\n\n{measured}");
    world.write("policy.toml", policy);
}

/// A policy with one image.
fn policy(table: &str) -> String {
    let value = "05".repeat(48);
    let registers = ["mrtd", "rtmr1", "rtmr2"].map(|name| format!("{name} = \"{value}\"\n"));
    format!(
        "version = 1\n\n[{table}]\naccept-tcb = [\"UpToDate\"]\naccept-advisories = []\n\n\
         [[{table}.image]]\nname = \"payments 1.4.2\"\n{}",
        registers.concat()
    )
}

fn proxy(world: &World) {
    if world.path("own.pem").exists() {
        return;
    }
    world.device_key();
    world.identity(&world.authority);
    world.write("policy.toml", policy("tdx"));
    let folder = world.path("").display().to_string();
    let own = [
        ("/etc/atls/", folder.as_str()),
        ("\"auto\"", "\"sim=own.pem\""),
        ("0.0.0.0:8443", "127.0.0.1:0"),
        ("127.0.0.1:9900", "127.0.0.1:0"),
        ("0.0.0.0:9901", "127.0.0.1:0"),
    ];
    let shown = support::page("docs/deploy/proxy.toml");
    let proxy = own
        .iter()
        .fold(shown, |text, (shown, own)| text.replace(shown, own));
    world.write("proxy.toml", proxy);
}

fn samples(world: &World) {
    let folder = support::vectors().unwrap();
    for (name, sample) in [
        ("quote.bin", "tdx/v4-td10-dcapqvl.quote"),
        ("collateral.json", "tdx/v4-td10-dcapqvl.collateral.json"),
        ("report.bin", "snp/genoa-v5-vcek.report"),
    ] {
        std::fs::copy(folder.join(sample), world.path(name)).unwrap();
    }
    let new = [
        "policy",
        "new",
        "--from",
        "quote.bin",
        "--name",
        "payments 1.4.2",
    ];
    let at = [
        "--collateral",
        "collateral.json",
        "--at",
        "2025-07-01T00:00:00Z",
    ];
    let seen = world.atls(&[&new[..], &at].concat()).ends_with(0).out();
    let other = seen.lines().map(|line| match line.split_once(" = ") {
        Some((name @ ("mrtd" | "rtmr0" | "rtmr1" | "rtmr2"), _)) => {
            format!("{name} = \"{}\"", "05".repeat(48))
        }
        Some(("rtmr3", _)) => String::new(),
        _ => line.to_owned(),
    });
    let other: Vec<_> = other.collect();
    world.write("policy.toml", other.join("\n"));
}
