//! No file imports another that imports it, directly or by others. Names that a module hands on count as imported from their own file.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::sources;

/// The folder of a crate's sources, and a path of modules below it.
type Module = (String, Vec<String>);

#[test]
fn no_circle_of_imports_between_files() {
    let files = sources::all();
    let texts = files
        .iter()
        .filter(|(path, _)| !path.starts_with("tests"))
        .filter_map(|(path, text)| Some((module(path.to_str()?)?, text.as_str())));
    let house = House::of(texts.collect());
    assert!(house.files.len() > 500, "all files are found");
    assert_eq!(house.circles(), Vec::<String>::new());
}

#[test]
fn a_circle_is_seen_also_through_names_that_are_handed_on() {
    let circles = |texts: &[(&str, &'static str)]| {
        let texts = texts
            .iter()
            .map(|(path, text)| (module(path).unwrap(), *text));
        House::of(texts.collect()).circles()
    };
    let root = ("c/src/lib.rs", "mod a;\nmod b;\n");
    let a = ("c/src/a.rs", "use crate::b::B;\n");
    let b = ("c/src/b/mod.rs", "mod inner;\npub use inner::B;\n");
    let inner = ("c/src/b/inner.rs", "use super::super::a::A;\n");
    assert_eq!(
        circles(&[root, a, b, inner]),
        ["c/src/a", "c/src/b/inner"].map(str::to_owned)
    );
    let inner = ("c/src/b/inner.rs", "use std::fmt;\n");
    assert!(circles(&[root, a, b, inner]).is_empty());
    let inner = (
        "c/src/b/inner.rs",
        "#[cfg(test)]\nmod tests {}\nuse crate::a::A;\n",
    );
    assert!(circles(&[root, a, b, inner]).is_empty());
}

/// The module of a file. Those of tests are none.
fn module(path: &str) -> Option<Module> {
    let (root, below) = match path.strip_prefix("src/") {
        Some(below) => ("", below),
        None => path.split_once("/src/")?,
    };
    let mut names: Vec<String> = below
        .strip_suffix(".rs")?
        .split('/')
        .map(str::to_owned)
        .collect();
    if names.iter().any(|name| name == "tests") {
        return None;
    }
    if matches!(names.last()?.as_str(), "lib" | "main" | "mod") {
        names.pop();
    }
    Some((format!("{root}/src"), names))
}

#[derive(Default)]
struct House<'a> {
    files: BTreeMap<Module, &'a str>,
    handed_on: BTreeMap<(Module, String), Vec<String>>,
}

impl<'a> House<'a> {
    fn of(files: BTreeMap<Module, &'a str>) -> Self {
        let mut house = Self {
            files,
            ..Self::default()
        };
        let modules: Vec<Module> = house.files.keys().cloned().collect();
        for module in modules {
            for (path, name) in house.uses(&module, |line| line.starts_with("pub")) {
                house.handed_on.insert((module.clone(), name), path);
            }
        }
        house
    }

    /// Files from which imports lead back to them.
    fn circles(&self) -> Vec<String> {
        let imports: BTreeMap<&Module, BTreeSet<Module>> = self
            .files
            .keys()
            .map(|module| (module, self.imports(module)))
            .collect();
        let leads_back = |module: &&Module| {
            let mut open: Vec<&Module> = imports[*module].iter().collect();
            let mut seen = BTreeSet::new();
            while let Some(next) = open.pop() {
                if seen.insert(next) {
                    open.extend(&imports[next]);
                }
            }
            seen.contains(*module)
        };
        let files = self.files.keys().filter(leads_back);
        files
            .map(|(root, names)| format!("{root}/{}", names.join("/")))
            .collect()
    }

    fn imports(&self, module: &Module) -> BTreeSet<Module> {
        let uses = self.uses(module, |line| line.starts_with("use "));
        let files = uses
            .into_iter()
            .map(|(path, _)| self.file(&module.0, &path));
        files.filter(|file| file != module).collect()
    }

    /// Paths from the root of the crate, and the names that they have in the module. Those of other crates are left out.
    fn uses(
        &self,
        module: &Module,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Vec<(Vec<String>, String)> {
        let (root, names) = module;
        let code = self.files[module];
        let code = code
            .split_once("#[cfg(test)]\nmod ")
            .map_or(code, |(code, _)| code);
        let read = |line: &str| {
            let (_, path) = line.strip_suffix(';')?.split_once("use ")?;
            let (path, name) = match path.split_once(" as ") {
                Some((path, name)) => (path, Some(name)),
                None => (path, None),
            };
            let mut path = path.split("::").map(str::to_owned).peekable();
            let first = path.peek()?.clone();
            let mut full = names.clone();
            match first.as_str() {
                "crate" => full.clear(),
                "self" => {}
                "super" => full.truncate(full.len().checked_sub(1)?),
                child => {
                    let child = [&names[..], &[child.to_owned()]].concat();
                    let is_ours = self.files.contains_key(&(root.clone(), child));
                    return is_ours.then(|| {
                        full.extend(path);
                        named(full, name)
                    })?;
                }
            }
            path.next();
            while path.next_if(|name| name == "super").is_some() {
                full.truncate(full.len().checked_sub(1)?);
            }
            full.extend(path);
            named(full, name)
        };
        code.lines()
            .filter(|line| is_wanted(line))
            .filter_map(read)
            .collect()
    }

    /// The file that defines what stands at a path.
    fn file(&self, root: &str, path: &[String]) -> Module {
        let mut length = path.len();
        while length > 0 {
            let module = (root.to_owned(), path[..length].to_vec());
            if self.files.contains_key(&module) {
                break;
            }
            length -= 1;
        }
        let module = (root.to_owned(), path[..length].to_vec());
        let Some(name) = path.get(length) else {
            return module;
        };
        match self.handed_on.get(&(module.clone(), name.clone())) {
            Some(elsewhere) if elsewhere != path => self.file(root, elsewhere),
            _ => module,
        }
    }
}

fn named(path: Vec<String>, name: Option<&str>) -> Option<(Vec<String>, String)> {
    let name = name.map_or_else(|| path.last().cloned(), |name| Some(name.to_owned()));
    Some((path, name?))
}
