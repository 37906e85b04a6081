//! A table as a platform would define it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::path::PathBuf;

use atls_reference::Digest;
use atls_reference::FieldProblem;
use atls_reference::Table;
use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    pub debug: bool,
    #[serde(default)]
    pub image: Vec<Image>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    pub name: String,
    pub measurement: Digest<8>,
}

impl Table for Example {
    const NAME: &'static str = "example";

    fn check(&self) -> Result<(), FieldProblem> {
        if self.image.is_empty() {
            let problem = "no image is accepted; add [[example.image]]";
            return Err(FieldProblem::new("image", problem));
        }
        Ok(())
    }
}

pub const GOOD: &str = r#"version = 1

[example]
debug = false

[[example.image]]
name = "payments"
measurement = "000102030A0b0c0d"
"#;

pub const GOOD_JSON: &str = r#"{
  "version": 1,
  "example": {
    "debug": false,
    "image": [{
      "name": "payments",
      "measurement": "000102030a0b0c0d"
    }
    ]
  }
}
"#;

/// An empty folder for one test.
pub fn folder(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
