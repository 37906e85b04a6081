//! Its arguments, on the command line and in a file.

use std::process::Stdio;

use demo::Authority;

use crate::kit::TRUST;
use crate::kit::echo;
use crate::proxies;
use crate::proxies::Proxy;
use crate::support::World;

#[test]
fn a_file_has_the_same_arguments() {
    let world = World::new();
    let behind = world.plain(echo());
    world.device_key();
    world.identity(&world.authority);
    let file = format!(
        "listen = \"127.0.0.1:0\"\nupstream = \"http://{behind}\"\nattester = \"sim=own.pem\"\ncert = \"chain.pem\"\nkey = \"key.pem\"\ndrain = 1\n"
    );
    world.write("proxy.toml", file);
    let proxy = Proxy::start(&world, &["--config", "proxy.toml"]);
    world
        .atls(&[&["get", &proxy.url("/")], &TRUST[..]].concat())
        .ends_with(0);
    world.write("wrong.toml", "lisen = \"x\"\n");
    let ran = world
        .atls(&["proxy", "--config", "wrong.toml"])
        .ends_with(1);
    assert!(ran.error().contains("--lisen"), "{}", ran.error());
    let ran = world
        .atls(&["proxy", "--config", "absent.toml"])
        .ends_with(1);
    assert!(ran.error().contains("absent.toml"), "{}", ran.error());
}

/// Everybody would be served, and nobody told.
#[test]
fn a_policy_for_clients_that_are_not_asked_is_refused() {
    let world = World::new();
    world.device_key();
    world.identity(&world.authority);
    world.write("client.key", "");
    let proxy = ["proxy", "--listen", "127.0.0.1:0"];
    let upstream = ["--upstream", "http://127.0.0.1:1"];
    let identity = ["--cert", "chain.pem", "--key", "key.pem"];
    let device = ["--attester", "sim=own.pem"];
    // It would not serve by other arguments either.
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().to_string();
    let admin = ["--admin", &taken];
    let reverse = [&proxy[..], &upstream, &identity, &device, &admin].concat();
    for whom in [
        &["--policy", "policy.toml"][..],
        &["--trust-sim", "client.key"],
        &["--verifier", "veraison=https://localhost:1,key=ear.jwk"],
        &["--max-age", "60"],
        &["--ear-key", "key.pem", "--ear-audience", "orders"],
        &["--accept-warning"],
        &["--offline"],
        &["--dangerous-root", "tdx=root.der"],
    ] {
        for clients in [&[][..], &["--clients", "ignore"]] {
            let ran = world.atls(&[&reverse[..], whom, clients].concat());
            let ran = ran.ends_with(1);
            let told = ran.error();
            assert!(
                told.contains(&format!("{} would have no effect", whom[0])),
                "{told}"
            );
            assert!(told.contains("--clients ask"), "{told}");
        }
    }
    let file = "listen = \"127.0.0.1:0\"\nupstream = \"http://127.0.0.1:1\"\nattester = \"sim=own.pem\"\n\
                cert = \"chain.pem\"\nkey = \"key.pem\"\nmax-age = 60\n";
    world.write("proxy.toml", format!("{file}admin = \"{taken}\"\n"));
    let ran = world
        .atls(&["proxy", "--config", "proxy.toml"])
        .ends_with(1);
    let told = ran.error();
    assert!(told.contains("--max-age would have no effect"), "{told}");
}

/// They are about a server, and whoever writes them may believe that clients are checked by them.
#[test]
fn an_argument_about_a_server_is_refused_by_a_proxy_in_reverse() {
    let world = World::new();
    world.device_key();
    world.identity(&world.authority);
    world.device("client");
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().to_string();
    let reverse = [
        "proxy",
        "--listen",
        "127.0.0.1:0",
        "--upstream",
        "http://127.0.0.1:1",
        "--cert",
        "chain.pem",
        "--key",
        "key.pem",
        "--attester",
        "sim=own.pem",
    ];
    let clients = ["--clients", "require", "--trust-sim", "client.key"];
    for (argument, cure) in [
        (&["--ca", "ca.pem"][..], "--to"),
        (&["--connect-proxy", "env"], "--to"),
        (&["--mode", "dangerous-pre-handshake"], "--to"),
        (&["--dangerous-any-certificate"], "--to"),
        (&["--attest-first"], "--to"),
    ] {
        let all = [&reverse[..], &clients, &["--admin", &taken], argument].concat();
        let told = world.atls(&all).ends_with(1).error();
        assert!(
            told.contains(&format!("{} would have no effect", argument[0])),
            "{told}"
        );
        assert!(told.contains(cure), "{told}");
    }
    let probes = ["--probes", &taken, "--host", "edge"];
    let told = world
        .atls(&[&reverse[..], &clients, &probes].concat())
        .ends_with(1)
        .error();
    assert!(told.contains("--host would have no effect"), "{told}");
}

#[test]
fn ports_that_would_be_open_to_others_are_refused() {
    let world = World::new();
    world.device("device");
    let listen = [
        "proxy",
        "--listen",
        "0.0.0.0:0",
        "--to",
        "https://localhost/",
    ];
    let ran = world.atls(&[&listen[..], &TRUST].concat()).ends_with(1);
    assert!(ran.error().contains("loopback"), "{}", ran.error());
    let admin = [
        "proxy",
        "--listen",
        "127.0.0.1:0",
        "--to",
        "https://localhost/",
        "--admin",
        "0.0.0.0:0",
    ];
    let ran = world.atls(&[&admin[..], &TRUST].concat()).ends_with(1);
    assert!(ran.error().contains("--probes"), "{}", ran.error());
}

#[test]
fn wrong_arguments_of_a_reverse_proxy_say_what_is_missing() {
    let world = World::new();
    world.device_key();
    world.identity(&world.authority);
    let reverse = [
        "proxy",
        "--listen",
        "127.0.0.1:0",
        "--upstream",
        "http://127.0.0.1:1",
    ];
    let ran = world.atls(&reverse).ends_with(1);
    assert!(ran.error().contains("--cert FILE"), "{}", ran.error());
    let certified = [&reverse[..], &["--cert", "chain.pem", "--key", "key.pem"]].concat();
    let ran = world.atls(&certified).ends_with(1);
    assert!(ran.error().contains("--attester auto"), "{}", ran.error());
    world.identity(&Authority::new().unwrap());
    let other = world.authority.issue().unwrap();
    world.write(
        "key.pem",
        proxies::pem("PRIVATE KEY", other.key.secret_der()),
    );
    let attests = [&certified[..], &["--attester", "sim=own.pem"]].concat();
    let ran = world.atls(&attests).ends_with(1);
    assert!(ran.error().contains("no identity"), "{}", ran.error());
}

#[test]
fn json_says_where_it_listens_or_why_it_does_not() {
    let world = World::new();
    let ran = world.atls(&[
        "proxy",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--to",
        "https://localhost/",
    ]);
    let ran = ran.ends_with(1);
    assert_eq!(ran.json()["serving"], false);
    assert_eq!(ran.json()["error"]["outcome"], "usage");
    assert_eq!(ran.error(), "");
    world.device("device");
    let listen = [
        "proxy",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--to",
        "https://localhost/",
    ];
    let mut command = world.command(&[&listen[..], &TRUST].concat());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let said = serde_json::Deserializer::from_reader(&mut out);
    let said: serde_json::Value = said.into_iter().next().unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let listening = said["listening"].as_str().unwrap();
    assert!(listening.starts_with("http://127.0.0.1:"), "{listening}");
}
