//! The peer's own checks.

use crate::scene::Scene;

#[test]
fn the_python_peer_passes_its_own_checks_and_every_vector() {
    let Some(scene) = Scene::new("alone") else {
        return;
    };
    let checks = scene
        .command()
        .args(["-m", "unittest", "discover", "--top-level-directory", "."])
        .current_dir(Scene::sources())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checks.stderr);
    assert!(checks.status.success(), "{said}");
    assert!(said.contains("\nOK"), "{said}");
}
