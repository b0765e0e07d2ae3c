//! TypeScript without chance: the same bytes on every machine and in every build.
//!
//! Two kinds. *Ordinary* code is what people publish: modules that import each other, interfaces, classes and functions with
//! explicit types and a documentation comment on everything. *Dense* code is what a bundler leaves of it: short names, no
//! comments, no space, so that nearly every byte is a token and the tree of a file is many times as large as the file.

use std::fmt::Write as _;

use crate::package::File;

/// Words that names and comments are made of.
const WORDS: [&str; 32] = [
    "account", "anchor", "batch", "border", "cargo", "chart", "crane", "cursor", "depth", "draft", "engine", "ferry", "freight", "harbor",
    "hull", "index", "ledger", "manifest", "marker", "mooring", "order", "parcel", "pilot", "quay", "record", "route", "schedule",
    "signal", "tide", "vessel", "voyage", "window",
];

/// Types of fields and parameters.
const TYPES: [&str; 6] = ["string", "number", "boolean", "readonly string[]", "Map<string, number>", "Uint8Array | undefined"];

/// Bytes of an ordinary module: what the modules of published packages are like, a screen or two.
const MODULE_BYTES: usize = 3_500;

/// Bytes of a dense module: a bundle.
const BUNDLE_BYTES: usize = 500_000;

/// A sequence that looks random and never differs (`SplitMix64`).
pub(crate) struct Sequence(u64);

impl Sequence {
    /// The sequence that starts from a number.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or_default()
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }

    fn capital(&mut self) -> String {
        let word = self.word();
        format!("{}{}", word[..1].to_ascii_uppercase(), &word[1..])
    }

    /// Bytes that nothing compresses, as in an image.
    pub(crate) fn noise(&mut self, length: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..length.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(length);
        bytes
    }
}

/// About so many bytes of ordinary code: an entry that exports everything, and the modules below `src`.
pub(crate) fn ordinary(bytes: usize, seed: u64) -> Vec<File> {
    let count = (bytes / MODULE_BYTES).max(1);
    let mut entry = "/**\n * Everything that this package has.\n *\n * @module\n */\n".to_owned();
    for number in 0..count {
        let _ = writeln!(entry, "export * from \"./src/part_{number}.ts\";");
    }
    let modules = (0..count).map(|number| (format!("src/part_{number}.ts"), module(number, bytes / count, seed).into_bytes()));
    std::iter::once(("mod.ts".to_owned(), entry.into_bytes())).chain(modules).collect()
}

/// An ordinary module of about so many bytes. Its names end in its number, so that an entry can export all modules.
pub(crate) fn module(number: usize, bytes: usize, seed: u64) -> String {
    let mut chance = Sequence::new(seed ^ (number as u64) << 20);
    let mut text = String::with_capacity(bytes + 1_000);
    if let Some(before) = number.checked_sub(1) {
        let _ = writeln!(text, "import {{ type Item{before}_0, make{before}_0 }} from \"./part_{before}.ts\";\n");
        let _ = writeln!(text, "/** What the part before this one makes of a {}. */", chance.word());
        let _ = writeln!(
            text,
            "export function follow{number}(name: string): Item{before}_0 {{\n  return make{before}_0(name, {number});\n}}\n"
        );
    }
    for part in 0.. {
        declare(&mut text, &mut chance, &format!("{number}_{part}"));
        if text.len() >= bytes {
            break;
        }
    }
    text
}

