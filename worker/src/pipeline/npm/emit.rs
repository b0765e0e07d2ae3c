//! The code of every module: TypeScript and JSX transpiled beside their source, everything else edited in place.

use std::collections::BTreeMap;

use deno_ast::swc::common::comments::SingleThreadedComments;
use deno_ast::swc::ecma_visit::VisitMutWith;
use deno_ast::{
    DecoratorsTranspileOption, EmitOptions, FoldProgramError, MediaType, ParseDiagnostic, ParsedSource, SourceMap, SourceMapOption,
    TranspileOptions, fold_program,
};
use deno_graph::JsModule;
use deno_graph::analysis::{ModuleInfo, TypeScriptReference};
use deno_graph::ast::{ParseOptions, ParserModuleAnalyzer};
use slipway_common::model::finding::{Finding, FindingCode, Findings, Place};

use super::edits::{self, Edit};
use super::layout::local_path;
use super::maps;
use super::specifiers::{Purpose, Referrer, Resolver, file_url};
use super::tree::Tree;
use super::walk::Rewrite;
use super::{Emit, jsx, using};
use crate::pipeline::values::Values;

/// A file made by the compiler, and its source map.
pub(super) struct Emitted {
    /// The text, without the comment that names the map.
    pub(super) text: String,
    /// The source map as JSON.
    pub(super) map: String,
}

/// What was found out about the sources of transpiled modules, by path.
pub(super) type Sources = BTreeMap<String, ShippedSource>;

/// The source of a transpiled module as it ships.
#[derive(Debug, Default)]
pub(super) struct ShippedSource {
    /// The edits that were made to it.
    pub(super) edits: Vec<Edit>,
    /// Its `/// <reference …>` comments.
    pub(super) references: Vec<TypeScriptReference>,
}

/// Why a module could not be compiled.
pub(super) struct NotCompiled {
    why: String,
    /// Line and column, from one.
    at: Option<(u32, u32)>,
}

impl NotCompiled {
    fn because(why: &str) -> Self {
        // The compiler draws pictures of the source on further lines.
        Self { why: why.lines().next().unwrap_or_default().to_owned(), at: None }
    }

    pub(super) fn at(error: &ParseDiagnostic) -> Self {
        let position = error.display_position();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self { at: Some((count(position.line_number), count(position.column_number))), ..Self::because(&error.kind().msg()) }
    }

    /// The warning for it. `lost` says what is not there now.
    pub(super) fn finding(&self, path: &str, lost: &str) -> Finding {
        let place = self.at.map_or_else(|| Place::file(path), |(line, column)| Place::at(path, line, column));
        Finding::warning(FindingCode::NpmTarballError, format!("{lost}, it could not be compiled: {}", self.why)).at(place)
    }
}

/// Puts the code of all modules of the graph into the tree.
pub(super) fn modules(resolver: &Resolver<'_>, tree: &mut Tree, findings: &mut Findings) -> Sources {
    let mut sources = Sources::new();
    let values = values(resolver);
    for module in resolver.emit.graph.modules().filter_map(|module| module.js()) {
        let Some(path) = local_path(&module.specifier) else { continue };
        let Some(home) = resolver.layout.home_of(&path) else { continue };
        let parsed = match parse(&resolver.emit, module) {
            Ok(parsed) => parsed,
            Err(why) => {
                findings.push(why.finding(&path, "this module cannot be used from npm"));
                continue;
            }
        };
        let place = home.code.as_deref().or(home.declaration.as_deref()).unwrap_or(&path);
        let info = ParserModuleAnalyzer::module_info(&parsed);
        if is_transpiled(module.media_type) {
            let edits = in_place(resolver, tree, module, (&parsed, &info), (&path, &path));
            let existing = info.source_map_url.and_then(|url| maps::existing(resolver.emit.files, &path, &url.text));
            match transpile(resolver, &values, (module, &parsed), (&path, place)) {
                Ok(emitted) => match existing.and_then(|existing| existing.behind(&emitted, place)) {
                    Some(emitted) => write(tree, place, emitted),
                    None => write(tree, place, maps::after_edits(emitted, parsed.text(), &edits)),
                },
                Err(why) => findings.push(why.finding(&path, "this module cannot be used from npm")),
            }
            sources.insert(path, ShippedSource { edits, references: info.ts_references });
        } else {
            in_place(resolver, tree, module, (&parsed, &info), (&path, place));
        }
    }
    sources
}

/// The names of all modules of the graph.
fn values(resolver: &Resolver<'_>) -> Values {
    let mut values = Values::default();
    for module in resolver.emit.graph.modules().filter_map(|module| module.js()) {
        let Some(path) = local_path(&module.specifier) else { continue };
        let Ok(parsed) = parse(&resolver.emit, module) else { continue };
        let referrer = Referrer { url: &module.specifier, module: Some(module), emitted: &path };
        let is_code = resolver.layout.home_of(&path).is_some_and(|home| home.code.is_some());
        values.read(&path, parsed.program_ref(), !is_code, &|specifier| resolver.local_target(referrer, specifier));
    }
    values
}

/// Writes a file with its specifiers edited, if there is anything to edit or it goes to another place.
fn in_place(
    resolver: &Resolver<'_>,
    tree: &mut Tree,
    module: &JsModule,
    (parsed, info): (&ParsedSource, &ModuleInfo),
    (path, place): (&str, &str),
) -> Vec<Edit> {
    let referrer = Referrer { url: &module.specifier, module: Some(module), emitted: place };
    let edits = edits::of(resolver, referrer, parsed, info);
    write_edited(resolver, tree, parsed, &edits, (path, place));
    edits
}

