//! CBOR diagnostic notation (RFC 8949, section 8), a line an item.

use minicbor::Decoder;
use minicbor::data::Type;

/// Renders one item.
pub(super) fn diagnostic(cbor: &[u8]) -> String {
    let mut text = String::new();
    item(&mut Decoder::new(cbor), 0, &mut text);
    text
}

fn item(d: &mut Decoder<'_>, depth: usize, out: &mut String) {
    match d.datatype().unwrap() {
        Type::Bytes => out.push_str(&format!("h'{}'", super::hex(d.bytes().unwrap()))),
        Type::String => out.push_str(&format!("{:?}", d.str().unwrap())),
        Type::Bool => out.push_str(&d.bool().unwrap().to_string()),
        Type::Null => {
            d.null().unwrap();
            out.push_str("null");
        }
        Type::Array => {
            let length = d.array().unwrap().unwrap();
            block(d, depth, out, ('[', ']'), length, item);
        }
        Type::Map => {
            let length = d.map().unwrap().unwrap();
            block(d, depth, out, ('{', '}'), length, |d, depth, out| {
                out.push_str(&format!("{}: ", d.i64().unwrap()));
                item(d, depth, out);
            });
        }
        _ => out.push_str(&d.int().unwrap().to_string()),
    }
}

fn block(
    d: &mut Decoder<'_>,
    depth: usize,
    out: &mut String,
    (open, close): (char, char),
    length: u64,
    each: impl Fn(&mut Decoder<'_>, usize, &mut String),
) {
    let line = |depth: usize| format!("\n{}", "  ".repeat(depth));
    out.push(open);
    for index in 0..length {
        out.push_str(&line(depth + 1));
        each(d, depth + 1, out);
        if index + 1 < length {
            out.push(',');
        }
    }
    if length > 0 {
        out.push_str(&line(depth));
    }
    out.push(close);
}
