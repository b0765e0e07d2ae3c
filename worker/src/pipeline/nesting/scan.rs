//! One pass over the bytes of a source: white space, strings, brackets and operators. Words are in `words`.

use super::depth::{LIMIT, Levels, Opener};
use super::{MAX_ASSERTIONS, Syntax};

/// A link that a parser follows by recursion: `a => b`, which costs it as much as brackets.
const ARROW: u32 = super::LEVEL;
/// A link that nests statements or the right side of an operator: `if (a) if (b)`, `a = b = c`, `a ? b : c ? d : e`.
pub(super) const NESTED: u32 = 8;
/// A link of a tree that leans to the left, or of a prefix: `a + b`, `a.b`, `f()()`, `!a`.
pub(super) const LIGHT: u32 = 1;

/// A link of `<T>` before an operand. What counts is how many of them are around one place.
const ASSERTION: u32 = LIMIT / MAX_ASSERTIONS;

/// The offset at which a source is too deep.
pub(super) fn first_too_deep(text: &[u8], syntax: Syntax) -> Option<usize> {
    let mut scan =
        Scan { text, at: 0, syntax, levels: Levels::new(), operand_next: true, control_next: false, after_dot: false, no_regex_before: 0 };
    while scan.at < text.len() {
        let start = scan.at;
        match scan.levels.top().opener {
            Opener::Template => scan.template_text(),
            Opener::Children => scan.children_text(),
            _ => scan.token(),
        }
        if scan.levels.too_deep() {
            return Some(start);
        }
    }
    None
}

/// Where the pass is.
pub(super) struct Scan<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
    syntax: Syntax,
    pub(super) levels: Levels,
    /// An operand may begin here: after an operator, at a start. Decides what `/` and `<` mean.
    pub(super) operand_next: bool,
    /// `if` and the like were seen, and their `(` not yet.
    pub(super) control_next: bool,
    /// The word to come is the name of a member.
    pub(super) after_dot: bool,
    /// Up to here, a line was found to hold no end of a regular expression. It is not looked through again: a hostile line may
    /// have a million beginnings.
    no_regex_before: usize,
}

