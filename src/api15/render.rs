//! Replies as a sequence of events, and the sinks that write them.
//!
//! Belongs here: what an event looks like in XML, JSON and JSONP. Does not belong here: which format is asked for
//! (`format`), and what a reply says. No other file knows quick_xml or serde_json's formatters.
//!
//! Whatever the order of the events, the document is well-formed: an event that does not fit where it stands is written
//! in the nearest form that does, and what was left open is closed at the end. Names come from our own code and are
//! names in XML's sense; values may be any text.

use std::borrow::Cow;
use std::io;

use quick_xml::Writer;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

pub use super::format::Format;
use crate::text;

/// Takes a reply, event by event.
pub trait Sink {
    /// Begins an object: an element in XML, a member that is an object in JSON.
    fn object(&mut self, name: &'static str);

    /// Says something of the object just begun, before anything else in it: an attribute in XML, a member in JSON. In any
    /// other place it is a [`Sink::text`]. Of two attributes with one name the first stays.
    fn attribute(&mut self, name: &str, value: &str);

    /// Begins a list: in XML an element that holds one element `item` for each item, in JSON a member that is an array,
    /// also with one item or none.
    fn list(&mut self, name: &'static str, item: &'static str);

    /// Begins a list whose items stand directly in the parent's element in XML; in JSON as [`Sink::list`].
    fn bare_list(&mut self, name: &'static str, item: &'static str);

    /// Begins an object that is an item of the list just begun.
    fn item(&mut self);

    /// Writes one text; in JSON always a string.
    fn text(&mut self, name: &str, value: &str);

    /// Writes one text that is an item of the list just begun.
    fn text_item(&mut self, value: &str);

    /// Writes what went wrong: one element in XML; in JSON two members, `error` and `errors` (an array of one), because
    /// clients of both kinds exist.
    fn error(&mut self, text: &str);

    /// Ends the object, item or list begun last.
    fn end(&mut self);
}

/// A reply that is being written. What it has come to so far may be taken away between any two events.
pub trait Document: Sink + Send {
    /// The bytes that were not taken away yet.
    fn bytes(&mut self) -> &mut Vec<u8>;

    /// Closes everything that is open; nothing may follow.
    fn finish(&mut self);
}

/// Begins a reply: a root named `response` with the attribute `status`.
pub fn begin(format: &Format, status: &str) -> Box<dyn Document> {
    match format {
        Format::Xml => Box::new(Xml::new(status)),
        Format::Json { condensed } => {
            json(Vec::with_capacity(SHORT_BYTES), *condensed, false, status)
        }
        Format::Jsonp {
            callback,
            condensed,
        } => {
            // The comment keeps the first bytes out of the caller's hands: some plug-ins guess a file's type by them.
            let begun = format!("/**/{callback}(").into_bytes();
            json(begun, *condensed, true, status)
        }
    }
}

/// Renders a whole reply, and in it what `write` says.
pub fn render(format: &Format, status: &str, write: impl FnOnce(&mut dyn Sink)) -> Vec<u8> {
    let mut document = begin(format, status);
    write(&mut *document);
    document.finish();
    std::mem::take(document.bytes())
}

/// What most replies take at most.
const SHORT_BYTES: usize = 1024;

/// The name of items begun where there is no list.
const STRAY_ITEM: &str = "item";

/// Writing into memory does not fail.
fn in_memory(written: io::Result<()>) {
    debug_assert!(written.is_ok(), "a Vec takes every write");
}

struct Xml {
    out: Writer<Vec<u8>>,
    /// A start tag that may still get attributes.
    tag: Option<BytesStart<'static>>,
    open: Vec<Element>,
}

/// What the next [`Sink::end`] ends.
struct Element {
    /// The element; none for a list without one of its own.
    name: Option<&'static str>,
    /// For a list, the name of its items.
    item: Option<&'static str>,
}

impl Xml {
    fn new(status: &str) -> Xml {
        let mut sink = Xml {
            out: Writer::new(Vec::with_capacity(SHORT_BYTES)),
            tag: None,
            open: Vec::new(),
        };
        sink.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        sink.out.get_mut().push(b'\n');
        sink.tag = Some(BytesStart::new("response"));
        sink.attribute("status", status);
        sink
    }

