//! Tests of the settings as a whole.
use super::*;
use std::fs;
use tempfile::TempDir;

type Loaded = Result<(Settings, Vec<String>), ConfigError>;

fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn flag(name: &str, text: &str) -> Flags {
    Flags::default().set(name, text.to_owned())
}

fn load(pairs: &[(&str, &str)]) -> Loaded {
    Settings::load_from(Flags::default(), variables(pairs))
}

/// Loads with a configuration file of this content.
fn load_file(content: &str) -> Loaded {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("punchcard.toml");
    fs::write(&path, content).unwrap();
    Settings::load_from(Flags::default().config(path), [])
}

fn wrong(loaded: Loaded) -> String {
    loaded.map(|_| ()).unwrap_err().to_string()
}

#[test]
fn the_defaults_are_right() {
    let (settings, warnings) = load(&[]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8015");
    assert_eq!(settings.database_url.to_string(), "sqlite:punchcard.db");
    assert_eq!(settings.key_path().unwrap(), PathBuf::from("punchcard.key"));
    assert_eq!(
        (settings.max_lines, settings.queue_timeout_ms),
        (200_000, 4_000)
    );
    assert!(!settings.unsafe_durability && warnings.is_empty());
}

#[test]
fn the_table_is_sound() {
    for option in OPTIONS {
        assert!(
            option.doc.ends_with('.') && !option.doc.contains('\n'),
            "{}",
            option.doc
        );
        assert!(
            !OPTIONS
                .iter()
                .any(|other| other.name == format!("{}_file", option.name)),
            "{}",
            option.name
        );
        if let Some((least, most)) = option.range {
            assert!(
                (least..=most).contains(&option.default.parse().unwrap()),
                "{}",
                option.name
            );
            for outside in [least.checked_sub(1), most.checked_add(1)]
                .into_iter()
                .flatten()
            {
                let error = wrong(Settings::load_from(
                    flag(option.name, &outside.to_string()),
                    [],
                ));
                assert!(
                    error.contains(&format!("from {least} to {most}")),
                    "{error}"
                );
            }
        }
    }
}

#[test]
fn flags_beat_variables_beat_the_file_beats_defaults() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("punchcard.toml");
    fs::write(
        &path,
        "max_lines = 11\nmax_fields = 111\nwriters = 9\nlog = \"debug\"\n",
    )
    .unwrap();
    let flags = flag("max_lines", "32")
        .set("max_lines", "33".to_owned())
        .set("log", None);
    let given = [
        ("PUNCHCARD_CONFIG", path.to_str().unwrap()),
        ("PUNCHCARD_MAX_LINES", "22"),
        ("PUNCHCARD_MAX_FIELDS", "222"),
    ];
    let (settings, _) = Settings::load_from(flags, variables(&given)).unwrap();
    assert_eq!(
        (settings.max_lines, settings.max_fields, settings.writers),
        (33, 222, 9)
    );
    assert_eq!((settings.log.as_str(), settings.http_workers), ("debug", 2));
    assert_eq!(
        settings.source("max_lines"),
        &Source::Flag("--max-lines".to_owned())
    );
    assert_eq!(
        settings.source("max_fields"),
        &Source::Variable("PUNCHCARD_MAX_FIELDS".to_owned())
    );
    assert_eq!(settings.source("writers"), &Source::File(path));
    assert_eq!(settings.source("http_workers"), &Source::Default);
}

#[test]
fn the_flag_for_the_file_beats_the_variable() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.toml");
    fs::write(&path, "max_lines = 7").unwrap();
    let flags = Flags::default().config(path);
    let (settings, _) =
        Settings::load_from(flags, variables(&[("PUNCHCARD_CONFIG", "/no/such")])).unwrap();
    assert_eq!(settings.max_lines, 7);
    assert!(
        wrong(load(&[("PUNCHCARD_CONFIG", "/no/such")]))
            .starts_with("the file /no/such: it cannot be read: ")
    );
}

