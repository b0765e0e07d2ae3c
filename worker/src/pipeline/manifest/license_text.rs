//! Recognising a licence by its text.
//!
//! SPDX's corpus has some seven hundred texts with all their headers. Unpacked it takes a second in a build without optimisation
//! and fifty megabytes, which the allocator keeps for as long as the process lives. Nearly every package that does not name its
//! licence has the text of one of two dozen, so those are compared first, each made ready when a text of about its length comes
//! along: that takes milliseconds and keeps nothing. The corpus is unpacked for what is left, and dropped again.

use spdx::detection::{Store, TextData};

/// How alike a text and a licence must be, of 1. JSR's number: below it, a changed clause may change the meaning.
const CONFIDENCE: f32 = 0.8;
/// How alike a text must be to one of [`COMMON`] to be looked for among the familiar alone.
///
/// Likeness here is Dice's coefficient of two multisets, and what it leaves to 1, in Jaccard's form, is a distance: a text that
/// is 0.93 like a common licence and 0.93 like another shows that those two are 0.849 alike. All such others are in
/// [`NEIGHBOURS`] (a test holds them to that), so nothing outside the two lists can be the better match.
const SURE: f32 = 0.93;

/// The licences that packages have.
const COMMON: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "ISC",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "0BSD",
    "Unlicense",
    "CC0-1.0",
    "MPL-2.0",
    "GPL-2.0-or-later",
    "GPL-3.0-or-later",
    "LGPL-2.1-or-later",
    "LGPL-3.0-or-later",
    "AGPL-3.0-or-later",
    "MIT-0",
    "BSL-1.0",
    "Zlib",
    "WTFPL",
    "CC-BY-4.0",
    "BlueOak-1.0.0",
    "EPL-2.0",
    "Artistic-2.0",
    "EUPL-1.2",
];

/// The licences that are so much like a common one that a text may be taken for either.
const NEIGHBOURS: &[&str] = &[
    "AGPL-1.0-or-later",
    "BSD-1-Clause",
    "BSD-2-Clause-Darwin",
    "BSD-2-Clause-FreeBSD",
    "BSD-2-Clause-NetBSD",
    "BSD-2-Clause-Views",
    "BSD-2-Clause-first-lines",
    "BSD-2-Clause-pos-unchanged",
    "BSD-3-Clause-Attribution",
    "BSD-3-Clause-Clear",
    "BSD-3-Clause-HP",
    "BSD-3-Clause-No-Military-License",
    "BSD-3-Clause-No-Nuclear-License-2014",
    "BSD-3-Clause-Tso",
    "BSD-4-Clause",
    "BSD-4-Clause-UC",
    "BSD-Source-Code",
    "CC-BY-NC-4.0",
    "CC-BY-NC-ND-4.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-ND-4.0",
    "CC-BY-SA-4.0",
    "Cube",
    "ECL-2.0",
    "EUPL-1.0",
    "EUPL-1.1",
    "GPL-2.0+",
    "GPL-3.0+",
    "ImageMagick",
    "JSON",
    "LGPL-2.0-or-later",
    "LGPL-3.0+",
    "MIT-STK",
    "MIT-advertising",
    "MIT-feh",
    "MVT-1.1",
    "Mup",
    "Nunit",
    "Pixar",
    "SHL-0.5",
    "SHL-0.51",
    "SSPL-1.0",
    "X11-distribute-modifications-variant",
    "X11-swapped",
    "Xnet",
    "zlib-acknowledgement",
];

/// The licence whose text this is, by its SPDX identifier.
pub(super) fn recognise(text: &str) -> Option<String> {
    let data = TextData::new(text);
    familiar(text, &data).or_else(|| anywhere(&data))
}

/// The best match among the familiar, where that is sure to be the best of all.
fn familiar(text: &str, data: &TextData) -> Option<String> {
    let (least, most) = plausible_words(text);
    let scored = |names: &[&'static str]| -> Vec<(f32, &'static str)> {
        let texts = names.iter().flat_map(|name| texts_of(name));
        let plausible = texts.filter(|(_, text)| (least..=most).contains(&text.split_whitespace().count()));
        plausible.map(|(name, text)| (TextData::new(text).match_score(data), name)).collect()
    };
    let mut scores = scored(COMMON);
    if !scores.iter().any(|(score, _)| *score >= SURE) {
        return None;
    }
    scores.extend(scored(NEIGHBOURS));
    best(scores.into_iter())
}

/// The text of a licence, and what people leave of it.
fn texts_of(name: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let id = spdx::license_id(name);
    let whole = id.map(|id| (id.name, id.text()));
    // Without its appendix this licence is more like another that never had one.
    let body = whole.filter(|(name, _)| *name == "Apache-2.0").and_then(|(name, text)| Some((name, text.split_once("APPENDIX:")?.0)));
    whole.into_iter().chain(body)
}

