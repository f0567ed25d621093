use super::load::environment;
use super::*;
use clap::{CommandFactory, Parser};
use figment::providers::Serialized;
use figment::{Metadata, Profile, Provider};
use std::path::Path;

const EXAMPLE: &str = include_str!("../../doorstep.example.toml");

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    flags: Flags,
}

fn flags(words: &[&str]) -> Flags {
    Line::parse_from(std::iter::once(&"doorstep").chain(words)).flags
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

/// Stands in for the environment, which belongs to the whole process and so to all tests at once.
struct Variables(&'static [(&'static str, &'static str)]);

impl Provider for Variables {
    fn metadata(&self) -> Metadata {
        environment().metadata()
    }

    fn data(&self) -> Result<figment::value::Map<Profile, figment::value::Dict>, figment::Error> {
        let values: std::collections::BTreeMap<_, figment::value::Value> =
            self.0.iter().map(|(name, value)| (*name, value.parse().unwrap())).collect();
        Serialized::defaults(values).data()
    }
}

fn read(file: Option<&Path>, variables: &'static [(&'static str, &'static str)], words: &[&str]) -> Result<Loaded, SettingsError> {
    Loaded::read_with(file, Variables(variables), &flags(words))
}

#[test]
fn the_example_file_names_every_setting_with_its_default() {
    let example = file(EXAMPLE);
    let loaded = read(Some(example.path()), &[], &[]).unwrap();
    assert_eq!(loaded.settings, Settings::default());
    for (name, _, origin) in loaded.origins() {
        assert_eq!(*origin, Origin::File(example.path().to_owned()), "{name} is missing from the example");
    }
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default() {
    let file = file("cache_megabytes = 100\nstore_cache_megabytes = 32\nmax_connections = 50\n");
    let loaded =
        read(Some(file.path()), &[("store_cache_megabytes", "33"), ("max_connections", "51")], &["--max-connections", "52"]).unwrap();
    let origin =
        |wanted: &str| loaded.origins().find(|(name, ..)| *name == wanted).map(|(_, value, origin)| (value.to_owned(), origin.clone()));
    assert_eq!(loaded.settings.cache_megabytes, 100);
    assert_eq!(loaded.settings.store_cache_megabytes, 33);
    assert_eq!(loaded.settings.max_connections, 52);
    assert_eq!(origin("log"), Some(("info".to_owned(), Origin::Default)));
    assert_eq!(origin("cache_megabytes"), Some(("100".to_owned(), Origin::File(file.path().to_owned()))));
    assert_eq!(origin("store_cache_megabytes"), Some(("33".to_owned(), Origin::Environment("DOORSTEP_STORE_CACHE_MEGABYTES".to_owned()))));
    assert_eq!(origin("max_connections"), Some(("52".to_owned(), Origin::Flag("--max-connections".to_owned()))));
}

#[test]
fn a_name_that_is_no_setting_is_an_error_that_names_it() {
    let file = file("listne = \"127.0.0.1:1\"\n");
    let error = read(Some(file.path()), &[], &[]).unwrap_err();
    assert_eq!(error, SettingsError::Unknown { setting: "listne".to_owned(), origin: Origin::File(file.path().to_owned()) });
    let error = read(None, &[("cache", "1")], &[]).unwrap_err();
    assert_eq!(error, SettingsError::Unknown { setting: "cache".to_owned(), origin: Origin::Environment("DOORSTEP_CACHE".to_owned()) });
}

#[test]
fn a_value_of_the_wrong_kind_names_setting_layer_and_rule() {
    let cases: [(&str, &str); 5] = [
        ("listen = \"nowhere\"", "listen"),
        ("cache_megabytes = \"much\"", "cache_megabytes"),
        ("cache_megabytes = -1", "cache_megabytes"),
        ("header_seconds = 0", "header_seconds"),
        ("log_format = \"xml\"", "log_format"),
    ];
    for (text, wanted) in cases {
        let file = file(text);
        match read(Some(file.path()), &[], &[]) {
            Err(SettingsError::Invalid { setting, origin, rule }) => {
                assert_eq!((setting.as_str(), origin), (wanted, Origin::File(file.path().to_owned())));
                assert!(!rule.is_empty());
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn limits_that_contradict_each_other_are_refused() {
    let error = read(None, &[], &["--handler-seconds", "5"]).unwrap_err();
    assert_eq!(error.to_string(), "flag --handler-seconds: setting `handler_seconds` is not longer than body_seconds, which it includes");
    assert!(read(None, &[], &["--metrics-listen", "127.0.0.1:7300"]).is_err());
    assert!(read(None, &[("max_connections", "0")], &[]).is_err());
    assert!(read(None, &[], &["--max-live", "0"]).is_err());
    assert!(read(None, &[], &["--live-ping-seconds", "60"]).is_err());
}

#[test]
fn a_missing_file_and_a_broken_file_are_told_apart() {
    let missing = read(Some(Path::new("/nonexistent/doorstep.toml")), &[], &[]).unwrap_err();
    assert_eq!(missing.code(), "settings.unreadable");
    let broken = file("listen = \n");
    assert_eq!(read(Some(broken.path()), &[], &[]).unwrap_err().code(), "settings.not_toml");
}

#[test]
fn names_of_other_commands_in_the_environment_are_no_settings() {
    let names = ["DOORSTEP_CONFIG", "DOORSTEP_PHONE_FOLDER", "DOORSTEP_ADMIN_TOKEN_FILE"];
    let of_tests = ["SIM_MINUTES", "POWER_CUTS", "KILLS", "KILLS_SEED", "DAMAGE", "FUZZ_SECONDS"].map(|name| format!("DOORSTEP_{name}"));
    // A process of its own, because the environment belongs to the whole process.
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "settings::tests::the_environment_of_this_process_has_no_unknown_name", "--nocapture"])
        .envs(names.map(|name| (name, "/somewhere")))
        .envs(of_tests.map(|name| (name, "7")))
        .env("DOORSTEP_LOG", "debug")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_environment_of_this_process_has_no_unknown_name() {
    let loaded = Loaded::read(None, &Flags::default()).unwrap();
    let wanted = std::env::var("DOORSTEP_LOG").unwrap_or_else(|_| "info".to_owned());
    assert_eq!(loaded.settings.log, wanted);
}

#[test]
fn help_explains_every_setting_and_names_its_default() {
    let defaults = read(None, &[], &[]).unwrap();
    let command = Line::command();
    for (name, value, _) in defaults.origins() {
        let flag = command.get_arguments().find(|argument| argument.get_id() == name).expect(name);
        let help = flag.get_long_help().or(flag.get_help()).expect(name).to_string();
        assert!(help.contains(&format!("[default: {value}]")), "{name}: {help}");
    }
}

#[test]
fn no_setting_holds_a_secret() {
    for name in Settings::NAMES {
        let secret = ["token", "secret", "password", "key"].iter().any(|word| name.contains(word));
        assert!(!secret || name.ends_with("_file"), "{name}: name the file that holds the secret instead");
    }
}
