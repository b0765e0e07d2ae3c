//! Declarations that a compiler made of sources that do not say their types.
//!
//! They are looked at before they are used: text that cannot be read, that is too long, or that names what the package does not
//! have or depend on costs its module the compiler's declarations, and leaves those with placeholders.

use deno_ast::swc::ecma_visit::VisitMutWith;
use deno_ast::{MediaType, ParseParams, ParsedSource, SourceMap};
use deno_graph::JsModule;
use deno_graph::analysis::{DependencyDescriptor, DynamicArgument};
use deno_graph::ast::ParserModuleAnalyzer;
use slipway_common::ids::PackagePath;
use url::Url;

use super::edits::Edit;
use super::emit::{Emitted, NotCompiled, print};
use super::layout::{Layout, split_extension};
use super::names::Names;
use super::specifiers::{Outcome, Resolver, code_name, file_url, relative};
use super::tree::Tree;
use super::unsaid::laid_out;
use super::walk::Rewrite;
use super::{Emit, maps};
use crate::pipeline::inference::{Inferred, InferredModule};
use crate::pipeline::nesting;

/// Longest declarations of one module. The largest that people write by hand have a tenth of it; a type that is multiplied out has
/// no end.
const MAX_TEXT: usize = 1024 * 1024;
/// Longest declarations of all modules together, which is a quarter of what a package may derive however small it is.
const MAX_TOTAL: usize = 8 * 1024 * 1024;
/// Largest map of one module.
const MAX_MAP: usize = 4 * 1024 * 1024;

/// Keeps of what a compiler made what can be used, and says why the rest cannot.
pub(in crate::pipeline) fn admit(emit: Emit<'_>, inferred: &mut Inferred) {
    let layout = Layout::plan(&emit, &mut Tree::new(emit.files));
    let names = Names::new(emit.package, emit.dependencies);
    let resolver = Resolver { emit, layout: &layout, names: &names };
    let mut total = 0;
    for (path, mut module) in std::mem::take(&mut inferred.modules) {
        if !emit.declarations.untyped.contains_key(&path) {
            continue;
        }
        module.text = without_references(&module.text);
        total += module.text.len();
        match judge(&resolver, &path, &module) {
            Ok(()) if total <= MAX_TOTAL => _ = inferred.modules.insert(path, module),
            Ok(()) => _ = inferred.refused.insert(path, "the declarations of all modules together are too long".to_owned()),
            Err(why) => _ = inferred.refused.insert(path, why),
        }
    }
}

/// The references of the source are written anew, for the place where the declarations are; nothing else may be referred to.
fn without_references(text: &str) -> String {
    let is_reference = |line: &str| line.trim_start().starts_with("///") && line.contains('<');
    let is_left_out = |line: &str| is_reference(line) || line.starts_with("//# sourceMappingURL=");
    // The lines stay where they are, since the map counts them.
    text.lines().flat_map(|line| [if is_left_out(line) { "" } else { line }, "\n"]).collect()
}

fn judge(resolver: &Resolver<'_>, path: &PackagePath, module: &InferredModule) -> Result<(), String> {
    if module.text.len() > MAX_TEXT || module.map.len() > MAX_MAP {
        return Err(format!("the declarations are longer than {MAX_TEXT} bytes"));
    }
    let place = PackagePath::try_from("/inferred.d.ts").expect("it is a path");
    if nesting::check(&place, &module.text).is_some() {
        return Err("the declarations nest too deep".to_owned());
    }
    let url = file_url(path.as_str()).ok_or("its path is not one a URL can hold")?;
    let parsed = read(&url, &module.text).map_err(|_| "the declarations cannot be read")?;
    let depends_on = allowed(resolver);
    for specifier in specifiers(&parsed) {
        let is_known = if is_relative(&specifier) {
            source_of(resolver.layout, path.as_str(), &specifier).is_some()
        } else {
            Url::parse(&specifier).is_ok() || depends_on.iter().any(|name| is_of(&specifier, name))
        };
        if !is_known {
            return Err(format!(
                "the declarations name '{}', which the package does not depend on",
                crate::pipeline::graph::shorten(&specifier)
            ));
        }
    }
    Ok(())
}

/// What the package may name.
fn allowed(resolver: &Resolver<'_>) -> Vec<String> {
    let fields = &resolver.emit.manifest.npm.fields;
    let declared = ["dependencies", "peerDependencies", "optionalDependencies"].into_iter().filter_map(|key| fields.get(key)?.as_object());
    let declared = declared.flat_map(|packages| packages.keys().cloned());
    resolver.names.dependencies().into_keys().chain(declared).collect()
}

/// Whether a specifier names a package or something in it. What is in `@types` is named without it.
fn is_of(specifier: &str, name: &str) -> bool {
    let of = |name: &str| specifier.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    of(name) || name.strip_prefix("@types/").is_some_and(of)
}

