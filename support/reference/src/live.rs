//! A table that can be replaced while connections are served.

use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::RwLock;

use atls_core::Stale;
use atls_core::finding::Finding;
use atls_core::finding::Place;
use atls_core::pki_types::UnixTime;

use crate::cut_short::is_cut_short;
use crate::ends::Ends;
use crate::error::ReferenceError;
use crate::file;
use crate::format::Format;
use crate::places;
use crate::places::Places;
use crate::sourced::Sourced;
use crate::stamp::Stamp;
use crate::table::Table;

/// The table in force, which verifiers read anew for each appraisal.
///
/// To replace a file, write another and rename it over the old one. [`reload_if_changed`](Self::reload_if_changed), called from
/// a timer or a signal handler of the application, then puts it in force:
///
/// ```
/// use atls_reference::{FieldProblem, Live, ReferenceError, Table};
/// # use serde::Deserialize;
///
/// /// A platform's table; yours comes from its crate: `NitroPolicy`, `SnpPolicy`, `TdxPolicy`.
/// #[derive(Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Example {
///     debug: bool,
/// }
///
/// impl Table for Example {
///     const NAME: &'static str = "example";
///
///     fn check(&self) -> Result<(), FieldProblem> {
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let file = std::env::temp_dir().join(format!("atls-live-{}.toml", std::process::id()));
/// # std::fs::write(&file, "version = 1\n[example]\ndebug = false\n")?;
/// let policy = Live::<Example>::open(&file)?;
/// assert!(!policy.current().debug);
///
/// // Every minute, or at a signal:
/// if let Err(error) = policy.reload_if_changed() {
///     // The old table is still in force. Tell an operator.
///     let why = atls_core::report(&error);
///     eprintln!("reference values were not reloaded: {why}");
/// }
/// # std::fs::remove_file(&file)?;
/// # Ok(())
/// # }
/// ```
pub struct Live<T> {
    source: Option<Source>,
    /// Locked while a file is read and put in force, so that an older reading never replaces a newer one.
    file: Mutex<InForce>,
    current: RwLock<Current<T>>,
}

/// The file in force, and the one that was last seen.
#[derive(Default)]
struct InForce {
    stamp: Option<Stamp>,
    text: String,
    seen: Option<Stamp>,
}

struct Source {
    path: PathBuf,
    /// The tables that the file may hold; empty for any.
    used: Vec<String>,
}

struct Current<T> {
    table: Arc<T>,
    /// Empty for a table without a file.
    places: Arc<[Places]>,
    ends: Ends,
    generation: u64,
}

impl<T: Table> Live<T> {
    /// A table without a file, which stays in force until [`replace`](Self::replace).
    ///
    /// # Errors
    /// [`ReferenceError::Meaning`] as [`Table::check`] says.
    pub fn fixed(table: T) -> Result<Self, ReferenceError> {
        Ok(Self::of(Sourced::new(table)?))
    }

    /// A table that knows the places of its entries, which stays in force until [`replace`](Self::replace) or
    /// [`replace_by`](Self::replace_by).
    pub fn of(sourced: Sourced<T>) -> Self {
        Self::with(None, InForce::default(), sourced)
    }

    /// The table of a text that was read already; findings name `file` as its place. It stays in force until
    /// [`replace`](Self::replace).
    ///
    /// # Errors
    /// [`ReferenceError`]
    pub fn of_text(
        file: impl Into<String>,
        text: impl Into<String>,
        format: Format,
    ) -> Result<Self, ReferenceError> {
        Ok(Self::of(Sourced::of_text(file, text, format)?))
    }

    /// The table of a file: JSON where its name ends in `.json`, otherwise TOML.
    ///
    /// # Errors
    /// [`ReferenceError`]
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ReferenceError> {
        let source = Source {
            path: path.into(),
            used: Vec::new(),
        };
        let read = source.read()?;
        let file = InForce::of(read.stamp, read.text);
        Ok(Self::with(Some(source), file, read.sourced))
    }

    /// Names all tables that the application uses. From now on, and at each reload, a file with another one is an error, which
    /// finds misspelt names.
    ///
    /// # Errors
    /// [`ReferenceError`]
    pub fn expecting(mut self, used: &[&str]) -> Result<Self, ReferenceError> {
        if let Some(source) = &mut self.source {
            source.used = used.iter().map(|name| (*name).to_owned()).collect();
        }
        self.reload()?;
        Ok(self)
    }

    /// Puts another table in force.
    ///
    /// # Errors
    /// [`ReferenceError::Meaning`]; the old one then stays in force.
    pub fn replace(&self, table: T) -> Result<(), ReferenceError> {
        self.replace_by(Sourced::new(table)?);
        Ok(())
    }

    /// Puts another table in force that knows the places of its entries.
    pub fn replace_by(&self, sourced: Sourced<T>) {
        let _one_at_a_time = self.file();
        self.put(sourced);
    }

    /// Reads the file again, and puts it in force, whatever became of it. Does nothing without a file.
    ///
    /// # Errors
    /// [`ReferenceError`]; the old table then stays in force.
    pub fn reload(&self) -> Result<(), ReferenceError> {
        let Some(source) = &self.source else {
            return Ok(());
        };
        let mut file = self.file();
        self.take(&mut file, source.read()?);
        Ok(())
    }

