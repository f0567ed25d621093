//! Writes the Kotlin, Swift or Python that belongs to a library of doorstep-ffi.
//!
//! A member of its own on uniffi's generator as a library: doorstep-ffi does not depend on it, and uniffi's command line is not needed.
//!
//! ```text
//! doorstep-bindgen kotlin|swift|python LIBRARY FOLDER
//! doorstep-bindgen api LIBRARY
//! ```

mod api;

use anyhow::{Context, bail};
use camino::Utf8PathBuf;
use uniffi_bindgen::bindings::{GenerateOptions, TargetLanguage, generate_with_bindgen_paths};
use uniffi_bindgen::{BindgenPaths, BindgenPathsLayer};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, library] = arguments.as_slice()
        && command == "api"
    {
        print!("{}", api::listing(library)?);
        return Ok(());
    }
    let [language, library, folder] = arguments.as_slice() else {
        bail!("usage: doorstep-bindgen kotlin|swift|python LIBRARY FOLDER, or doorstep-bindgen api LIBRARY");
    };
    let language = match language.as_str() {
        "kotlin" => TargetLanguage::Kotlin,
        "swift" => TargetLanguage::Swift,
        "python" => TargetLanguage::Python,
        other => bail!("{other} is none of kotlin, swift, python"),
    };
    let mut paths = BindgenPaths::default();
    paths.add_layer(Face);
    let options = GenerateOptions {
        languages: vec![language],
        source: library.into(),
        out_dir: folder.into(),
        config_override: None,
        format: false,
        crate_filter: Some("doorstep_ffi".to_owned()),
        metadata_no_deps: true,
    };
    generate_with_bindgen_paths(options, paths).with_context(|| format!("no bindings could be made of {library}"))
}

/// Where doorstep-ffi has its `uniffi.toml`: beside this member.
struct Face;

impl BindgenPathsLayer for Face {
    fn get_crate_root(&self, crate_name: &str) -> Option<Utf8PathBuf> {
        (crate_name == "doorstep_ffi").then(|| Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".."))
    }
}