    fn event(&mut self, event: Event<'_>) {
        in_memory(self.out.write_event(event));
    }

    /// Ends the start tag: content follows.
    fn content(&mut self) {
        if let Some(tag) = self.tag.take() {
            self.event(Event::Start(tag));
        }
    }

    fn start(&mut self, name: &'static str, item: Option<&'static str>) {
        self.content();
        self.tag = Some(BytesStart::new(name));
        self.open.push(Element {
            name: Some(name),
            item,
        });
    }

    fn item_name(&self) -> &'static str {
        let list = self.open.last().and_then(|element| element.item);
        list.unwrap_or(STRAY_ITEM)
    }
}

impl Document for Xml {
    fn bytes(&mut self) -> &mut Vec<u8> {
        self.out.get_mut()
    }

    fn finish(&mut self) {
        while !self.open.is_empty() {
            self.end();
        }
        self.content();
        self.event(Event::End(BytesEnd::new("response")));
    }
}

impl Sink for Xml {
    fn object(&mut self, name: &'static str) {
        self.start(name, None);
    }

    fn attribute(&mut self, name: &str, value: &str) {
        let in_list = self
            .open
            .last()
            .is_some_and(|element| element.item.is_some());
        match &mut self.tag {
            Some(tag) if !in_list => {
                if !matches!(tag.try_get_attribute(name), Ok(Some(_))) {
                    let value = escaped(value, true);
                    tag.push_attribute(Attribute::from((name.as_bytes(), value.as_bytes())));
                }
            }
            _ => self.text(name, value),
        }
    }

    fn list(&mut self, name: &'static str, item: &'static str) {
        self.start(name, Some(item));
    }

    fn bare_list(&mut self, _name: &'static str, item: &'static str) {
        self.content();
        self.open.push(Element {
            name: None,
            item: Some(item),
        });
    }

    fn item(&mut self) {
        let name = self.item_name();
        self.start(name, None);
    }

    fn text(&mut self, name: &str, value: &str) {
        self.content();
        self.event(Event::Start(BytesStart::new(name)));
        self.event(Event::Text(BytesText::from_escaped(escaped(value, false))));
        self.event(Event::End(BytesEnd::new(name)));
    }

    fn text_item(&mut self, value: &str) {
        let name = self.item_name();
        self.text(name, value);
    }

    fn error(&mut self, text: &str) {
        self.text("error", text);
    }

    fn end(&mut self) {
        self.content();
        if let Some(Element {
            name: Some(name), ..
        }) = self.open.pop()
        {
            self.event(Event::End(BytesEnd::new(name)));
        }
    }
}

