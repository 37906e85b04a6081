//! Label and code points of the draft stand in one file.

use std::path::Path;
use std::path::PathBuf;

#[test]
fn no_source_but_the_profile_has_its_label_or_code_point() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut searched = 0;
    let mut found = Vec::new();
    for name in ["atls-core", "atls-tower", "atls-axum", "atls-reqwest"] {
        for file in sources(&root.join(name).join("src")) {
            if file.ends_with("wire_profile.rs") {
                continue;
            }
            searched += 1;
            let text = std::fs::read_to_string(&file).expect("a source");
            // Production code comes before the tests of a file.
            let code = text.split("#[cfg(test)]").next().expect("a first part");
            let lines = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            let hits = lines.filter(|line| is_of_profile(line));
            found.extend(hits.map(|line| format!("{}: {line}", file.display())));
        }
    }
    assert!(searched > 100, "{searched}");
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_label_or_code_point_elsewhere_is_seen() {
    assert!(is_of_profile(
        "session.export(b\"Attestation\", context, out)"
    ));
    assert!(is_of_profile("const CODE: u16 = 0xff00;"));
    assert!(is_of_profile("            code: CMW_ATTESTATION,"));
    assert!(!is_of_profile("let code = profile.cmw_attestation();"));
    assert!(!is_of_profile(
        "pub const ATTESTATION_PARAMETERS: u16 = 0xff02;"
    ));
}

fn is_of_profile(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    let definition = "pub const CMW_ATTESTATION: u16 = WireProfile::EXPAT_03.cmw_attestation();";
    line != definition
        && (line.contains("\"Attestation\"")
            || line.contains("\"EXPORTER-cmw")
            || line.contains("CMW_ATTESTATION")
            || lower.contains("0xff00")
            || lower.contains("65280")
            || lower.contains("65_280"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
