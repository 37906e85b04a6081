//! The places of settings, which findings name by their path within the table.

use std::collections::BTreeMap;

use atls_core::finding::Finding;
use atls_reference::FieldProblem;
use atls_reference::Format;
use atls_reference::Live;
use atls_reference::Table;
use serde::Deserialize;

#[test]
fn a_setting_has_its_place_by_its_whole_path() {
    let live = Live::<Machines>::of_text("policy.toml", TEXT, Format::Toml).unwrap();
    let line = |allowed: &str| {
        let finding = Finding::failed("machines.check").with_allowed(allowed, "");
        let found = live.located(&live.current(), vec![finding]).remove(0);
        found.place().unwrap().line()
    };
    assert_eq!(line("least"), 4);
    assert_eq!(line("minimum.milan"), 6);
    assert_eq!(line("minimum.milan.reported"), 7);
    assert_eq!(line("minimum.genoa.reported"), 10);
    assert_eq!(line("web"), 12);
    // A word that is no setting of the table, but stands within some: the table as a whole.
    for other in ["reported", "milan", "genoa", "measurement"] {
        assert_eq!(line(other), 3, "{other}");
    }
}

const TEXT: &str = "version = 1

[machines]
least = 3

[machines.minimum.milan]
reported = 1

[machines.minimum.genoa]
reported = 2

[[machines.image]]
name = \"web\"
measurement = 7
";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Machines {
    #[serde(rename = "least")]
    _least: u8,
    #[serde(rename = "minimum")]
    _minimum: BTreeMap<String, BTreeMap<String, u8>>,
    #[serde(rename = "image")]
    _image: Vec<Image>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "measurement")]
    _measurement: u8,
}

impl Table for Machines {
    const NAME: &'static str = "machines";

    fn check(&self) -> Result<(), FieldProblem> {
        Ok(())
    }
}
