//! The file that holds the server key.
//!
//! Belongs here: reading, checking and making it. Does not belong here: deciding which file it is
//! ([`crate::config::Settings::key_path`]).

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{KEY_BYTES, SecretError, ServerKey, random_bytes, random_hex};

/// The longest file that can be a key: 64 digits and a line end of two characters.
const LONGEST: u64 = 66;

/// Why there is no server key. Names the file and what to do.
#[derive(Debug)]
pub enum KeyFileError {
    /// There is none at that path, and none may be made there.
    Missing(PathBuf),
    /// Somebody other than its owner may read or write it.
    Open {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It holds something else than a key.
    NotAKey {
        /// The key file.
        path: PathBuf,
        /// What it holds instead.
        found: &'static str,
    },
    /// It cannot be read.
    Unreadable(PathBuf, io::Error),
    /// It cannot be made.
    NotMade(PathBuf, io::Error),
    /// There are no random bytes to make it of.
    Secret(SecretError),
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyFileError::Missing(path) => write!(
                f,
                "there is no key file {}: give the right path by --key-file or PUNCHCARD_KEY_FILE, or bring the file back from a backup",
                path.display()
            ),
            KeyFileError::Open { path, mode } => write!(
                f,
                "the key file {0} can be read by others (mode {mode:04o}): run chmod 600 {0}",
                path.display()
            ),
            KeyFileError::NotAKey { path, found } => write!(
                f,
                "the key file {} holds {found}: a key is 32 bytes, or 64 hexadecimal digits with or without a line end",
                path.display()
            ),
            KeyFileError::Unreadable(path, error) => {
                write!(f, "the key file {} cannot be read: {error}", path.display())
            }
            KeyFileError::NotMade(path, error) => {
                write!(f, "the key file {} cannot be made: {error}", path.display())
            }
            KeyFileError::Secret(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KeyFileError {}

/// Where the key of a SQLite database lies when nothing else is said: beside it, with the extension `key`. `None` if
/// that would be the database itself.
pub fn default_key_path(database: &Path) -> Option<PathBuf> {
    let path = database.with_extension("key");
    (path != database).then_some(path)
}

impl ServerKey {
    /// Reads the key file, which must be there: 32 raw bytes, or 64 hexadecimal digits with or without a line end;
    /// readable by its owner only.
    ///
    /// # Errors
    /// Every [`KeyFileError`] but [`KeyFileError::NotMade`].
    pub fn load(path: &Path) -> Result<ServerKey, KeyFileError> {
        match File::open(path) {
            Ok(file) => read(path, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(KeyFileError::Missing(path.to_owned()))
            }
            Err(error) => Err(KeyFileError::Unreadable(path.to_owned(), error)),
        }
    }

    /// As [`ServerKey::load`], but makes the file (mode 0600, hexadecimal) if there is none. The second value says
    /// whether it was made.
    ///
    /// # Errors
    /// Every [`KeyFileError`] but [`KeyFileError::Missing`].
    pub fn load_or_make(path: &Path) -> Result<(ServerKey, bool), KeyFileError> {
        match ServerKey::load(path) {
            Err(KeyFileError::Missing(_)) => {}
            found => return Ok((found?, false)),
        }
        let key = random_bytes::<KEY_BYTES>().map_err(KeyFileError::Secret)?;
        let suffix = random_hex(8).map_err(KeyFileError::Secret)?;
        match make(path, &suffix, &key) {
            Ok(()) => Ok((ServerKey::from_bytes(&key), true)),
            // Another process was faster: its key is the key.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok((ServerKey::load(path)?, false))
            }
            Err(error) => Err(KeyFileError::NotMade(path.to_owned(), error)),
        }
    }
}

/// Writes the key under another name, syncs it and links it to its own: the key file is there whole or not at all,
/// after a loss of power too, and is never replaced.
fn make(path: &Path, suffix: &str, key: &[u8; KEY_BYTES]) -> io::Result<()> {
    let mut name = OsString::from(path);
    name.push(format!(".{suffix}.new"));
    let draft = PathBuf::from(name);
    let made = write(&draft, key).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    made.and(removed)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn write(draft: &Path, key: &[u8; KEY_BYTES]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)?;
    file.write_all(format!("{}\n", hex::encode(key)).as_bytes())?;
    file.sync_all()
}

fn read(path: &Path, file: File) -> Result<ServerKey, KeyFileError> {
    let unreadable = |error| KeyFileError::Unreadable(path.to_owned(), error);
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Open {
            path: path.to_owned(),
            mode,
        });
    }
    let mut bytes = Vec::new();
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    match parse(&bytes) {
        Ok(key) => Ok(ServerKey::from_bytes(&key)),
        Err(found) => Err(KeyFileError::NotAKey {
            path: path.to_owned(),
            found,
        }),
    }
}