/// An interface, a function that makes one, and a class that keeps some.
fn declare(text: &mut String, chance: &mut Sequence, mark: &str) {
    let (noun, other) = (chance.word(), chance.capital());
    let _ = writeln!(
        text,
        "/**\n * One {noun} of a {}, as it stands in the {}.\n *\n * It does not change once it was made.\n */",
        chance.word(),
        chance.word()
    );
    let _ = writeln!(
        text,
        "export interface Item{mark} {{\n  /** What it is called. */\n  readonly name: string;\n  /** How much of it there is. */\n  readonly count: number;"
    );
    for field in 0..=chance.below(4) {
        let (word, of) = (chance.word(), TYPES[chance.below(TYPES.len())]);
        let _ = writeln!(text, "  /** The {word} it came with. */\n  readonly {word}{field}?: {of};");
    }
    let _ = writeln!(text, "}}\n");
    let _ = writeln!(
        text,
        "/**\n * Makes a {noun}.\n *\n * @param name What it is called.\n * @param count How much of it there is.\n * @returns The {noun}.\n */\n\
         export function make{mark}(name: string, count: number): Item{mark} {{\n  const weight = count * {} + name.length;\n  \
         if (weight < 0) {{\n    throw new RangeError(`a {noun} of ${{weight}} is too light for ${{name}}`);\n  }}\n  \
         return {{ name: name.trim(), count: weight > {} ? weight : count }};\n}}\n",
        1 + chance.below(90),
        chance.below(9_000),
    );
    let _ = writeln!(
        text,
        "/** Keeps what {}s there are, by name. */\nexport class {other}s{mark} {{\n  #items: Map<string, Item{mark}> = new Map();\n\n  \
         /** How many there are. */\n  get size(): number {{\n    return this.#items.size;\n  }}\n\n  \
         /** Adds one, unless its name is taken. */\n  add(item: Item{mark}): boolean {{\n    if (this.#items.has(item.name)) return false;\n    \
         this.#items.set(item.name, item);\n    return true;\n  }}\n\n  /** The names that `test` is true for. */\n  \
         names(test: (item: Item{mark}) => boolean): string[] {{\n    \
         return [...this.#items.values()].filter(test).map((item) => item.name);\n  }}\n}}\n",
        chance.word(),
    );
}

/// About so many bytes of dense code.
pub(crate) fn dense(bytes: usize, seed: u64) -> Vec<File> {
    let count = bytes.div_ceil(BUNDLE_BYTES).max(1);
    let mut entry = String::new();
    for number in 0..count {
        let _ = writeln!(entry, "export * from \"./bundle_{number}.ts\";");
    }
    let bundles = (0..count).map(|number| (format!("bundle_{number}.ts"), bundle(number, bytes / count, seed).into_bytes()));
    std::iter::once(("mod.ts".to_owned(), entry.into_bytes())).chain(bundles).collect()
}

fn bundle(number: usize, bytes: usize, seed: u64) -> String {
    let mut chance = Sequence::new(seed ^ (number as u64) << 20);
    let mut text = String::with_capacity(bytes + 200);
    for part in 0.. {
        let (x, y) = (chance.below(99), chance.below(9));
        let _ = write!(
            text,
            "export const m{number}_{part}=(a:number,b:number):number=>{{let c=a*{x}+b,d=[a,b,c,{y}];\
             for(const e of d){{if(e>c&&e!={y}){{c+=e-a}}else{{c^=b}}}}return c}};"
        );
        if text.len() >= bytes {
            break;
        }
    }
    text
}

/// One line of about so many bytes: a table of numbers, such as generators write.
pub(crate) fn line_of_numbers(bytes: usize, seed: u64) -> File {
    let mut chance = Sequence::new(seed);
    let mut text = String::with_capacity(bytes + 10);
    text.push_str("export const table: number[] = [");
    while text.len() < bytes {
        let _ = write!(text, "{},", chance.below(100_000));
    }
    text.push_str("0];\n");
    ("mod.ts".to_owned(), text.into_bytes())
}

/// One line of about so many bytes: a text, such as an embedded file.
pub(crate) fn line_of_text(bytes: usize, seed: u64) -> File {
    let mut chance = Sequence::new(seed);
    let mut text = String::with_capacity(bytes + 40);
    text.push_str("export const text: string = \"");
    while text.len() < bytes {
        text.push_str(chance.word());
        text.push(' ');
    }
    text.push_str("\";\n");
    ("mod.ts".to_owned(), text.into_bytes())
}
