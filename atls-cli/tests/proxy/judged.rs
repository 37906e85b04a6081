//! What peers are judged by is replaced as one whole: a policy with several tables, keys beside it.

use std::sync::Arc;

use atls_tdx::testing::ForgedPlatform;
use axum::Router;
use axum::routing::get;
use rcgen::KeyPair;
use stand_in::Signer;

use crate::kit::TRUST;
use crate::kit::echo;
use crate::kit::fetch;
use crate::kit::reverse;
use crate::proxies::Proxy;
use crate::support;
use crate::support::World;

/// A forward proxy to a TD, by the policy in `policy.toml`, which names its image.
struct Scene {
    world: World,
    proxy: Proxy,
    /// Names the TD's image.
    right: String,
}

impl Scene {
    fn new(look: &str) -> Self {
        let world = World::new();
        let platform = Arc::new(ForgedPlatform::new(support::now()).unwrap());
        let report = platform.td_report();
        let device = world.td(&platform, report.clone());
        let url = world.attested(device, hello());
        world.write("quote", platform.tdx_quote(&report, &[7; 64]).unwrap());
        let new = ["policy", "new", "--from", "quote", "-o", "policy.toml"];
        world.atls(&[&new[..], &COLLATERAL].concat()).ends_with(0);
        let right = std::fs::read_to_string(world.path("policy.toml")).unwrap();
        world.write("proxy.toml", "drain = 1\n");
        let arguments = [
            &["--listen", "127.0.0.1:0", "--to", &url, "--ca", "ca.pem"][..],
            &["--policy", "policy.toml", "--look", look],
            &["--config", "proxy.toml"],
            &COLLATERAL,
        ];
        let proxy = Proxy::start(&world, &arguments.concat());
        let scene = Self {
            world,
            proxy,
            right,
        };
        assert_eq!(scene.status(), 200);
        scene
    }

    fn status(&self) -> u16 {
        let address = self.proxy.address();
        self.world.block_on(fetch(address, "/")).0.status
    }

    fn reads_at_hangup(&mut self, policy: &str, line: &str) {
        self.world.write("policy.toml", policy);
        self.proxy.signal("HUP");
        self.proxy.reads(line);
    }

    fn knows_a_stranger_alone(&mut self) {
        let stranger = "[[instances.known]]\nname = \"x\"\nkind = \"tdx.ppid\"\nid = \"000102030405060708090a0b0c0d0e0f\"\n";
        let demanding = format!("{}\n{stranger}", self.right);
        self.world.write("policy.toml", demanding);
        self.proxy.reads("peers are attested anew");
        assert_eq!(self.status(), 502);
    }

    fn with_other_image(&self) -> String {
        let mut lines = self.right.lines();
        let rtmr2 = lines.find(|line| line.starts_with("rtmr2")).unwrap();
        let other = format!("rtmr2 = \"{}\"", "ab".repeat(48));
        self.right.replace(rtmr2, &other)
    }
}

#[test]
fn a_policy_of_which_one_table_is_wrong_is_not_in_force_by_half() {
    let mut scene = Scene::new("60");
    let wrong = format!(
        "{}\n[[instances.known]]\nname = 7\n",
        scene.with_other_image()
    );
    scene.reads_at_hangup(&wrong, "the old one stays in force");
    assert_eq!(scene.status(), 200);
}

#[test]
fn a_policy_that_is_empty_cut_short_or_unreadable_is_not_taken() {
    let mut scene = Scene::new("60");
    let half = scene.right[..scene.right.len() / 2].to_owned();
    let half = half.trim_end_matches(|sign| sign != '=').to_owned();
    for wrong in ["", "version = 1\n", &half, "\0"] {
        scene.reads_at_hangup(wrong, "the old one stays in force");
        assert_eq!(scene.status(), 200, "{wrong}");
    }
    std::fs::remove_file(scene.world.path("policy.toml")).unwrap();
    std::fs::create_dir(scene.world.path("policy.toml")).unwrap();
    scene.proxy.signal("HUP");
    scene.proxy.reads("the old one stays in force");
    assert_eq!(scene.status(), 200);
    std::fs::remove_dir(scene.world.path("policy.toml")).unwrap();
    let other = scene.with_other_image();
    scene.reads_at_hangup(&other, "peers are attested anew");
    assert_eq!(scene.status(), 502);
}

#[test]
fn a_table_that_is_added_is_applied_and_one_that_is_gone_is_taken_at_sighup_alone() {
    let mut scene = Scene::new("1");
    scene.knows_a_stranger_alone();
    // As if it were cut short.
    scene.world.write("policy.toml", &scene.right);
    scene.proxy.reads("no table [instances] any more");
    assert_eq!(scene.status(), 502);
    let right = scene.right.clone();
    scene.reads_at_hangup(&right, "peers are attested anew");
    assert_eq!(scene.status(), 200);
}