/// The key in a file's bytes, or what they are instead.
fn parse(bytes: &[u8]) -> Result<[u8; KEY_BYTES], &'static str> {
    if let Ok(raw) = bytes.try_into() {
        return Ok(raw);
    }
    let digits = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let digits = digits.strip_suffix(b"\r").unwrap_or(digits);
    let mut key = [0; KEY_BYTES];
    match digits.len() {
        0 => Err("nothing"),
        length if length < KEY_BYTES * 2 => Err("too little"),
        length if length > KEY_BYTES * 2 => Err("too much"),
        _ => match hex::decode_to_slice(digits, &mut key) {
            Ok(()) => Ok(key),
            Err(_) => Err("64 characters that are not all hexadecimal digits"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use tempfile::TempDir;

    fn put(folder: &TempDir, bytes: &[u8], mode: u32) -> PathBuf {
        let path = folder.path().join("some.key");
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_key_is_made_once_private_and_read_again() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("punchcard.key");
        assert!(matches!(
            ServerKey::load(&path),
            Err(KeyFileError::Missing(_))
        ));
        let (first, made) = ServerKey::load_or_make(&path).unwrap();
        assert!(made);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            0o600
        );
        assert_eq!(fs::metadata(&path).unwrap().len(), 65);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no draft is left behind"
        );
        let (second, made) = ServerKey::load_or_make(&path).unwrap();
        assert!(!made);
        assert_eq!(first.check_value(), second.check_value());
        assert_eq!(
            ServerKey::load(&path).unwrap().check_value(),
            first.check_value()
        );
    }

    #[test]
    fn of_many_that_start_at_once_one_makes_the_key() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("punchcard.key");
        let (line, path) = (Barrier::new(8), &path);
        let results: Vec<_> = std::thread::scope(|scope| {
            let start = || {
                line.wait();
                ServerKey::load_or_make(path).unwrap()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert_eq!(results.iter().filter(|(_, made)| *made).count(), 1);
        assert!(
            results
                .iter()
                .all(|(key, _)| key.check_value() == results[0].0.check_value())
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn raw_and_hexadecimal_files_give_the_same_key() {
        let folder = TempDir::new().unwrap();
        let expected = ServerKey::from_bytes(&[0xab; 32]).check_value();
        for bytes in [
            vec![0xab; 32],
            b"ab".repeat(32),
            [b"AB".repeat(32), b"\n".to_vec()].concat(),
        ] {
            let path = put(&folder, &bytes, 0o600);
            assert_eq!(ServerKey::load(&path).unwrap().check_value(), expected);
        }
        let path = put(
            &folder,
            &[b"ab".repeat(32), b"\r\n".to_vec()].concat(),
            0o400,
        );
        assert_eq!(ServerKey::load(&path).unwrap().check_value(), expected);
    }

    #[test]
    fn anything_else_is_no_key() {
        let folder = TempDir::new().unwrap();
        let cases: [(&[u8], &str); 6] = [
            (b"", "holds nothing"),
            (b"\n", "holds nothing"),
            (&[1; 31], "holds too little"),
            (&[b'a'; 63], "holds too little"),
            (&[b'a'; 70], "holds too much"),
            (&[b'g'; 64], "not all hexadecimal digits"),
        ];
        for (bytes, expected) in cases {
            let error = ServerKey::load(&put(&folder, bytes, 0o600))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(expected) && error.contains("some.key"),
                "{error}"
            );
        }
        let error = ServerKey::load_or_make(&folder.path().join("no/such/x.key")).unwrap_err();
        assert!(matches!(error, KeyFileError::NotMade(..)), "{error}");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_remedy() {
        let folder = TempDir::new().unwrap();
        for mode in [0o644, 0o640, 0o604, 0o620] {
            let path = put(&folder, &[7; 32], mode);
            let error = ServerKey::load_or_make(&path).unwrap_err().to_string();
            assert!(
                error.ends_with(&format!("run chmod 600 {}", path.display())),
                "{error}"
            );
        }
    }

    #[test]
    fn the_default_path_is_beside_the_database() {
        assert_eq!(
            default_key_path(Path::new("/a/punchcard.db")),
            Some(PathBuf::from("/a/punchcard.key"))
        );
        assert_eq!(
            default_key_path(Path::new("cards")),
            Some(PathBuf::from("cards.key"))
        );
        assert_eq!(default_key_path(Path::new("cards.key")), None);
    }
}