    /// Reads the file again if it differs from the one in force, by time of modification, length and, on Unix, inode and time of change. Gives
    /// whether it did.
    ///
    /// A file that is half written may be a good one that demands less, for most demands may be left out. So it is read once it was the same in
    /// two calls, and by the second one; and one that is the file in force [cut short](is_cut_short), as on a full disk, is an error.
    /// [`reload`](Self::reload) takes it.
    ///
    /// # Errors
    /// [`ReferenceError`]; the old table then stays in force, and the next call tries again.
    pub fn reload_if_changed(&self) -> Result<bool, ReferenceError> {
        let Some(source) = &self.source else {
            return Ok(false);
        };
        let mut file = self.file();
        let now = source.stamp()?;
        let stands_still = file.seen.replace(now) == Some(now);
        if file.stamp == Some(now) || !stands_still {
            return Ok(false);
        }
        let read = source.read()?;
        if read.stamp != now || source.stamp()? != now {
            // The next call sees that it changed once more.
            return Ok(false);
        }
        if is_cut_short(&file.text, &read.text) {
            return Err(ReferenceError::CutShort(source.path.clone()));
        }
        self.take(&mut file, read);
        Ok(true)
    }

    /// The table in force now, also where its values have ended: a verifier takes [`valid_at`](Self::valid_at).
    pub fn current(&self) -> Arc<T> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current.table)
    }

    /// The table in force, and when its values end. A verifier ends its result by [`Ends::limit`].
    ///
    /// # Errors
    /// A CoRIM whose values are in the table has ended. Replace it.
    pub fn valid_at(&self, now: UnixTime) -> Result<(Arc<T>, Ends), Stale> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.ends.check(now)?;
        Ok((Arc::clone(&current.table), current.ends))
    }

    /// Puts the place of the rule into the findings that did not pass: that of the first value that is allowed, by its name in a file, or of
    /// the table where no such name is in any. In a text it is a line, in a CoRIM the numbers of tag, triple and measurement. For a
    /// table that was replaced meanwhile, or comes from no file, they stay as they are.
    #[must_use]
    pub fn located(&self, table: &Arc<T>, findings: Vec<Finding>) -> Vec<Finding> {
        let places = self.places(table);
        let findings = findings.into_iter();
        findings
            .map(|finding| places::put(&places, finding))
            .collect()
    }

    /// The place of a field of the table, by its path such as `image[2].measurement`, or of its parent where the file leaves it out. `None`
    /// for a table that was replaced meanwhile, or comes from no text.
    pub fn place(&self, table: &Arc<T>, field: &str) -> Option<Place> {
        places::field(&self.places(table), field)
    }

    /// The number of replacements, which never falls. A result that was reached under another number may have been reached
    /// under another table: a cache of results asks before the appraisal and drops those of other numbers. A verifier gives it
    /// as `Verifier::generation`.
    pub fn generation(&self) -> u64 {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.generation
    }

    fn with(source: Option<Source>, file: InForce, sourced: Sourced<T>) -> Self {
        Self {
            source,
            file: Mutex::new(file),
            current: RwLock::new(Current {
                table: Arc::new(sourced.table),
                places: sourced.places.into(),
                ends: sourced.ends,
                generation: 0,
            }),
        }
    }

    /// Those of this table, and none where another one is in force.
    fn places(&self, table: &Arc<T>) -> Arc<[Places]> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        match Arc::ptr_eq(&current.table, table) {
            true => current.places.clone(),
            false => Arc::new([]),
        }
    }

    fn file(&self) -> MutexGuard<'_, InForce> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, file: &mut InForce, read: Read<T>) {
        *file = InForce::of(read.stamp, read.text);
        self.put(read.sourced);
    }

    fn put(&self, sourced: Sourced<T>) {
        let (table, places) = (Arc::new(sourced.table), sourced.places.into());
        let ends = sourced.ends;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.table = table;
        current.places = places;
        current.ends = ends;
        current.generation = current.generation.saturating_add(1);
    }
}

impl<T> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("path", &self.source.as_ref().map(|source| &source.path))
            .finish_non_exhaustive()
    }
}

impl InForce {
    fn of(stamp: Stamp, text: String) -> Self {
        Self {
            stamp: Some(stamp),
            text,
            seen: Some(stamp),
        }
    }
}

/// A file as it was read.
struct Read<T> {
    sourced: Sourced<T>,
    text: String,
    stamp: Stamp,
}

impl Source {
    fn stamp(&self) -> Result<Stamp, ReferenceError> {
        let about = std::fs::metadata(&self.path);
        let about = about.map_err(|error| ReferenceError::unreadable(&self.path, error))?;
        Ok(Stamp::of(&about))
    }

    fn read<T: Table>(&self) -> Result<Read<T>, ReferenceError> {
        let unreadable = |error| ReferenceError::unreadable(&self.path, error);
        let file = File::open(&self.path).map_err(unreadable)?;
        // The stamp is taken before the reading: a later change shows as one.
        let stamp = Stamp::of(&file.metadata().map_err(unreadable)?);
        let text = file::read(file, &self.path)?;
        let format = Format::of(&self.path);
        if !self.used.is_empty() {
            let used: Vec<&str> = self.used.iter().map(String::as_str).collect();
            file::expect_tables(&text, format, &used)?;
        }
        let shown = self.path.display().to_string();
        Ok(Read {
            sourced: Sourced::of_text(shown, text.as_str(), format)?,
            text,
            stamp,
        })
    }
}