#[test]
fn an_error_names_source_value_and_what_would_be_right() {
    assert_eq!(
        wrong(load(&[("PUNCHCARD_MAX_LINES", "many")])),
        "the variable PUNCHCARD_MAX_LINES: the value \"many\" is wrong: give a whole number from 1 to 1000000"
    );
    assert_eq!(
        wrong(Settings::load_from(flag("listen", "8015"), [])),
        "the flag --listen: the value \"8015\" is wrong: give an IP address and a port, such as 127.0.0.1:8015 or [::1]:8015"
    );
    let error = wrong(load_file("unsafe_durability = \"maybe\""));
    assert!(error.ends_with("punchcard.toml, key unsafe_durability: the value \"maybe\" is wrong: give true or false"), "{error}");
    let error = wrong(load_file("max_lines = 1.5"));
    assert!(
        error.contains("key max_lines: the value is of the type float"),
        "{error}"
    );
    let error = wrong(Settings::load_from(flag("no_such", "1"), []));
    assert!(
        error.starts_with("the flag --no-such: \"no_such\" is not a setting"),
        "{error}"
    );
}

#[test]
fn a_wrong_value_is_an_error_even_behind_a_right_one() {
    let loaded = Settings::load_from(
        flag("max_lines", "5"),
        variables(&[("PUNCHCARD_MAX_LINES", "0")]),
    );
    assert!(wrong(loaded).starts_with("the variable PUNCHCARD_MAX_LINES"));
}

#[test]
fn an_unknown_key_of_the_file_is_an_error_with_the_nearest_one() {
    let error = wrong(load_file("max_line = 5"));
    assert!(
        error.ends_with(
            "punchcard.toml: \"max_line\" is not a setting; the nearest one is max_lines"
        ),
        "{error}"
    );
    assert!(wrong(load_file("[server]\nlisten = \"x\"")).contains("\"server\" is not a setting"));
}

#[test]
fn an_unknown_variable_is_a_warning_with_the_nearest_one() {
    let given = [
        ("PUNCHCARD_MAX_LINE", "5"),
        ("PUNCHCARD_DATABASE_PASWORD_FILE", "x"),
        ("PUNCHCARD_TEST_X", "1"),
        ("OTHER", "1"),
    ];
    let (settings, warnings) = load(&given).unwrap();
    assert_eq!(settings.max_lines, 200_000);
    assert_eq!(
        warnings,
        [
            "the variable PUNCHCARD_DATABASE_PASWORD_FILE is not known; the nearest one is PUNCHCARD_DATABASE_PASSWORD",
            "the variable PUNCHCARD_MAX_LINE is not known; the nearest one is PUNCHCARD_MAX_LINES",
        ]
    );
}

#[test]
fn a_variable_can_lead_to_a_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("password");
    let url = ("PUNCHCARD_DATABASE_URL", "mysql://till:old@db/cards");
    let path_text = path.to_str().unwrap();
    for content in ["hush ", "hush \n", "hush \r\n"] {
        fs::write(&path, content).unwrap();
        let (settings, warnings) =
            load(&[url, ("PUNCHCARD_DATABASE_PASSWORD_FILE", path_text)]).unwrap();
        let DatabaseUrl::Mysql(mysql) = &settings.database_url else {
            panic!()
        };
        assert_eq!(mysql.password.as_ref().map(Secret::expose), Some("hush "));
        assert!(warnings.is_empty());
    }
    let both = [("PUNCHCARD_LOG", "info"), ("PUNCHCARD_LOG_FILE", path_text)];
    assert_eq!(
        wrong(load(&both)),
        "the variables PUNCHCARD_LOG and PUNCHCARD_LOG_FILE: both are given: give one of them"
    );
    fs::write(&path, "loud\n").unwrap();
    let error = wrong(load(&[("PUNCHCARD_UNSAFE_DURABILITY_FILE", path_text)]));
    assert!(
        error
            .contains("named by the variable PUNCHCARD_UNSAFE_DURABILITY_FILE: the value \"loud\""),
        "{error}"
    );
    fs::write(&path, "x".repeat(70_000)).unwrap();
    assert!(wrong(load(&[("PUNCHCARD_LOG_FILE", path_text)])).contains("longer than 65536 bytes"));
    assert!(wrong(load(&[("PUNCHCARD_LOG_FILE", "/no/such")])).contains("/no/such"));
    fs::write(&path, "/some/where.key\n").unwrap();
    let (settings, _) = load(&[("PUNCHCARD_KEY_FILE_FILE", path_text)]).unwrap();
    assert_eq!(
        settings.key_path().unwrap(),
        PathBuf::from("/some/where.key")
    );
}

