//! What a specifier loads: a file of the package, a `data:` URL, or nothing.
//!
//! Files are found by their exact path. There is no file system behind this: a path that does not parse as a package path
//! cannot be a file, whatever it points at.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::Pin;
use std::sync::Arc;

use deno_ast::MediaType;
use deno_graph::source::{
    CacheResponse, EnsureCachedFuture, JsrUrlProvider, LoadFuture, LoadOptions, LoadResponse, LoadResult, Loader, load_data_url,
};
use deno_graph::{Executor, ModuleSpecifier};
use deno_semver::package::PackageNv;
use futures::FutureExt;
use percent_encoding::percent_decode_str;
use slipway_common::ids::PackagePath;

use crate::pipeline::files::Files;

/// Schemes of modules that are somewhere else. The rules decide which of them a package may import.
const ELSEWHERE: [&str; 8] = ["http", "https", "node", "npm", "jsr", "bun", "virtual", "cloudflare"];

/// The specifier of a file of the package: `file:///mod.ts`.
#[must_use]
pub fn specifier_of(path: &PackagePath) -> ModuleSpecifier {
    let mut specifier = ModuleSpecifier::parse("file:///").expect("the root of the package is a URL");
    specifier.set_path(path.as_str());
    specifier
}

/// The path that a `file:` specifier names, if it is spelled as the specifier of that path is. Whoever loads the package
/// from a registry compares the spelling, so `%61.ts` is not `a.ts`.
#[must_use]
pub fn path_of(specifier: &ModuleSpecifier) -> Option<PackagePath> {
    if specifier.scheme() != "file" || specifier.has_host() {
        return None;
    }
    let decoded = percent_decode_str(specifier.path()).decode_utf8().ok()?;
    let path = PackagePath::try_from(decoded.as_ref()).ok()?;
    (specifier_of(&path).path() == specifier.path()).then_some(path)
}

/// Whether the parser would be given the file when somebody imports it.
#[must_use]
pub fn is_script(path: &PackagePath) -> bool {
    use MediaType::{Cjs, Cts, Dcts, Dmts, Dts, JavaScript, Jsx, Mjs, Mts, Tsx, TypeScript};
    let media_type = MediaType::from_specifier(&specifier_of(path));
    matches!(media_type, JavaScript | Jsx | Mjs | Cjs | TypeScript | Tsx | Mts | Cts | Dts | Dmts | Dcts)
}

/// Loads from memory and remembers why it refused what it refused.
pub(super) struct PackageLoader<'a> {
    pub(super) files: &'a Files,
    typescript: BTreeSet<PackagePath>,
    refused: RefCell<BTreeMap<ModuleSpecifier, &'static str>>,
}

impl<'a> PackageLoader<'a> {
    /// A loader of these files, of which some are TypeScript whatever they are called.
    pub(super) fn new(files: &'a Files, typescript: BTreeSet<PackagePath>) -> Self {
        Self { files, typescript, refused: RefCell::default() }
    }

    /// Why something that exists was not loaded.
    pub(super) fn refusal(&self, specifier: &ModuleSpecifier) -> Option<&'static str> {
        self.refused.borrow().get(specifier).copied()
    }

    fn refuse<T>(&self, specifier: &ModuleSpecifier, reason: &'static str) -> Option<T> {
        self.refused.borrow_mut().insert(specifier.clone(), reason);
        None
    }

    fn answer(&self, specifier: &ModuleSpecifier) -> Option<LoadResponse> {
        match specifier.scheme() {
            "file" => self.file(specifier),
            "data" => load_data_url(specifier).ok().flatten().or_else(|| self.refuse(specifier, "the data URL cannot be decoded")),
            scheme if ELSEWHERE.contains(&scheme) => Some(LoadResponse::External { specifier: specifier.clone() }),
            _ => None,
        }
    }

    fn file(&self, specifier: &ModuleSpecifier) -> Option<LoadResponse> {
        let path = path_of(specifier)?;
        let bytes = self.files.get(path.as_str())?;
        if specifier.query().is_some() || specifier.fragment().is_some() {
            // Bundlers read meaning into `?worker` and the like. It is one file all the same, and parsed once.
            return Some(LoadResponse::Redirect { specifier: specifier_of(&path) });
        }
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return self.refuse(specifier, "the file is UTF-16, which nobody who imports it can read; save it as UTF-8");
        }
        // The one content type that is taken at its word, whatever the name of the file says.
        let headers = || HashMap::from([("content-type".to_owned(), "text/tsx".to_owned())]);
        let maybe_headers = self.typescript.contains(&path).then(headers);
        let content: Arc<[u8]> = Arc::from(bytes.as_ref());
        Some(LoadResponse::Module { content, mtime: None, specifier: specifier.clone(), maybe_headers })
    }
}

impl Loader for PackageLoader<'_> {
    fn load(&self, specifier: &ModuleSpecifier, _: LoadOptions) -> LoadFuture {
        let answer: LoadResult = Ok(self.answer(specifier));
        async move { answer }.boxed_local()
    }

    /// Whether a file is there whose text does not matter: an asset, or a source map, which may be long.
    fn ensure_cached(&self, specifier: &ModuleSpecifier, _: LoadOptions) -> EnsureCachedFuture {
        let found = match specifier.scheme() {
            "file" => path_of(specifier).filter(|path| self.files.contains(path.as_str())).map(|_| CacheResponse::Cached),
            scheme if scheme == "data" || ELSEWHERE.contains(&scheme) => Some(CacheResponse::Cached),
            _ => None,
        };
        async move { Ok(found) }.boxed_local()
    }
}

/// Runs what `deno_graph` would like to spawn right where it is awaited. The pipeline has no runtime.
pub(super) struct Inline;

/// What an [`Executor`] is given to run.
type BoxedFuture = Pin<Box<dyn Future<Output = ()>>>;

impl Executor for Inline {
    fn execute(&self, future: BoxedFuture) -> BoxedFuture {
        future
    }
}

/// No URL belongs to a registry: a package that imports another one by URL is refused by the rules, not fetched.
#[derive(Debug)]
pub(super) struct NoRegistry;

impl JsrUrlProvider for NoRegistry {
    fn package_url_to_nv(&self, _: &ModuleSpecifier) -> Option<PackageNv> {
        None
    }
}
