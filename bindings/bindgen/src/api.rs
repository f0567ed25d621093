//! The listing of the foreign face: every name, type and error that an app's source depends on, a line each, in an order that does not change.

use anyhow::Context;
use uniffi_bindgen::interface::{Argument, AsType, ComponentInterface, Field, Type};
use uniffi_bindgen::{BindgenLoader, BindgenPaths, GlobalConfig};

/// Lists the face of a library.
pub fn listing(library: &str) -> anyhow::Result<String> {
    let loader = BindgenLoader::new(BindgenPaths::default(), GlobalConfig::default());
    let components = loader.load_cis(loader.load_metadata(library.as_ref())?)?;
    let face = components.iter().find(|component| component.namespace() == "doorstep_ffi").context("doorstep_ffi is not in it")?;
    Ok(list(face).join("\n") + "\n")
}

fn list(face: &ComponentInterface) -> Vec<String> {
    let mut lines = Vec::new();
    for function in face.function_definitions() {
        let arguments = arguments(&function.arguments());
        lines.push(format!("fn {}({arguments}){}", function.name(), result(function.return_type(), function.throws_name())));
    }
    for object in face.object_definitions() {
        let kind = if object.has_callback_interface() { "foreign trait" } else { "object" };
        lines.push(format!("{kind} {}", object.name()));
        for constructor in object.constructors() {
            let arguments = arguments(&constructor.arguments());
            lines.push(format!("{kind} {}.{}({arguments}){}", object.name(), constructor.name(), result(None, constructor.throws_name())));
        }
        for method in object.methods() {
            let arguments = arguments(&method.arguments());
            let result = result(method.return_type(), method.throws_name());
            lines.push(format!("{kind} {}.{}({arguments}){result}", object.name(), method.name()));
        }
    }
    for record in face.record_definitions() {
        // The order of fields is that of the constructor's arguments: it is part of the face.
        lines.push(format!("record {} {{ {} }}", record.name(), fields(record.fields())));
    }
    for listed in face.enum_definitions() {
        let kind = if face.is_name_used_as_error(listed.name()) { "error" } else { "enum" };
        for variant in listed.variants() {
            let fields = fields(variant.fields());
            let fields = if fields.is_empty() { fields } else { format!(" {{ {fields} }}") };
            lines.push(format!("{kind} {}.{}{fields}", listed.name(), variant.name()));
        }
    }
    lines.sort();
    lines
}

fn arguments(arguments: &[&Argument]) -> String {
    let argument = |argument: &&Argument| format!("{}: {}", argument.name(), name(&argument.as_type()));
    arguments.iter().map(argument).collect::<Vec<_>>().join(", ")
}

fn fields(fields: &[Field]) -> String {
    let field = |field: &Field| {
        let default = if field.default_value().is_some() { " (may be left out)" } else { "" };
        format!("{}: {}{default}", field.name(), name(&field.as_type()))
    };
    fields.iter().map(field).collect::<Vec<_>>().join(", ")
}

fn result(returned: Option<&Type>, thrown: Option<&str>) -> String {
    let returned = returned.map(|of| format!(" -> {}", name(of))).unwrap_or_default();
    let thrown = thrown.map(|error| format!(" throws {error}")).unwrap_or_default();
    format!("{returned}{thrown}")
}

fn name(of: &Type) -> String {
    match of {
        Type::Optional { inner_type } => format!("{}?", name(inner_type)),
        Type::Sequence { inner_type } => format!("[{}]", name(inner_type)),
        Type::Record { name, .. }
        | Type::Enum { name, .. }
        | Type::Object { name, .. }
        | Type::CallbackInterface { name, .. }
        | Type::Custom { name, .. } => name.clone(),
        plain => format!("{plain:?}"),
    }
}
