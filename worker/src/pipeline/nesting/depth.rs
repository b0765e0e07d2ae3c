//! The levels that are open at a place, and how much they weigh together.

use super::{LEVEL, MAX_NESTING};

/// The weight that is too much.
pub(super) const LIMIT: u32 = MAX_NESTING * LEVEL;

/// What opened a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opener {
    /// `(`
    Parenthesis,
    /// `[`
    Bracket,
    /// `{`, of a block or an object.
    Brace,
    /// The text of a template.
    Template,
    /// `${` in a template.
    Substitution,
    /// `<` before type arguments, as it seems.
    Angle,
    /// A JSX tag that is being opened.
    Tag,
    /// Between the tags of a JSX element.
    Children,
}

/// One open level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    pub(super) opener: Opener,
    /// `(` after `if`, `for`, `while` or `with`: a statement follows its end.
    pub(super) control: bool,
    /// The level opened where an operand was expected.
    pub(super) operand: bool,
    /// `extends` was seen, so that `?` belongs to a type.
    pub(super) extends: bool,
    /// What all levels around it weigh, and its own weight.
    base: u32,
    /// The links of the chain at hand.
    chain: u32,
    /// The links of the chain before, which an `else` continues.
    ended: u32,
}

impl Level {
    fn at(base: u32, opener: Opener, control: bool, operand: bool) -> Self {
        Self { opener, control, operand, extends: false, base, chain: 0, ended: 0 }
    }
}

/// All open levels. The bottom one is the file.
pub(super) struct Levels {
    open: Vec<Level>,
    counts: [usize; 8],
}

impl Levels {
    pub(super) fn new() -> Self {
        Self { open: vec![Level::at(0, Opener::Brace, false, false)], counts: [0; 8] }
    }

    /// The innermost level.
    pub(super) fn top(&self) -> &Level {
        self.open.last().expect("the level of the file is never closed")
    }

    fn top_mut(&mut self) -> &mut Level {
        self.open.last_mut().expect("the level of the file is never closed")
    }

    /// Whether it is too much.
    pub(super) fn too_deep(&self) -> bool {
        self.top().base.saturating_add(self.top().chain) > LIMIT
    }

    /// Opens a level.
    pub(super) fn push(&mut self, opener: Opener, control: bool, operand: bool) {
        // The text of a template weighs nothing; what is substituted in it does.
        let weight = if opener == Opener::Template { 0 } else { LEVEL };
        let base = self.top().base.saturating_add(self.top().chain).saturating_add(weight);
        self.open.push(Level::at(base, opener, control, operand));
        self.counts[opener as usize] += 1;
    }

    /// Closes the innermost level, unless it is the file.
    pub(super) fn pop(&mut self) -> Option<Level> {
        if self.open.len() == 1 {
            return None;
        }
        let level = self.open.pop()?;
        self.counts[level.opener as usize] -= 1;
        Some(level)
    }

    /// Closes the innermost level with this opener and all that was left open in it, which was then none: a `<` that
    /// compares, a bracket in a regular expression that looked like a division.
    pub(super) fn close(&mut self, openers: &[Opener]) -> Option<Level> {
        if openers.iter().all(|opener| self.counts[*opener as usize] == 0) {
            return None;
        }
        loop {
            let level = self.pop()?;
            if openers.contains(&level.opener) {
                return Some(level);
            }
        }
    }

    /// Drops every `<` on top: what follows shows that they compare.
    pub(super) fn drop_angles(&mut self) {
        while self.top().opener == Opener::Angle {
            self.pop();
        }
    }

    /// Turns the tag on top into the children of its element.
    pub(super) fn enter_children(&mut self) {
        let level = self.top_mut();
        level.opener = Opener::Children;
        level.chain = 0;
        self.counts[Opener::Tag as usize] -= 1;
        self.counts[Opener::Children as usize] += 1;
    }

    /// Adds links to the chain.
    pub(super) fn link(&mut self, weight: u32) {
        let level = self.top_mut();
        level.chain = level.chain.saturating_add(weight);
    }

    /// Ends the chain.
    pub(super) fn end_chain(&mut self) {
        let level = self.top_mut();
        level.ended = std::mem::take(&mut level.chain);
    }

    /// Continues the chain that ended last: an `else` hangs on the `if` before it.
    pub(super) fn resume_chain(&mut self) {
        let level = self.top_mut();
        level.chain = level.chain.max(level.ended);
    }

    /// Remembers `extends`.
    pub(super) fn see_extends(&mut self) {
        self.top_mut().extends = true;
    }
}
