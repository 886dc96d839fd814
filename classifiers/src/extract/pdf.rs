//! What does a PDF say: on its pages, in its forms and remarks, and in the files attached to it (ISO 32000-2)?
//!
//! A reader of our own: what is needed is text in order, from files that are cut, lie about lengths or run in circles, with
//! every unpacked byte charged. The crates at hand follow the cross-reference table and unpack streams without a bound.

mod crypt;
mod file;
mod filter;
mod object;
mod page;
mod rows;
mod text;

use std::collections::HashSet;

use super::member::Member;
use super::{Work, limit_reached, malformed, truncated, unsupported};
use crate::Gap;
use file::{File, Found};
use object::{Dict, Object};
use page::{Fonts, Page};

/// Pages of one file.
const PAGES_MAX: usize = 50_000;

pub(super) fn extract(bytes: &[u8], work: &mut Work<'_>) {
    let mut found = Found::search(bytes, work.budget);
    if found.is_closed {
        return work.sink.encrypted(work.place, "pdf");
    }
    for gap in std::mem::take(&mut found.gaps) {
        work.sink.gap(gap);
    }
    let streams = std::mem::take(&mut found.streams);
    let file = File::new(bytes, &streams, found);
    let pages = pages(&file);
    if pages.is_empty() {
        work.sink.gap(malformed("the PDF has no pages"));
    } else if memchr::memmem::rfind(bytes, b"%%EOF").is_none() {
        work.sink.gap(truncated("the PDF is cut off"));
    }
    show(&pages, &file, work);
    beside(&file, work);
    if file.is_exhausted() {
        work.sink
            .gap(limit_reached("objects of the PDF refer to each other more often than any honest ones"));
    }
}

/// All pages in the order of the tree; those that no tree leads to, in the order of their numbers.
fn pages<'a>(file: &File<'a>) -> Vec<Dict<'a>> {
    let mut pages = Vec::new();
    let mut seen = HashSet::new();
    for number in file.numbers() {
        let Some(Object::Dict(dict)) = file.object(number) else { continue };
        if dict.name("Type") == Some(b"Catalog") {
            descend(&dict, file, &mut seen, &mut pages);
        }
    }
    if pages.is_empty() {
        let dicts = file.numbers().into_iter().filter_map(|number| match file.object(number) {
            Some(Object::Dict(dict)) if dict.name("Type") == Some(b"Page") => Some(dict),
            _ => None,
        });
        pages.extend(dicts.take(PAGES_MAX));
    }
    pages
}

/// Walks a tree of pages, each node once; what a node says of resources holds for those below it.
fn descend<'a>(catalog: &Dict<'a>, file: &File<'a>, seen: &mut HashSet<u32>, pages: &mut Vec<Dict<'a>>) {
    let Some(root) = catalog.get("Pages").and_then(Object::as_reference) else { return };
    let mut open: Vec<(u32, Option<Object<'a>>)> = vec![(root, None)];
    while let Some((number, inherited)) = open.pop() {
        if !seen.insert(number) || pages.len() >= PAGES_MAX {
            continue;
        }
        let Some(Object::Dict(mut node)) = file.object(number) else { continue };
        let resources = node.get("Resources").cloned().or(inherited);
        match file.entry(&node, "Kids") {
            Some(Object::Array(kids)) => {
                open.extend(
                    kids.iter().rev().filter_map(|kid| Some((kid.as_reference()?, resources.clone()))),
                );
            }
            _ => {
                if let (None, Some(resources)) = (node.get("Resources"), resources) {
                    node = node
                        .iter()
                        .map(|(key, value)| (key, value.clone()))
                        .chain([(b"Resources".as_slice(), resources)])
                        .collect();
                }
                pages.push(node);
            }
        }
    }
}

fn show(pages: &[Dict<'_>], file: &File<'_>, work: &mut Work<'_>) {
    let mut fonts = Fonts::new();
    let (mut pictures_only, mut unknown, mut known) = (0_u64, 0_u64, 0_u64);
    let mut gaps: Vec<Gap> = Vec::new();
    let mut rows = rows::Rows::default();
    for (at, dict) in pages.iter().enumerate() {
        let mut page = Page::new(file, &mut fonts, work.budget);
        if let Some(contents) = dict.get("Contents") {
            page.show(contents, &file.dict(dict, "Resources").unwrap_or_default());
        }
        let Page { text, unknown: unknown_here, pictures, gaps: gaps_here, .. } = page;
        for gap in gaps_here {
            if !gaps.contains(&gap) {
                gaps.push(gap);
            }
        }
        unknown += unknown_here;
        known += text.len() as u64;
        pictures_only += u64::from(text.trim().is_empty() && pictures > 0);
        if !text.trim().is_empty() {
            rows.page(&work.place.part(format!("page {}", at + 1)), &text, work);
        }
    }
    if pictures_only > 0 {
        gaps.push(unsupported(&format!("{pictures_only} pages of the PDF show pictures and no text")));
    }
    // Signs of mathematics and ornaments often have no name; text has.
    if unknown * 50 > known {
        gaps.push(unsupported(&format!("{unknown} glyphs of the PDF are in fonts that name no characters")));
    }
    for gap in gaps {
        work.sink.gap(gap);
    }
}

/// Values of forms, remarks and attached files: objects of the file that no page shows.
fn beside(file: &File<'_>, work: &mut Work<'_>) {
    let mut fields = 0;
    let mut attached = HashSet::new();
    for number in file.numbers() {
        let Some(Object::Dict(dict)) = file.object(number) else { continue };
        if let (Some(name), Some(value)) = (string(file.entry(&dict, "T")), string(file.entry(&dict, "V"))) {
            fields += 1;
            work.sink.record(work.place, fields, &[(&name, &value)]);
        }
        if let (Some(_), Some(remark)) = (dict.get("Subtype"), string(file.entry(&dict, "Contents"))) {
            work.sink.text(work.place, &(remark + "\n"));
        }
        let Some(embedded) = file.dict(&dict, "EF") else { continue };
        let content = embedded.get("F").or_else(|| embedded.get("UF")).and_then(Object::as_reference);
        let Some(content) = content.filter(|&number| attached.insert(number)) else { continue };
        let name = string(file.entry(&dict, "UF")).or_else(|| string(file.entry(&dict, "F")));
        attachment(content, name.unwrap_or_default(), file, work);
    }
}

fn attachment(number: u32, name: String, file: &File<'_>, work: &mut Work<'_>) {
    if let Err(gap) = work.budget.entry() {
        return work.sink.gap(gap);
    }
    match file.content(number, work.budget) {
        Some(Ok(content)) => {
            let mut member = Member::begin(work.place.part(name), work.sink, work.budget);
            member.push(&content, work.sink, work.budget);
            member.end(work.sink, work.budget);
        }
        Some(Err(gap)) => work.sink.gap(gap),
        None => work.sink.gap(malformed("a file attached to the PDF is not in it")),
    }
}

/// A text string: UTF-16 or UTF-8 by its mark, else PDFDocEncoding, which is Latin (7.9.2.2).
fn string(object: Option<Object<'_>>) -> Option<String> {
    let bytes = match object? {
        Object::String(bytes) => bytes,
        Object::Name(name) => name.to_vec(),
        _ => return None,
    };
    let (text, _, _) = encoding_rs::WINDOWS_1252.decode(&bytes);
    (!text.trim().is_empty()).then(|| text.into_owned())
}

#[cfg(test)]
mod tests;