/// How many words a licence can have that is at all like this text. Two texts are no more than half as long again as one
/// another when they are 0.8 alike; lines about copyright do not count, and there may be a great many.
fn plausible_words(text: &str) -> (usize, usize) {
    let words = |line: &str| line.split_whitespace().count();
    let kept = text.lines().filter(|line| !line.to_ascii_lowercase().contains("copyright")).map(words).sum::<usize>();
    (kept / 2, text.lines().map(words).sum::<usize>() * 2)
}

/// The best match in the whole corpus, headers included.
fn anywhere(data: &TextData) -> Option<String> {
    let corpus = Store::load_inline().ok()?;
    let scores = corpus.iter().filter_map(|(name, entry)| {
        let variants = std::iter::once(&entry.original).chain(&entry.alternates).chain(&entry.headers);
        Some((variants.map(|variant| variant.match_score(data)).fold(0.0_f32, f32::max), spdx::license_id(name)?.name))
    });
    best(scores)
}

/// The best score over [`CONFIDENCE`]. Of equals, a licence that is not deprecated, then the first by name: the corpus holds
/// one text under several names, and its own search answers by the order of a hash map.
fn best(scores: impl Iterator<Item = (f32, &'static str)>) -> Option<String> {
    let is_deprecated = |name: &str| spdx::license_id(name).is_none_or(spdx::LicenseId::is_deprecated);
    let scored = scores.filter(|(score, _)| *score > CONFIDENCE).map(|(score, name)| (score, is_deprecated(name), name));
    let best = scored.min_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(b.2)));
    best.map(|(_, _, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIT: &str = include_str!("../../../../LICENSE");

    fn text_of(name: &str) -> &'static str {
        spdx::license_id(name).unwrap().text()
    }

    #[test]
    fn recognises_texts() {
        assert_eq!(recognise(MIT).as_deref(), Some("MIT"));
        assert_eq!(recognise("All rights reserved. You may not use this."), None);
        assert_eq!(recognise(""), None);
        assert_eq!(recognise(&MIT.replace('\n', "\r\n")).as_deref(), Some("MIT"));
        let many = format!("{}\n{MIT}", "Copyright (c) 2020 Somebody Else\n".repeat(300));
        assert_eq!(recognise(&many).as_deref(), Some("MIT"));
        assert_eq!(recognise(text_of("JSON")).as_deref(), Some("JSON"), "one sentence makes another licence");
        let notice = "Copyright 2020 Somebody\n\nLicensed under the Apache License, Version 2.0 (the \"License\");\nyou may not use this file \
                      except in compliance with the License.\nYou may obtain a copy of the License at\n\n    \
                      http://www.apache.org/licenses/LICENSE-2.0\n\nUnless required by applicable law or agreed to in writing, \
                      software\ndistributed under the License is distributed on an \"AS IS\" BASIS,\nWITHOUT WARRANTIES OR CONDITIONS OF ANY \
                      KIND, either express or implied.\nSee the License for the specific language governing permissions and\nlimitations \
                      under the License.\n";
        assert_eq!(recognise(notice).as_deref(), Some("Apache-2.0"));
    }

    #[test]
    fn common_texts_need_no_corpus() {
        for name in COMMON {
            let text = text_of(name);
            assert_eq!(familiar(text, &TextData::new(text)).as_deref(), Some(*name));
        }
        let mine = text_of("Apache-2.0").replace("[yyyy] [name of copyright owner]", "2020 Somebody");
        let (start, _) = mine.split_once("APPENDIX").unwrap();
        assert_eq!(familiar(start, &TextData::new(start)).as_deref(), Some("Apache-2.0"), "the appendix is often left out");
    }

    /// What [`SURE`] promises.
    #[test]
    fn neighbours_are_complete() {
        const NEAR: f32 = 0.849;
        let corpus = Store::load_inline().unwrap();
        for (common, text) in COMMON.iter().flat_map(|name| texts_of(name)) {
            let data = TextData::new(text);
            for (name, entry) in corpus.iter() {
                let is_familiar = COMMON.contains(&name.as_str()) || NEIGHBOURS.contains(&name.as_str());
                let Some(id) = spdx::license_id(name) else { continue };
                // Twice as long is not alike.
                let is_as_long = (text.len() / 2..text.len() * 2).contains(&id.text().len());
                let original = (!is_familiar && is_as_long).then_some(&entry.original);
                for variant in entry.alternates.iter().chain(&entry.headers).chain(original) {
                    assert!(variant.match_score(&data) < NEAR, "{name} is a neighbour of {common}");
                }
                if name == common && text == text_of(common) {
                    assert!(entry.original.match_score(&data) > 0.99, "{name} has another text in the corpus");
                }
            }
        }
        let twice = NEIGHBOURS.iter().find(|name| COMMON.contains(name) || spdx::license_id(name).is_none());
        assert_eq!(twice, None);
    }
}
