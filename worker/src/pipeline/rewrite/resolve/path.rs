//! Specifiers that are paths: `./a`, `../a` and, from the package's root, `/a`.

use percent_encoding::percent_decode_str;

use super::tree::{join, relative};
use super::{Failure, Referrer, Resolved, Resolver, case_hint, unresolved};

impl Resolver<'_> {
    /// `./a`, `../a` and `/a`.
    pub(super) fn resolve_path(&self, from: Referrer<'_>, text: &str) -> Result<Resolved, Failure> {
        let directory = from.path.directory();
        // Deno keeps what follows a question mark or hash apart; bundlers give it a meaning.
        let (written, suffix) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
        let is_rooted = written.starts_with('/');
        let decoded = percent_decode_str(written).decode_utf8().ok();
        // An encoded slash is not a slash: whoever follows it as one has left the path that was written.
        let decoded = decoded.filter(|decoded| decoded.matches(['/', '\\']).count() == written.matches(['/', '\\']).count());
        let path = decoded.as_deref().and_then(|path| match path.strip_prefix('/') {
            Some(rooted) => join("/", rooted),
            None => join(directory, path),
        });
        if let (Some(path), false) = (&path, is_rooted)
            && self.tree.contains(path)
        {
            return Ok(Resolved::exact(Some(path)));
        }
        if let Some(mapped) = self.mapped(from, text) {
            return self.follow(from, text, mapped);
        }
        let Some(path) = path else {
            return Err(unresolved(text, &["nothing, because it leads out of the package".to_owned()], None));
        };
        match self.tree.probe(&collapse(&path), from.types) {
            Ok(found) => Ok(Resolved::file(format!("{}{suffix}", restyle(written, &path, found, directory)), found)),
            Err(missing) => {
                let hint = case_hint(from, &missing).or_else(|| Some("is the file excluded from publishing?".to_owned()));
                Err(unresolved(text, &[missing.tried], hint))
            }
        }
    }
}

/// `path` with single slashes, as file systems read it.
fn collapse(path: &str) -> String {
    let mut collapsed = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !collapsed.ends_with('/') {
            collapsed.push(c);
        }
    }
    collapsed
}

/// How to write the path to `found`, which was looked for at `path`, keeping what the author wrote where it holds.
fn restyle(written: &str, path: &str, found: &str, directory: &str) -> String {
    let name_start = found.rfind('/').map_or(0, |slash| slash + 1);
    let (found_directory, name) = found.split_at(name_start);
    let slash = path.rfind('/').map_or(0, |slash| slash + 1);
    let last = written.rsplit('/').next().unwrap_or(written);
    if written.starts_with('/') || path.contains("//") {
        return relative(directory, found);
    }
    if found_directory == &path[..slash] && !matches!(last, "." | "..") {
        // `./dir/` and `./file` both end where the name goes.
        return format!("{}{name}", &written[..written.len() - last.len()]);
    }
    match found_directory.strip_suffix('/') {
        Some(stem) if stem == path.trim_end_matches('/') => format!("{}/{name}", written.trim_end_matches('/')),
        _ => relative(directory, found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_style() {
        for (written, path, found, expected) in [
            ("./foo", "/src/foo", "/src/foo.ts", "./foo.ts"),
            ("./foo.js", "/src/foo.js", "/src/foo.ts", "./foo.ts"),
            ("../src/foo", "/src/foo", "/src/foo.ts", "../src/foo.ts"),
            ("./dir", "/src/dir", "/src/dir/index.ts", "./dir/index.ts"),
            ("./dir/", "/src/dir/", "/src/dir/index.ts", "./dir/index.ts"),
            (".", "/src/", "/src/index.ts", "./index.ts"),
            ("./", "/src/", "/src/index.ts", "./index.ts"),
            ("..", "/", "/index.ts", "../index.ts"),
            ("./a/..", "/src/", "/src/index.ts", "./a/../index.ts"),
            (".//foo", "/src//foo", "/src/foo.ts", "./foo.ts"),
            ("/foo", "/foo", "/foo.ts", "../foo.ts"),
        ] {
            assert_eq!(restyle(written, path, found, "/src/"), expected, "{written}");
        }
    }
}
