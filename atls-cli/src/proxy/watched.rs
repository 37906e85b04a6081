//! Files that are read again when they have changed.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::SystemTime;

use crate::failure::Failure;

/// Files that belong together, and the state in which they were last read.
pub(super) struct Watched {
    files: Vec<PathBuf>,
    state: Mutex<State>,
}

/// When files are read again.
#[derive(Clone, Copy)]
pub(super) enum When {
    /// At SIGHUP.
    Asked,
    /// If one was written since.
    Changed,
}

struct State {
    /// Of what is in force.
    taken: Stamps,
    /// At the last look.
    seen: Stamps,
}

/// The states of some files at one moment.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Stamps(Vec<Option<Stamp>>);

/// The state of a file, compared without reading it. A link is followed, so one that is changed to another file shows too.
///
/// The time of its content may be set, and is the same for all files of an archive or image that can be made again; the time of its state
/// is the system's.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    /// Seconds since the epoch, and nanoseconds.
    changed: (i64, i64),
    length: u64,
    file: (u64, u64),
}

impl Watched {
    /// Before they are first read, so that a later change shows.
    pub(super) fn new(files: impl IntoIterator<Item = PathBuf>) -> Self {
        // The standard input is read once.
        let files = files.into_iter().filter(|file| file != Path::new("-"));
        let files: Vec<_> = files.collect();
        let now = Stamps::of(&files);
        Self {
            files,
            state: Mutex::new(State {
                taken: now.clone(),
                seen: now,
            }),
        }
    }

    /// Whether they are to be read now.
    pub(super) fn are_due(&self, when: When) -> bool {
        match when {
            When::Asked => true,
            When::Changed => self.have_changed(),
        }
    }

    /// Whether they differ from what is in force, and did so at the last look: files that are being written, or of which one was replaced and
    /// the other not yet, are left alone until they stand still.
    pub(super) fn have_changed(&self) -> bool {
        let now = Stamps::of(&self.files);
        let mut state = self.state();
        let stand_still = state.seen == now;
        state.seen = now;
        stand_still && state.seen != state.taken
    }