fn specifiers(parsed: &ParsedSource) -> Vec<String> {
    let info = ParserModuleAnalyzer::module_info(parsed);
    let of = |dependency: DependencyDescriptor| match dependency {
        DependencyDescriptor::Static(import) => Some(import.specifier),
        DependencyDescriptor::Dynamic(import) => match import.argument {
            DynamicArgument::String(specifier) => Some(specifier),
            _ => None,
        },
    };
    info.dependencies.into_iter().filter_map(of).collect()
}

fn is_relative(specifier: &str) -> bool {
    specifier.starts_with('.') || specifier.starts_with('/')
}

/// The module that TypeScript finds by a relative specifier in the module at `from`.
fn source_of(layout: &Layout, from: &str, specifier: &str) -> Option<String> {
    let path = super::layout::local_path(&file_url(from)?.join(specifier).ok()?)?;
    let (stem, extension) = split_extension(&path);
    let sources: &[&str] = match extension {
        ".js" => &[".ts", ".tsx", ".d.ts"],
        ".mjs" => &[".mts", ".d.mts"],
        _ => &[],
    };
    let mut candidates = sources.iter().map(|extension| format!("{stem}{extension}")).chain([path.clone()]);
    candidates.find(|path| layout.home_of(path).is_some())
}

/// The declarations of a module as they are written out at `place`.
pub(super) fn written(
    resolver: &Resolver<'_>,
    module: &JsModule,
    inferred: &InferredModule,
    (path, place): (&str, &str),
) -> Result<Emitted, NotCompiled> {
    let parsed = read(&module.specifier, &inferred.text)?;
    let mut program = parsed.program_ref().to_owned();
    let mut judge = |specifier: &str| {
        let Some(source) = is_relative(specifier).then(|| source_of(resolver.layout, path, specifier)).flatten() else {
            return Outcome::Keep;
        };
        let home = resolver.layout.home_of(&source);
        let declared = home.and_then(|home| home.declaration.as_deref().map(code_name).or_else(|| home.code.clone()));
        let text = relative(place, &declared.unwrap_or(source));
        if text == specifier { Outcome::Keep } else { Outcome::Write(text) }
    };
    program.visit_mut_with(&mut Rewrite { judge: &mut judge });
    let comments = parsed.comments().as_single_threaded();
    let emitted = print(&program, &comments, &SourceMap::single(module.specifier.clone(), inferred.text.clone()), place)?;
    let mapped = maps::made_from(&inferred.map, path).and_then(|existing| existing.behind(&emitted, place));
    let Some(emitted) = mapped else { return Ok(emitted) };
    let Some((text, edits)) = laid_out(resolver, module, path) else { return Ok(emitted) };
    Ok(maps::after_edits(emitted, &text, &undone(&module.source.text, &edits)))
}

/// The edits that take others back.
fn undone(source: &str, edits: &[Edit]) -> Vec<Edit> {
    let mut at = 0;
    let mut seen = 0;
    let mut undone = Vec::with_capacity(edits.len());
    for edit in edits {
        at += edit.range.start - seen;
        undone.push(Edit { range: at..at + edit.text.len(), text: source[edit.range.clone()].to_owned() });
        at += edit.text.len();
        seen = edit.range.end;
    }
    undone
}

fn read(url: &Url, text: &str) -> Result<ParsedSource, NotCompiled> {
    let params = ParseParams {
        specifier: url.clone(),
        text: text.into(),
        media_type: MediaType::Dts,
        capture_tokens: false,
        scope_analysis: false,
        maybe_syntax: None,
    };
    deno_ast::parse_program(params).map_err(|error| NotCompiled::at(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_taken_back() {
        let source = "import a from \"./ab.ts\"; import b from \"./c.ts\";";
        let edit = |old: &str, new: &str| {
            let start = source.find(old).unwrap();
            Edit { range: start..start + old.len(), text: new.to_owned() }
        };
        let edits = [edit("./ab.ts", "../x/ab.ts"), edit("./c.ts", "c")];
        let edited = super::super::edits::apply(source, &edits);
        assert_eq!(super::super::edits::apply(&edited, &undone(source, &edits)), source);
    }

    #[test]
    fn references_go_and_lines_stay() {
        let text = "/// <reference path=\"/etc/passwd\" preserve=\"true\" />\nexport declare const a: \"/// <\";\n/// words\n//# sourceMappingURL=a.map";
        assert_eq!(without_references(text), "\nexport declare const a: \"/// <\";\n/// words\n\n");
    }

    #[test]
    fn packages_are_told_from_their_neighbours() {
        assert!(is_of("lit/html.js", "lit") && is_of("react", "@types/react") && is_of("@jsr/a__b/c", "@jsr/a__b"));
        assert!(!is_of("little", "lit") && !is_of("@jsr/a__bc", "@jsr/a__b"));
    }
}