impl Scan<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn starts_with(&self, what: &[u8]) -> bool {
        self.text[self.at..].starts_with(what)
    }

    /// Moves behind the next `what`, or to the end.
    fn skip_past(&mut self, what: &[u8]) {
        let rest = &self.text[self.at..];
        let found = rest.windows(what.len()).position(|window| window == what);
        self.at += found.map_or(rest.len(), |found| found + what.len());
    }

    /// One token of code.
    fn token(&mut self) {
        match self.peek(0) {
            byte if byte.is_ascii_whitespace() => self.at += 1,
            b'/' if self.peek(1) == b'/' => self.skip_past(b"\n"),
            b'/' if self.peek(1) == b'*' => {
                self.at += 2;
                self.skip_past(b"*/");
            }
            b'#' if self.at == 0 && self.peek(1) == b'!' => self.skip_past(b"\n"),
            quote @ (b'"' | b'\'') => self.string(quote),
            b'`' => {
                self.begin_operand(true);
                self.levels.push(Opener::Template, false, false);
                self.at += 1;
            }
            byte if byte == b'_' || byte == b'$' || byte == b'#' || byte == b'\\' || byte >= 0x80 || byte.is_ascii_alphanumeric() => {
                self.word();
            }
            b'(' => self.open(Opener::Parenthesis),
            b'[' => self.open(Opener::Bracket),
            b'{' => self.open(Opener::Brace),
            b')' => self.close(&[Opener::Parenthesis]),
            b']' => self.close(&[Opener::Bracket]),
            b'}' => self.close(&[Opener::Brace, Opener::Substitution]),
            b'/' => self.slash(),
            b'<' => self.less(),
            b'>' => self.greater(),
            _ => self.operator(),
        }
    }

    /// Moves behind a string. One without an end reaches to the end of its line, and no mistake further.
    fn string(&mut self, quote: u8) {
        self.begin_operand(false);
        self.at += 1;
        while self.at < self.text.len() {
            match self.peek(0) {
                b'\\' => self.at += 2,
                b'\n' => break,
                byte => {
                    self.at += 1;
                    if byte == quote {
                        break;
                    }
                }
            }
        }
        self.operand_next = false;
    }

    /// The text of a template, up to its end or a substitution.
    fn template_text(&mut self) {
        match self.peek(0) {
            b'\\' => self.at += 2,
            b'`' => {
                self.levels.pop();
                self.at += 1;
                self.operand_next = false;
            }
            b'$' if self.peek(1) == b'{' => {
                self.levels.push(Opener::Substitution, false, false);
                self.at += 2;
                self.operand_next = true;
            }
            _ => self.at += 1,
        }
    }

    /// What is between JSX tags, up to the next tag or expression.
    fn children_text(&mut self) {
        match self.peek(0) {
            b'{' => {
                self.levels.push(Opener::Brace, false, true);
                self.at += 1;
                self.operand_next = true;
            }
            b'<' if self.peek(1) == b'/' => {
                self.skip_past(b">");
                self.levels.pop();
                self.operand_next = false;
            }
            b'<' => {
                self.levels.push(Opener::Tag, false, true);
                self.at += 1;
                self.operand_next = true;
            }
            _ => self.at += 1,
        }
    }

    fn open(&mut self, opener: Opener) {
        let operand = self.operand_next;
        if opener != Opener::Brace && !operand {
            self.levels.link(LIGHT);
        }
        let control = opener == Opener::Parenthesis && std::mem::take(&mut self.control_next);
        self.levels.push(opener, control, operand);
        self.at += 1;
        self.operand_next = true;
        self.after_dot = false;
    }

    fn close(&mut self, openers: &[Opener]) {
        self.at += 1;
        let Some(closed) = self.levels.close(openers) else {
            self.operand_next = false;
            return;
        };
        self.operand_next = closed.control;
        if closed.opener == Opener::Brace && self.levels.top().opener == Opener::Brace {
            // The end of a block is the end of a statement, and a regular expression may follow.
            self.levels.end_chain();
            self.operand_next = true;
        }
    }

    /// A division, or a regular expression.
    fn slash(&mut self) {
        if self.levels.top().opener == Opener::Tag && self.peek(1) == b'>' {
            self.at += 2;
            self.levels.pop();
            self.operand_next = false;
            return;
        }
        let regex = if self.operand_next { self.regex_end() } else { None };
        if let Some(end) = regex {
            self.at = end;
            self.operand_next = false;
        } else {
            self.levels.drop_angles();
            self.binary(1);
        }
    }

    /// Where the regular expression that begins here ends, if it does on this line.
    fn regex_end(&mut self) -> Option<usize> {
        if self.at < self.no_regex_before {
            return None;
        }
        let (mut at, mut in_class) = (self.at + 1, false);
        while at < self.text.len() {
            match self.text[at] {
                b'\n' => break,
                b'\\' => at += 1,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => return Some(at + 1),
                _ => {}
            }
            at += 1;
        }
        self.no_regex_before = at;
        None
    }

    fn less(&mut self) {
        let next = self.peek(1);
        if self.operand_next && self.syntax.jsx && !(self.syntax.types && self.is_generic_arrow()) {
            // `<a`, or `<>`; anything else is a mistake that the parser will name.
            self.levels.push(Opener::Tag, false, true);
            self.at += 1;
        } else if self.syntax.types && !matches!(next, b'=' | b'<') && (self.operand_next || !next.is_ascii_whitespace()) {
            self.levels.push(Opener::Angle, false, self.operand_next);
            self.at += 1;
            self.operand_next = true;
        } else {
            self.levels.drop_angles();
            let length = self.text[self.at..].iter().take_while(|byte| matches!(byte, b'<' | b'=')).count();
            self.binary(length);
        }
    }

    /// In TSX, type parameters of an arrow are told from a tag by what follows the first name.
    fn is_generic_arrow(&self) -> bool {
        /// Longest start of type parameters that is looked at: names have no limit, looking ahead does.
        const LOOK_AHEAD: usize = 128;
        let rest = &self.text[self.at + 1..];
        let rest = &rest[..rest.len().min(LOOK_AHEAD)];
        let rest = rest.strip_prefix(b"const ").unwrap_or(rest);
        let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_' || **byte == b'$').count();
        let after = rest[name..].trim_ascii_start();
        name > 0
            && (after.starts_with(b",") || after.starts_with(b"=") || (after.starts_with(b"extends") && rest[name..].len() > after.len()))
    }

    fn greater(&mut self) {
        match self.levels.top().opener {
            Opener::Angle => {
                let closed = self.levels.pop().expect("an angle is open");
                if closed.operand {
                    self.levels.link(ASSERTION);
                }
                // After a type assertion comes what is asserted.
                self.operand_next = closed.operand;
                self.at += 1;
            }
            Opener::Tag => {
                self.levels.enter_children();
                self.at += 1;
            }
            _ => {
                let length = self.text[self.at..].iter().take_while(|byte| matches!(byte, b'>' | b'=')).count();
                self.binary(length);
            }
        }
    }

    /// An operator between operands, or before one.
    fn binary(&mut self, length: usize) {
        self.levels.link(LIGHT);
        self.at += length;
        self.operand_next = true;
    }

    fn operator(&mut self) {
        const COMPARING: &[&[u8]] = &[b"&&=", b"||=", b"??=", b"===", b"!==", b"&&", b"||", b"??", b"==", b"!="];
        match self.peek(0) {
            b';' => {
                self.levels.drop_angles();
                self.levels.end_chain();
                self.at += 1;
                self.operand_next = true;
            }
            b',' => {
                self.levels.end_chain();
                self.at += 1;
                self.operand_next = true;
            }
            b'=' if self.peek(1) == b'>' => {
                self.levels.link(ARROW);
                self.at += 2;
                self.operand_next = true;
            }
            b'?' if self.peek(1) == b'.' && !self.peek(2).is_ascii_digit() => {
                self.at += 1;
                self.dot();
            }
            b'.' if self.starts_with(b"...") => self.at += 3,
            b'.' => self.dot(),
            b'+' | b'-' if self.peek(1) == self.peek(0) => self.at += 2,
            _ => {
                if let Some(operator) = COMPARING.iter().find(|operator| self.starts_with(operator)) {
                    self.levels.drop_angles();
                    self.binary(operator.len());
                } else {
                    self.single();
                }
            }
        }
    }

    /// An operator of one character, or the first of one whose rest is another.
    fn single(&mut self) {
        let byte = self.peek(0);
        match byte {
            b'?' if self.levels.top().opener == Opener::Angle && !self.levels.top().extends => self.levels.drop_angles(),
            b'+' | b'*' | b'%' | b'^' | b'~' => self.levels.drop_angles(),
            _ => {}
        }
        // `a!` is still an operand.
        let postfix = byte == b'!' && !self.operand_next;
        self.levels.link(if matches!(byte, b'=' | b':') { NESTED } else { LIGHT });
        self.at += 1;
        self.operand_next = !postfix;
    }

    fn dot(&mut self) {
        self.levels.link(LIGHT);
        self.at += 1;
        self.operand_next = true;
        self.after_dot = true;
    }
}