    /// Reads them, and gives their state for [`took`](Self::took).
    ///
    /// # Errors
    /// Those of reading, and a fault where one was written meanwhile: what was read may be half of one and half of the other.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<(T, Stamps), Failure> {
        let before = Stamps::of(&self.files);
        let fresh = read()?;
        if Stamps::of(&self.files) != before {
            return Err(Failure::fault("a file was written while it was read"));
        }
        Ok((fresh, before))
    }

    /// What was read in this state is in force.
    pub(super) fn took(&self, stamps: Stamps) {
        self.state().taken = stamps;
    }

    /// The last look is answered, whatever comes of it: it is not tried again before they change once more.
    pub(super) fn dismiss(&self) {
        let mut state = self.state();
        state.taken = state.seen.clone();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stamps {
    fn of(files: &[PathBuf]) -> Self {
        let stamp = |file: &PathBuf| Some(Stamp::of(&std::fs::metadata(file).ok()?));
        Self(files.iter().map(stamp).collect())
    }
}

impl Stamp {
    fn of(about: &Metadata) -> Self {
        Self {
            modified: about.modified().ok(),
            changed: (about.ctime(), about.ctime_nsec()),
            length: about.len(),
            file: (about.dev(), about.ino()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder of its own, which is removed with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("atls-watched-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, text).unwrap();
            path
        }

        /// The time of a file that is written now.
        fn stamp(&self, name: &str) -> (i64, i64) {
            let about = fs::metadata(self.write(name, "now")).unwrap();
            (about.ctime(), about.ctime_nsec())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn take(watched: &Watched) {
        let ((), stamps) = watched.read(|| Ok(())).unwrap();
        watched.took(stamps);
    }

    #[test]
    fn a_change_counts_once_it_stands_still_and_until_it_is_taken() {
        let folder = Folder::new("still");
        let file = folder.write("a", "one");
        let watched = Watched::new([file]);
        assert!(!watched.have_changed());
        folder.write("a", "two and");
        assert!(!watched.have_changed());
        folder.write("a", "two and more");
        assert!(!watched.have_changed());
        for _ in 0..2 {
            assert!(watched.have_changed(), "what was not taken is tried again");
        }
        take(&watched);
        assert!(!watched.have_changed());
    }

    #[test]
    fn a_file_that_is_replaced_by_one_of_the_same_time_and_length_has_changed() {
        let folder = Folder::new("replaced");
        let file = folder.write("a", "one");
        let time = fs::metadata(&file).unwrap().modified().unwrap();
        let watched = Watched::new([file.clone()]);
        let other = folder.write("b", "two");
        let other_file = fs::File::options().write(true).open(&other).unwrap();
        other_file.set_modified(time).unwrap();
        fs::rename(other, file).unwrap();
        watched.have_changed();
        assert!(watched.have_changed());
    }

    #[test]
    fn a_file_whose_content_is_replaced_by_as_much_with_the_time_of_before_has_changed() {
        let folder = Folder::new("time");
        let file = folder.write("a", "one");
        let time = fs::metadata(&file).unwrap().modified().unwrap();
        let watched = Watched::new([file.clone()]);
        // The clock of files goes in steps.
        while folder.stamp("b") == folder.stamp("b") {}
        folder.write("a", "two");
        let opened = fs::File::options().write(true).open(&file).unwrap();
        opened.set_modified(time).unwrap();
        watched.have_changed();
        assert!(watched.have_changed());
    }

    /// As Kubernetes replaces what it mounts: `..data` is changed to another folder, and the files are links through it.
    #[test]
    fn links_that_are_changed_to_another_folder_show() {
        use std::os::unix::fs::symlink;
        let folder = Folder::new("links");
        for name in ["1", "2"] {
            fs::create_dir(folder.0.join(name)).unwrap();
            folder.write(&format!("{name}/key"), name);
        }
        let at = |name: &str| folder.0.join(name);
        symlink("1", at("..data")).unwrap();
        symlink("..data/key", at("key")).unwrap();
        let watched = Watched::new([at("key")]);
        symlink("2", at("..new")).unwrap();
        fs::rename(at("..new"), at("..data")).unwrap();
        watched.have_changed();
        assert!(watched.have_changed());
        let (read, _) = watched
            .read(|| Ok(fs::read_to_string(at("key")).unwrap()))
            .unwrap();
        assert_eq!(read, "2");
    }

    #[test]
    fn what_was_written_meanwhile_is_not_taken() {
        let folder = Folder::new("meanwhile");
        let files = ["a", "b"].map(|name| folder.write(name, "one"));
        let watched = Watched::new(files);
        let read = watched.read(|| {
            folder.write("b", "another");
            Ok(())
        });
        assert!(read.is_err());
        watched.have_changed();
        assert!(watched.have_changed());
    }

    #[test]
    fn a_file_that_is_gone_has_changed() {
        let folder = Folder::new("gone");
        let file = folder.write("a", "one");
        let watched = Watched::new([file.clone()]);
        fs::remove_file(file).unwrap();
        watched.have_changed();
        assert!(watched.have_changed());
    }

    #[test]
    fn a_change_that_is_dismissed_is_told_once() {
        let folder = Folder::new("dismissed");
        let watched = Watched::new([folder.write("a", "one")]);
        folder.write("a", "wrong");
        watched.have_changed();
        assert!(watched.have_changed());
        watched.dismiss();
        assert!(!watched.have_changed());
        folder.write("a", "right again");
        watched.have_changed();
        assert!(watched.have_changed());
    }

    #[test]
    fn the_standard_input_is_never_read_again() {
        let watched = Watched::new(["-".into()]);
        assert!(watched.files.is_empty());
    }
}