#[test]
fn a_table_that_is_gone_is_not_taken_because_the_file_of_arguments_was_written_too() {
    let mut scene = Scene::new("1");
    scene.knows_a_stranger_alone();
    scene.world.write("policy.toml", &scene.right);
    scene.world.write("proxy.toml", "drain = 1\n# as before\n");
    scene.proxy.reads("no table [instances] any more");
    assert_eq!(scene.status(), 502);
}

/// What was measured while an image runs may be left out, and then nothing is demanded of it.
#[test]
fn a_policy_whose_last_image_is_cut_short_is_taken_at_sighup_alone() {
    let mut scene = Scene::new("1");
    let lines = scene.right.split_inclusive('\n');
    let cut: String = lines.filter(|it| !it.starts_with("rtmr3")).collect();
    let whole = format!("{cut}rtmr3 = \"{}\"\n", "ab".repeat(48));
    scene.world.write("policy.toml", whole);
    scene.proxy.reads("peers are attested anew");
    assert_eq!(scene.status(), 502);
    scene.world.write("policy.toml", &cut);
    scene.proxy.reads("cut short");
    assert_eq!(scene.status(), 502);
    scene.reads_at_hangup(&cut, "peers are attested anew");
    assert_eq!(scene.status(), 200);
}

#[test]
fn a_device_whose_key_is_replaced_is_trusted_no_more_without_a_signal() {
    let world = World::new();
    let url = world.attested(world.device("device"), hello());
    let listen = ["--listen", "127.0.0.1:0", "--to", &url, "--look", "1"];
    let mut proxy = Proxy::start(&world, &[&listen[..], &TRUST].concat());
    let status = |proxy: &Proxy| world.block_on(fetch(proxy.address(), "/")).0.status;
    assert_eq!(status(&proxy), 200);
    world.device("device");
    proxy.reads("peers are attested anew");
    assert_eq!(status(&proxy), 502);
}

#[test]
fn a_client_whose_key_is_replaced_is_served_no_more() {
    let world = World::new();
    let behind = world.plain(echo());
    let key = KeyPair::generate().unwrap();
    world.write("client.pem", key.serialize_pem());
    let device = atls_sim::SimAttester::from_pkcs8(&key.serialize_der()).unwrap();
    world.write("client.key", device.trust_anchor().public_key());
    let clients = ["--clients", "require", "--trust-sim", "client.key"];
    let mut proxy = reverse(&world, &format!("http://{behind}"), &clients);
    let url = proxy.url("/");
    let get = ["get", &url, "--attester", "sim=client.pem"];
    let get = [&get[..], &TRUST].concat();
    world.atls(&get).ends_with(0);
    world.device("client");
    proxy.signal("HUP");
    proxy.reads("peers are attested anew");
    world.atls(&get).ends_with(3);
}

/// The key by which a service signs is pinned in a file; and one that the service publishes is fetched anew.
#[test]
fn a_key_of_a_service_is_read_again_pinned_or_not() {
    for pinned in [true, false] {
        let world = World::new();
        let platform = Arc::new(ForgedPlatform::new(support::now()).unwrap());
        let report = platform.td_report();
        let device = world.td(&platform, report);
        let to = world.attested(device, hello());
        let signer = Arc::new(Signer::es256());
        let set = Arc::new(std::sync::Mutex::new(signer.jwk_set().to_string()));
        let published = set.clone();
        let sign =
            move |_: &Signer, claims: Option<serde_json::Value>| Some(signer.token(&claims?));
        let app = stand_in::trustee_with(Arc::new(Signer::es256()), support::now, sign);
        let keys = get(async move || published.lock().unwrap().clone());
        let app = Router::new()
            .route("/.well-known/jwks.json", keys)
            .fallback_service(app);
        let service = world.plain(app);
        world.write("jwks", &*set.lock().unwrap());
        let verifier = match pinned {
            true => format!("trustee=http://{service},key=jwks"),
            false => format!("trustee=http://{service}"),
        };
        let arguments = [
            &["--listen", "127.0.0.1:0", "--to", &to, "--ca", "ca.pem"][..],
            &["--verifier", &verifier, "--drain", "1", "--look", "60"],
        ];
        let mut proxy = Proxy::start(&world, &arguments.concat());
        let status = |proxy: &Proxy| world.block_on(fetch(proxy.address(), "/")).0.status;
        assert_eq!(status(&proxy), 200);
        // The service signs on by the key that is withdrawn.
        let other = Signer::es256().jwk_set().to_string();
        world.write("jwks", &other);
        *set.lock().unwrap() = other;
        proxy.signal("HUP");
        proxy.reads("peers are attested anew");
        assert_eq!(status(&proxy), 502, "pinned: {pinned}");
    }
}

fn hello() -> Router {
    Router::new().route("/", get(async || "hello"))
}

const COLLATERAL: [&str; 4] = [
    "--dangerous-root",
    "tdx=root.der",
    "--collateral",
    "collateral",
];
