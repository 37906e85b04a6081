//! The order in which packages can be published.

use std::collections::BTreeSet;

use crate::package::Package;

/// Each package after those that it depends on, and by name where that leaves a choice.
///
/// # Errors
/// The packages of a cycle, which can be published in no order.
pub(crate) fn of(packages: &[Package]) -> Result<Vec<&str>, String> {
    let mut waiting: BTreeSet<_> = packages.iter().map(Package::name).collect();
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let next = packages.iter().map(Package::name).collect::<BTreeSet<_>>();
        let next = next.into_iter().find(|name| {
            waiting.contains(name)
                && packages
                    .iter()
                    .filter(|package| package.name() == *name)
                    .all(|package| {
                        package
                            .registry_dependencies()
                            .all(|on| !waiting.contains(on))
                    })
        });
        let Some(next) = next else {
            return Err(format!("{waiting:?} depend on each other in a cycle"));
        };
        waiting.remove(next);
        order.push(next);
    }
    Ok(order)
}

/// As it stands in CONTRIBUTING.
pub(crate) fn as_block(order: &[&str]) -> String {
    format!("```text\n{}\n```", order.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &str) -> Package {
        let json = format!(
            r#"{{"name": "{name}", "version": "0.1.0", "manifest_path": "/{name}/Cargo.toml", "keywords": [], "categories": [],
                 "metadata": null, "dependencies": [{dependencies}]}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn what_is_needed_comes_first() {
        let needs_b = r#"{"name": "b", "req": "^0.1.0", "kind": null, "path": "/b"}"#;
        let packages = [package("a", needs_b), package("b", "")];
        assert_eq!(of(&packages), Ok(vec!["b", "a"]));
    }

    #[test]
    fn a_cycle_is_a_fault() {
        let needs_a = r#"{"name": "a", "req": "^0.1.0", "kind": "dev", "path": "/a"}"#;
        let needs_b = r#"{"name": "b", "req": "^0.1.0", "kind": null, "path": "/b"}"#;
        assert!(of(&[package("a", needs_b), package("b", needs_a)]).is_err());
    }

    #[test]
    fn a_test_may_need_what_comes_later() {
        let needs_a = r#"{"name": "a", "req": "*", "kind": "dev", "path": "/a"}"#;
        let needs_b = r#"{"name": "b", "req": "^0.1.0", "kind": null, "path": "/b"}"#;
        let packages = [package("a", needs_b), package("b", needs_a)];
        assert_eq!(of(&packages), Ok(vec!["b", "a"]));
    }
}
