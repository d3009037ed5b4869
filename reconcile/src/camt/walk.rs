//! XML to elements with their paths: the only place that knows the XML library.

use std::io::{self, Read};

use quick_xml::XmlVersion;
use quick_xml::errors::Error;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::names::Name;
use super::source::{Source, TooLong};
use crate::error::{Problem, StatementError, quoting, short};
use crate::limits::Limits;

/// What is told of a document.
pub(super) trait Visitor {
    /// An element begins. `path` ends with it.
    fn begin(
        &mut self,
        path: &[Name],
        currency: Option<&str>,
        line: u64,
    ) -> Result<(), StatementError>;

    /// An element ends. `text` is what stands in it behind its last element, without spaces around it.
    fn end(&mut self, path: &[Name], text: &str, line: u64) -> Result<(), StatementError>;

    /// The error at this line, with the entry that is being read.
    fn error(&self, line: u64, problem: Problem) -> StatementError;
}

/// Walks through a document.
pub(super) fn walk(
    input: impl Read,
    limits: &Limits,
    visitor: &mut impl Visitor,
) -> Result<(), StatementError> {
    let source = Source::new(input, limits.field_bytes_max);
    let mut walk = Walk {
        path: Vec::new(),
        text: String::new(),
        limits,
        root_seen: false,
    };
    let mut reader = Reader::from_reader(source);
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        reader.get_mut().next_piece();
        let event = reader.read_event_into(&mut buffer);
        // The event borrows the buffer, not the reader.
        let line = reader.get_ref().line();
        let more = match event {
            Ok(event) => walk
                .event(&event, line, visitor)
                .map_err(|failure| match failure {
                    Failure::Statement(error) => error,
                    Failure::Problem(problem) => visitor.error(line, problem),
                })?,
            Err(error) => return Err(visitor.error(line, walk.problem(error))),
        };
        if !more {
            return Ok(());
        }
    }
}

struct Walk<'a> {
    path: Vec<Name>,
    text: String,
    limits: &'a Limits,
    root_seen: bool,
}

enum Failure {
    Statement(StatementError),
    Problem(Problem),
}

impl From<StatementError> for Failure {
    fn from(error: StatementError) -> Self {
        Self::Statement(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Walk<'_> {
    /// False at the end of the document.
    fn event(
        &mut self,
        event: &Event<'_>,
        line: u64,
        visitor: &mut impl Visitor,
    ) -> Result<bool, Failure> {
        match event {
            Event::Decl(declaration) => {
                let encoding = declaration
                    .encoding()
                    .transpose()
                    .map_err(|error| Problem::Xml(quoting(&error)))?;
                // US-ASCII is a part of UTF-8.
                let known = ["utf-8", "utf8", "us-ascii", "ascii"];
                if let Some(encoding) = encoding
                    && !known.contains(&encoding.to_ascii_lowercase().as_str())
                {
                    return Err(Problem::Encoding(short(&encoding)).into());
                }
            }
            Event::DocType(_) => return Err(Problem::Doctype.into()),
            // Empty elements are given as a begin and an end.
            Event::Start(tag) | Event::Empty(tag) => self.begin(tag, line, visitor)?,
            Event::End(_) => {
                visitor.end(&self.path, self.text.trim(), line)?;
                self.path.pop();
                self.text.clear();
            }
            Event::Text(text) => self.push_text(&text.xml10_content())?,
            Event::CData(text) => self.push_text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = reference
                    .resolve_char_ref()
                    .map_err(|error| Problem::Xml(quoting(&error)))?;
                match (character, resolve_xml_entity(reference)) {
                    (Some(character), _) => {
                        let mut bytes = [0; 4];
                        self.push_text(character.encode_utf8(&mut bytes))?;
                    }
                    (None, Some(text)) => self.push_text(text)?,
                    (None, None) => return Err(Problem::Entity(short(reference)).into()),
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => {
                if let Some(open) = self.path.last() {
                    let text = format!("it ends inside of <{}>", open.text());
                    return Err(Problem::Xml(text).into());
                }
                if !self.root_seen {
                    return Err(Problem::NotCamt("no element".to_owned()).into());
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn begin(
        &mut self,
        tag: &BytesStart<'_>,
        line: u64,
        visitor: &mut impl Visitor,
    ) -> Result<(), Failure> {
        let local = tag.local_name();
        let local = local.as_ref();
        if self.path.is_empty() {
            if self.root_seen {
                let text = format!("a second document begins with <{}>", short(local));
                return Err(Problem::Xml(text).into());
            }
            self.root_seen = true;
        }
        let name = Name::of(local);
        let expected = [Name::Document, Name::BkToCstmrStmt].get(self.path.len());
        if expected.is_some_and(|expected| *expected != name) {
            return Err(Problem::NotCamt(short(local)).into());
        }
        if self.path.len() >= self.limits.depth_max {
            let max = self.limits.depth_max;
            let what = "nested XML elements";
            return Err(Problem::TooMuch { what, max }.into());
        }
        self.path.push(name);
        self.text.clear();
        let currency = if name == Name::Amt {
            currency(tag)?
        } else {
            None
        };
        visitor.begin(&self.path, currency.as_deref(), line)?;
        Ok(())
    }

    fn push_text(&mut self, text: &str) -> Result<(), Problem> {
        if self.path.is_empty() {
            return match text.trim() {
                "" => Ok(()),
                _ => Err(Problem::Xml("text outside of the document".to_owned())),
            };
        }
        let max = self.limits.field_bytes_max;
        if self.text.len() + text.len() > max {
            let what = "bytes of a field";
            return Err(Problem::TooMuch { what, max });
        }
        self.text.push_str(text);
        Ok(())
    }

    fn problem(&self, error: Error) -> Problem {
        match error {
            Error::Encoding(_) => Problem::NotUtf8,
            Error::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<TooLong>()) => {
                Problem::TooMuch {
                    what: "bytes of a tag, text or comment",
                    max: self.limits.field_bytes_max,
                }
            }
            Error::Io(error) => Problem::Io(io::Error::new(error.kind(), error.to_string())),
            other => Problem::Xml(quoting(&other)),
        }
    }
}

/// The attribute `Ccy`.
fn currency(tag: &BytesStart<'_>) -> Result<Option<String>, Problem> {
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| Problem::Xml(quoting(&error)))?;
        if attribute.key.local_name().as_ref() == "Ccy" {
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| Problem::Xml(quoting(&error)))?;
            return Ok(Some(value.trim().to_owned()));
        }
    }
    Ok(None)
}
