//! Patterns for branches and tags: `*` stands for anything but a slash, `**` for anything.

/// Whether a text matches a pattern as a whole. Takes steps in proportion to the two lengths multiplied, and no more.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern = parts(pattern);
    // For each place of the pattern whether the text so far can have led there.
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    skip_stars(&pattern, &mut reached);
    for c in text.chars() {
        let mut next = vec![false; pattern.len() + 1];
        for (place, part) in pattern.iter().enumerate().filter(|(place, _)| reached[*place]) {
            match part {
                Part::Letter(letter) => next[place + 1] |= *letter == c,
                Part::Star => next[place] |= c != '/',
                Part::DoubleStar => next[place] = true,
            }
        }
        skip_stars(&pattern, &mut next);
        reached = next;
    }
    reached[pattern.len()]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Letter(char),
    Star,
    DoubleStar,
}

fn parts(pattern: &str) -> Vec<Part> {
    let mut parts = Vec::with_capacity(pattern.len());
    for c in pattern.chars() {
        match (c, parts.last()) {
            ('*', Some(Part::Star | Part::DoubleStar)) => {
                parts.pop();
                parts.push(Part::DoubleStar);
            }
            ('*', _) => parts.push(Part::Star),
            _ => parts.push(Part::Letter(c)),
        }
    }
    parts
}

/// A star may stand for nothing.
fn skip_stars(pattern: &[Part], reached: &mut [bool]) {
    for (place, part) in pattern.iter().enumerate() {
        if reached[place] && matches!(part, Part::Star | Part::DoubleStar) {
            reached[place + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars() {
        for (pattern, text, expected) in [
            ("refs/heads/main", "refs/heads/main", true),
            ("refs/heads/main", "refs/heads/main2", false),
            ("refs/heads/main", "xrefs/heads/main", false),
            ("refs/tags/v*", "refs/tags/v1.0.0", true),
            ("refs/tags/v*", "refs/tags/v", true),
            ("refs/tags/v*", "refs/tags/v/evil", false),
            ("refs/tags/v**", "refs/tags/v/good", true),
            ("refs/heads/*/x", "refs/heads/a/x", true),
            ("refs/heads/*/x", "refs/heads/a/b/x", false),
            ("**", "", true),
            ("", "a", false),
            ("a*b*c", "aXbYbZc", true),
            ("refs/heads/Main", "refs/heads/main", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(!matches(&"*a".repeat(250), &"a".repeat(500).replace('a', "b")), "hard patterns end");
    }
}