/// Writes the edited text of a file, with the byte order mark it came with.
pub(super) fn write_edited(resolver: &Resolver<'_>, tree: &mut Tree, parsed: &ParsedSource, edits: &[Edit], (path, place): (&str, &str)) {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let Some(original) = resolver.emit.files.get(path) else { return };
    if edits.is_empty() {
        if place != path {
            tree.replace(place, original.clone());
        }
        return;
    }
    let edited = edits::apply(parsed.text(), edits);
    let mark: &[u8] = if original.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK } else { &[] };
    tree.replace(place, [mark, edited.as_bytes()].concat());
}

/// Puts an emitted file and its map into the tree.
pub(super) fn write(tree: &mut Tree, place: &str, emitted: Emitted) {
    let Emitted { mut text, map } = emitted;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.extend(["//# sourceMappingURL=", file_name(place), ".map\n"]);
    tree.replace(place, text);
    tree.replace(&format!("{place}.map"), map);
}

/// The syntax tree of a module.
pub(super) fn parse(emit: &Emit<'_>, module: &JsModule) -> Result<ParsedSource, NotCompiled> {
    let options = ParseOptions {
        specifier: &module.specifier,
        source: module.source.text.clone(),
        media_type: module.media_type,
        scope_analysis: false,
    };
    emit.parser.parse_program(options).map_err(|error| NotCompiled::at(&error))
}

/// Whether the module is not what Node can load.
pub(super) fn is_transpiled(media_type: MediaType) -> bool {
    matches!(media_type, MediaType::TypeScript | MediaType::Mts | MediaType::Tsx | MediaType::Jsx)
}

/// The options by which a source map at `place` names its source by the way from there.
pub(super) fn emit_options(place: &str) -> Option<EmitOptions> {
    Some(EmitOptions {
        source_map: SourceMapOption::Separate,
        source_map_base: Some(file_url(&place[..place.len() - file_name(place).len()])?),
        source_map_file: Some(file_name(place).to_owned()),
        inline_sources: false,
        remove_comments: false,
    })
}

fn transpile(
    resolver: &Resolver<'_>,
    values: &Values,
    (module, parsed): (&JsModule, &ParsedSource),
    (path, place): (&str, &str),
) -> Result<Emitted, NotCompiled> {
    let comments = parsed.comments().as_single_threaded();
    jsx::without_broken_pragmas(&comments);
    jsx::without_source_map_comment(&comments);
    let source_map = SourceMap::single(module.specifier.clone(), parsed.text().to_string());
    let options = options(&resolver.emit, module.media_type);
    let diagnostics = parsed.diagnostics().iter().chain(parsed.script_module_diagnostics());
    let referrer = Referrer { url: &module.specifier, module: Some(module), emitted: place };
    let mut program = as_module(parsed.program_ref().to_owned());
    values.prune(path, &|specifier| resolver.local_target(referrer, specifier), &mut program);
    let mut program = parsed
        .globals()
        .with(|marks| fold_program(program, &options, &source_map, &comments, marks, Box::new(diagnostics)))
        .map_err(|error| match error {
            FoldProgramError::ParseDiagnostics(errors) => {
                errors.0.first().map_or_else(|| NotCompiled::because("syntax error"), NotCompiled::at)
            }
            FoldProgramError::Swc(error) => NotCompiled::because(&error.to_string()),
        })?;
    program = using::lower(program, parsed.globals(), &comments);

    // After the transforms, so that the imports they inject are seen too.
    let mut judge = |specifier: &str| resolver.rewrite(referrer, specifier, Purpose::Code);
    program.visit_mut_with(&mut Rewrite { judge: &mut judge });
    print(&program, &comments, &source_map, place)
}

/// Prints a tree.
pub(super) fn print(
    program: &deno_ast::swc::ast::Program,
    comments: &SingleThreadedComments,
    source_map: &SourceMap,
    place: &str,
) -> Result<Emitted, NotCompiled> {
    let options = emit_options(place).ok_or_else(|| NotCompiled::because("its path is not one a URL can hold"))?;
    let emitted =
        deno_ast::emit(program.into(), comments, source_map, &options).map_err(|error| NotCompiled::because(&error.to_string()))?;
    let map = emitted.source_map.ok_or_else(|| NotCompiled::because("the compiler made no source map"))?;
    Ok(Emitted { text: emitted.text, map })
}

fn options(emit: &Emit<'_>, media_type: MediaType) -> TranspileOptions {
    let resolution = &emit.manifest.resolution;
    let has_jsx = matches!(media_type, MediaType::Jsx | MediaType::Tsx);
    TranspileOptions {
        decorators: if resolution.experimental_decorators {
            DecoratorsTranspileOption::LegacyTypeScript { emit_metadata: false }
        } else {
            DecoratorsTranspileOption::Ecma
        },
        jsx: has_jsx.then(|| jsx::transform(&resolution.jsx)),
        ..TranspileOptions::default()
    }
}

/// Every file is a module, also one that imports and exports nothing: what JSX injects must be an import.
fn as_module(program: deno_ast::swc::ast::Program) -> deno_ast::swc::ast::Program {
    use deno_ast::swc::ast::{Module, ModuleItem, Program};
    match program {
        Program::Module(module) => Program::Module(module),
        Program::Script(script) => Program::Module(Module {
            span: script.span,
            body: script.body.into_iter().map(ModuleItem::Stmt).collect(),
            shebang: script.shebang,
        }),
    }
}

/// The last segment of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
