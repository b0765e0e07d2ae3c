//! A reading of Rust that is just good enough for rules: comments and strings told apart from code, identifiers, paths.
//!
//! Macros are not expanded and names are not resolved. A rule that somebody evades on purpose is a matter for review.

/// One file, taken apart. Every part keeps its line numbers.
pub(crate) struct Lexed {
    /// The text with comments and the insides of strings blanked.
    pub(crate) code: String,
    /// The insides of string literals, each with the line it starts on.
    pub(crate) strings: Vec<(usize, String)>,
}

/// Takes a file apart.
pub(crate) fn lex(text: &str) -> Lexed {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut strings = Vec::new();
    let mut line = 1;
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let end = at
            + match rest {
                ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
                ['/', '*', ..] => block_comment(rest),
                ['r', '"' | '#', ..] if !follows_word(&chars, at) && raw_string(rest).is_some() => raw_string(rest).unwrap_or(1),
                ['"', ..] => quoted(rest, '"'),
                ['\'', '\\', ..] => quoted(rest, '\''),
                ['\'', _, '\'', ..] => 3,
                _ => {
                    code.push(chars[at]);
                    line += usize::from(chars[at] == '\n');
                    at += 1;
                    continue;
                }
            };
        let piece: String = chars[at..end].iter().collect();
        if let Some(open) = piece.find('"').filter(|_| !piece.starts_with('/') && !piece.starts_with('\'')) {
            let close = piece.rfind('"').filter(|close| *close > open).unwrap_or(piece.len());
            strings.push((line, piece[open + 1..close].to_owned()));
        }
        code.extend(piece.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        line += piece.matches('\n').count();
        at = end;
    }
    Lexed { code, strings }
}

/// Code without what is compiled for tests alone: modules under `#[cfg(test)]` are blanked.
pub(crate) fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    let mut from = 0;
    while let Some(found) = out[from..].find("#[cfg(test)]").map(|i| i + from) {
        let after = found + "#[cfg(test)]".len();
        let item = out[after..].trim_start();
        let open = out[after..].find('{').map(|i| i + after);
        let semicolon = out[after..].find(';').map_or(out.len(), |i| i + after);
        let end = match open {
            Some(open) if item.starts_with("mod ") && open < semicolon => closing_brace(&out, open),
            _ => semicolon.min(out.len()),
        };
        let blank: String = out[found..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(found..end, &blank);
        from = found + blank.len();
    }
    out
}

/// The modules that are compiled for tests alone and lie in files of their own.
pub(crate) fn test_modules(code: &str) -> Vec<&str> {
    let tokens: Vec<&str> = tokens(code).into_iter().map(|(_, token)| token).collect();
    let named = |window: &[&str]| window[..8] == ["#", "[", "cfg", "(", "test", ")", "]", "mod"] && window[9] == ";";
    (0..tokens.len().saturating_sub(9)).filter(|at| named(&tokens[*at..at + 10])).map(|at| tokens[at + 8]).collect()
}

/// Every identifier, with its line.
pub(crate) fn identifiers(code: &str) -> Vec<(usize, &str)> {
    tokens(code).into_iter().filter(|(_, token)| is_word(token)).collect()
}

/// Every path of two or more segments, and every path of a `use`, with its line. Braces in a `use` are expanded.
pub(crate) fn paths(code: &str) -> Vec<(usize, Vec<String>)> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (line, token) = tokens[at];
        if token == "use" {
            at = use_tree(&tokens, at + 1, &[], &mut found);
        } else if is_word(token) {
            let mut path = vec![token.to_owned()];
            while at + 2 < tokens.len() && tokens[at + 1].1 == "::" && is_word(tokens[at + 2].1) {
                path.push(tokens[at + 2].1.to_owned());
                at += 2;
            }
            if path.len() > 1 {
                found.push((line, path));
            }
            at += 1;
        } else {
            at += 1;
        }
    }
    found
}

fn use_tree(tokens: &[(usize, &str)], mut at: usize, prefix: &[String], found: &mut Vec<(usize, Vec<String>)>) -> usize {
    let mut path = prefix.to_vec();
    let mut line = 0;
    while let Some((here, token)) = tokens.get(at).copied() {
        at += 1;
        match token {
            "::" => {}
            "{" => loop {
                at = use_tree(tokens, at, &path, found);
                match tokens.get(at).map(|(_, token)| *token) {
                    Some(",") => at += 1,
                    _ => return at + 1,
                }
            },
            "as" => at += 1,
            word if is_word(word) || word == "*" => {
                line = here;
                path.push(word.to_owned());
            }
            _ => {
                at -= 1;
                break;
            }
        }
    }
    if path.len() > prefix.len() {
        found.push((line, path));
    }
    at
}

fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let length = if first.is_alphanumeric() || first == '_' {
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            if !first.is_whitespace() {
                found.push((number + 1, &rest[..length]));
            }
            rest = &rest[length..];
        }
    }
    found
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn follows_word(chars: &[char], at: usize) -> bool {
    // `br"…"` is a raw string too; any other letter before the `r` makes it the end of a name.
    at > 0
        && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_')
        && !(chars[at - 1] == 'b' && (at < 2 || !chars[at - 2].is_alphanumeric()))
}

fn raw_string(rest: &[char]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let body = 2 + hashes;
    let end = (body..rest.len()).find(|&i| rest[i] == '"' && rest[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes);
    Some(end.map_or(rest.len(), |i| i + 1 + hashes))
}

fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn closing_brace(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + at + 1;
        }
    }
    code.len()
}

#[test]
fn tells_code_from_comments_and_strings() {
    let lexed =
        lex("let a = \"x // {\"; // std::fs\n/* b /* c */ d */ let e = r#\"f\"g\"#; let h = '\"'; let i: &'static str = \"\\\"\";\n");
    let words: Vec<_> = identifiers(&lexed.code).into_iter().map(|(_, word)| word).collect();
    assert_eq!(words, ["let", "a", "let", "e", "let", "h", "let", "i", "static", "str"]);
    assert_eq!(lexed.strings, [(1, "x // {".to_owned()), (2, "f\"g".to_owned()), (2, "\\\"".to_owned())]);
}

#[test]
fn expands_imports() {
    let found = paths("use std::{fs, io::{self, Read as R}};\nuse a::*;\nfn f() { b::c::<d::E>(g); }\n");
    let text: Vec<_> = found.iter().map(|(line, path)| format!("{line} {}", path.join("::"))).collect();
    assert_eq!(text, ["1 std::fs", "1 std::io::self", "1 std::io::Read", "2 a::*", "3 b::c", "3 d::E"]);
}

#[test]
fn leaves_out_tests() {
    let code = without_tests("a();\n#[cfg(test)]\nmod tests { fn b() { c(); } }\nd();\n#[cfg(test)]\nmod e;\nf();");
    let words: Vec<_> = identifiers(&code).into_iter().map(|(line, word)| format!("{line}{word}")).collect();
    assert_eq!(words, ["1a", "4d", "7f"]);
    assert_eq!(test_modules("mod a;\n#[cfg(test)]\nmod b;\n#[cfg(test)]\nmod c { }"), ["b"]);
}
