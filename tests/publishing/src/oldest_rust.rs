//! The stated Rust version: no dependency wants a newer one.

use std::error::Error;

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Locked {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    /// Most packages of before 2021 state none.
    rust_version: Option<String>,
}

impl Locked {
    /// The locked packages that want a newer Rust than `stated`.
    ///
    /// # Errors
    /// A version that is none.
    pub(crate) fn newer_than(&self, stated: &str) -> Result<Vec<String>, Box<dyn Error>> {
        let stated = numbers(stated)?;
        let mut newer = Vec::new();
        for package in &self.packages {
            let Some(wanted) = &package.rust_version else {
                continue;
            };
            if numbers(wanted)? > stated {
                let Package { name, version, .. } = package;
                newer.push(format!("{name} {version} wants Rust {wanted}"));
            }
        }
        Ok(newer)
    }
}

/// Three of them: what is left out is zero.
fn numbers(version: &str) -> Result<[u32; 3], Box<dyn Error>> {
    let mut numbers = [0; 3];
    let mut parts = version.split('.');
    for number in &mut numbers {
        if let Some(part) = parts.next() {
            *number = part.parse()?;
        }
    }
    match parts.next() {
        None => Ok(numbers),
        Some(_) => Err(format!("no version of Rust: {version}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_that_wants_a_newer_rust_is_told() {
        let locked = r#"{"packages": [
            {"name": "old", "version": "1.0.0", "rust_version": null},
            {"name": "same", "version": "1.0.0", "rust_version": "1.88.0"},
            {"name": "lower", "version": "1.0.0", "rust_version": "1.9"},
            {"name": "newer", "version": "2.0.0", "rust_version": "1.88.1"}]}"#;
        let locked: Locked = serde_json::from_str(locked).unwrap();
        let newer = locked.newer_than("1.88").unwrap();
        assert_eq!(newer, ["newer 2.0.0 wants Rust 1.88.1"]);
    }
}