/// Escapes what must be, and nothing else: known clients replace every `&` of a reply by `&amp;` before they parse it, so
/// that each escape is shown to people as it stands. Characters that XML cannot hold are dropped.
fn escaped(value: &str, attribute: bool) -> Cow<'_, str> {
    // Nearly every value is of these alone.
    let plain =
        |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'&' | b'<' | b'>' | b'"');
    if value.bytes().all(plain) {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    for c in value.chars().filter(|c| text::xml_allowed(*c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' if !attribute && out.ends_with("]]") => out.push_str("&gt;"),
            // A parser would read these as something else: line ends become LF, in attributes blanks.
            '\r' => out.push_str("&#13;"),
            '"' if attribute => out.push_str("&quot;"),
            '\t' if attribute => out.push_str("&#9;"),
            '\n' if attribute => out.push_str("&#10;"),
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn json(begun: Vec<u8>, condensed: bool, script: bool, status: &str) -> Box<dyn Document> {
    if condensed {
        Box::new(Json::new(begun, CompactFormatter, script, status))
    } else {
        Box::new(Json::new(begun, PrettyFormatter::new(), script, status))
    }
}

struct Json<F> {
    out: Vec<u8>,
    formatter: F,
    /// Whether the text is read as a script: older engines take U+2028 and U+2029 for line ends, even in strings.
    script: bool,
    open: Vec<Level>,
}

struct Level {
    array: bool,
    empty: bool,
}

impl<F: Formatter> Json<F> {
    fn new(begun: Vec<u8>, formatter: F, script: bool, status: &str) -> Json<F> {
        let mut sink = Json {
            out: begun,
            formatter,
            script,
            open: Vec::new(),
        };
        in_memory(sink.formatter.begin_object(&mut sink.out));
        sink.open.push(Level {
            array: false,
            empty: true,
        });
        sink.text("status", status);
        sink
    }

    fn string(&mut self, value: &str) {
        let start = self.out.len();
        in_memory(serde_json::to_writer(&mut self.out, value).map_err(io::Error::from));
        if self.script && value.contains(['\u{2028}', '\u{2029}']) {
            let written = self.out.split_off(start);
            let written = String::from_utf8_lossy(&written);
            let written = written
                .replace('\u{2028}', "\\u2028")
                .replace('\u{2029}', "\\u2029");
            self.out.extend_from_slice(written.as_bytes());
        }
    }

    /// Goes to the place of the next value: a new member of an object, or the next place of an array.
    fn before_value(&mut self, name: &str) {
        let (array, first) = match self.open.last_mut() {
            Some(level) => (level.array, std::mem::replace(&mut level.empty, false)),
            None => (true, true),
        };
        if array {
            in_memory(self.formatter.begin_array_value(&mut self.out, first));
        } else {
            in_memory(self.formatter.begin_object_key(&mut self.out, first));
            self.string(name);
            in_memory(self.formatter.end_object_key(&mut self.out));
            in_memory(self.formatter.begin_object_value(&mut self.out));
        }
    }

    fn after_value(&mut self) {
        in_memory(match self.in_array() {
            true => self.formatter.end_array_value(&mut self.out),
            false => self.formatter.end_object_value(&mut self.out),
        });
    }

    fn in_array(&self) -> bool {
        self.open.last().is_some_and(|level| level.array)
    }

    fn begin(&mut self, name: &str, array: bool) {
        self.before_value(name);
        in_memory(match array {
            true => self.formatter.begin_array(&mut self.out),
            false => self.formatter.begin_object(&mut self.out),
        });
        self.open.push(Level { array, empty: true });
    }

    fn close(&mut self) {
        if let Some(level) = self.open.pop() {
            in_memory(match level.array {
                true => self.formatter.end_array(&mut self.out),
                false => self.formatter.end_object(&mut self.out),
            });
        }
    }
}

impl<F: Formatter + Send> Document for Json<F> {
    fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    fn finish(&mut self) {
        while self.open.len() > 1 {
            self.end();
        }
        self.close();
        if self.script {
            self.out.extend_from_slice(b");");
        }
    }
}

impl<F: Formatter> Sink for Json<F> {
    fn object(&mut self, name: &'static str) {
        self.begin(name, false);
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.text(name, value);
    }

    fn list(&mut self, name: &'static str, _item: &'static str) {
        self.begin(name, true);
    }

    fn bare_list(&mut self, name: &'static str, _item: &'static str) {
        self.begin(name, true);
    }

    fn item(&mut self) {
        self.begin(STRAY_ITEM, false);
    }

    fn text(&mut self, name: &str, value: &str) {
        self.before_value(name);
        self.string(value);
        self.after_value();
    }

    fn text_item(&mut self, value: &str) {
        self.text(STRAY_ITEM, value);
    }

    fn error(&mut self, text: &str) {
        self.text("error", text);
        if !self.in_array() {
            self.list("errors", "error");
            self.text_item(text);
            self.end();
        }
    }

    fn end(&mut self) {
        // The root stays open until the end.
        if self.open.len() > 1 {
            self.close();
            self.after_value();
        }
    }
}

#[cfg(test)]
mod tests;