#[test]
fn secrets_are_never_shown() {
    let errors = [
        wrong(load(&[("PUNCHCARD_DATABASE_PASSWORD", "hush\nhush")])),
        wrong(load(&[(
            "PUNCHCARD_DATABASE_URL",
            "mysql://till:hush@db:x/cards",
        )])),
        wrong(load_file("database_password = hush")),
        wrong(load_file("log = \"info\"\ndatabase_password = \"hush")),
        wrong(load_file("database_password = [\"hush\"]")),
    ];
    for error in &errors {
        assert!(!error.contains("hush"), "{error}");
    }
    assert!(
        errors[3].contains("punchcard.toml, line 2: this is not TOML: "),
        "{}",
        errors[3]
    );
    let given = [
        ("PUNCHCARD_DATABASE_URL", "mysql://till:hush@db/cards"),
        ("PUNCHCARD_DATABASE_PASSWORD", "hush"),
    ];
    let (settings, _) = load(&given).unwrap();
    assert!(!format!("{settings:?}{}", settings.describe()).contains("hush"));
}

#[test]
fn what_does_not_fit_together_is_noticed() {
    let error = wrong(load(&[("PUNCHCARD_QUEUE_BYTES", "65536")]));
    assert!(
        error.starts_with("the variable PUNCHCARD_QUEUE_BYTES: queue_bytes (65536) is less than"),
        "{error}"
    );
    let error = wrong(load(&[("PUNCHCARD_MAX_BODY_BYTES", "1073741824")]));
    assert!(
        error.starts_with("the variable PUNCHCARD_MAX_BODY_BYTES: queue_bytes"),
        "{error}"
    );
    let (_, warnings) = load(&[("PUNCHCARD_DATABASE_PASSWORD", "x")]).unwrap();
    assert_eq!(
        warnings,
        ["the variable PUNCHCARD_DATABASE_PASSWORD: it has no effect on SQLite"]
    );
    let (settings, _) = load(&[("PUNCHCARD_DATABASE_URL", "mysql://u@h/d")]).unwrap();
    assert!(
        settings
            .key_path()
            .unwrap_err()
            .to_string()
            .contains("--key-file")
    );
    let (settings, _) = load(&[("PUNCHCARD_DATABASE_URL", "sqlite:x.key")]).unwrap();
    assert!(
        settings
            .key_path()
            .unwrap_err()
            .to_string()
            .contains("the extension \"key\"")
    );
}

#[test]
fn the_listing_is_a_configuration_file_that_gives_the_same() {
    let flags = flag("database_url", "sqlite:a \"b\".db").set("max_lines", "7".to_owned());
    let (settings, _) = Settings::load_from(flags, []).unwrap();
    let listing = settings.describe();
    for option in OPTIONS {
        assert!(
            listing.contains(option.name) && listing.contains(option.doc),
            "{listing}"
        );
    }
    assert!(
        listing.contains("# From the flag --max-lines.\nmax_lines = 7\n"),
        "{listing}"
    );
    assert!(
        listing.contains("# From the default.\n# key_file is not set\n"),
        "{listing}"
    );
    let (again, _) = load_file(&listing).unwrap();
    assert_eq!(
        format!("{:?}", again.shown()),
        format!("{:?}", settings.shown())
    );
}
