//! Words: names and numbers, which are operands, and the keywords that nest or end something.

use super::scan::{LIGHT, NESTED, Scan};

impl Scan<'_> {
    /// An operand begins. One that follows another without an operator is the next statement, or the next member.
    pub(super) fn begin_operand(&mut self, may_be_called: bool) {
        if !self.operand_next {
            // `tag` and a template, `f` and `(`: one expression.
            if may_be_called {
                self.levels.link(LIGHT);
            } else {
                self.levels.end_chain();
            }
        }
        self.after_dot = false;
    }

    /// A name, a keyword or a number.
    pub(super) fn word(&mut self) {
        let rest = &self.text[self.at..];
        let is_number = rest[0].is_ascii_digit();
        let part = |byte: &u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'\\') || *byte >= 0x80 || (is_number && *byte == b'.')
        };
        let length = rest.iter().take_while(|byte| part(byte)).count();
        let word = &rest[..length];
        self.at += length;
        if std::mem::take(&mut self.after_dot) {
            self.operand_next = false;
        } else {
            self.keyword_or_name(word);
        }
    }

    fn keyword_or_name(&mut self, word: &[u8]) {
        match word {
            b"if" | b"for" | b"while" | b"with" => {
                self.statement();
                self.levels.link(NESTED);
                self.control_next = true;
            }
            b"else" => {
                self.levels.resume_chain();
                self.levels.link(NESTED);
                self.operand_next = true;
            }
            b"do" => {
                self.statement();
                self.levels.link(NESTED);
            }
            b"typeof" | b"void" | b"delete" | b"await" | b"yield" | b"new" | b"keyof" | b"infer" => {
                if !self.operand_next {
                    self.levels.end_chain();
                }
                self.levels.link(LIGHT);
                self.operand_next = true;
            }
            b"in" | b"instanceof" | b"as" | b"satisfies" | b"extends" | b"is" | b"of" if !self.operand_next => {
                if word == b"extends" {
                    self.levels.see_extends();
                }
                self.levels.link(LIGHT);
                self.operand_next = true;
            }
            b"return" | b"throw" | b"case" | b"default" | b"const" | b"let" | b"var" | b"export" | b"import" | b"function" | b"class" => {
                self.statement();
            }
            _ => {
                self.begin_operand(false);
                self.operand_next = false;
            }
        }
    }

    /// A statement begins with a keyword, unless the keyword stands where an operand may: `a = class {}`, `else if`.
    fn statement(&mut self) {
        if !self.operand_next {
            self.levels.drop_angles();
            self.levels.end_chain();
        }
        self.operand_next = true;
    }
}
