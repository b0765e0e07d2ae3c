//! What declarations are called.

use deno_ast::swc::ast::{Decl, ExportSpecifier, Expr, Id, ModuleDecl, ModuleItem, Stmt};
use deno_ast::swc::utils::find_pat_ids;
use deno_ast::{ParsedSource, ProgramRef, SourceRangedForSpanned, StartSourcePos};

/// The declaration of a module that a place is in, by the name it is exported under, if it is exported.
pub(super) fn exported_at(parsed: &ParsedSource, place: usize) -> Option<String> {
    let ProgramRef::Module(module) = parsed.program_ref() else { return None };
    let start = parsed.text_info_lazy().range().start;
    let item = module.body.iter().find(|item| item.range().as_byte_range(start).contains(&place))?;
    let name = match item {
        ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(_) | ModuleDecl::ExportDefaultExpr(_)) => return Some("default".to_owned()),
        ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => return named_at(&export.decl, place, start),
        ModuleItem::Stmt(Stmt::Decl(declaration)) => named_at(declaration, place, start)?,
        _ => return None,
    };
    let exported = module.body.iter().find_map(|item| match item {
        ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) if export.src.is_none() => {
            export.specifiers.iter().find_map(|specifier| match specifier {
                ExportSpecifier::Named(named) if *named.orig.atom() == *name => {
                    Some(named.exported.as_ref().unwrap_or(&named.orig).atom().to_string())
                }
                _ => None,
            })
        }
        ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)) => {
            matches!(&*export.expr, Expr::Ident(ident) if ident.sym == *name).then(|| "default".to_owned())
        }
        _ => None,
    });
    // What is not exported itself is told by its own name: it is public through what is.
    exported.or(Some(name))
}

/// The name of a declaration; of several variables the one that the place is in.
fn named_at(declaration: &Decl, place: usize, start: StartSourcePos) -> Option<String> {
    match declaration {
        Decl::Var(variables) => {
            let variable = variables.decls.iter().find(|variable| variable.range().as_byte_range(start).contains(&place))?;
            let names: Vec<String> = find_pat_ids::<_, Id>(&variable.name).into_iter().map(|(name, _)| name.to_string()).collect();
            (!names.is_empty()).then(|| names.join("', '"))
        }
        Decl::Using(_) => None,
        // `declare global` declares nothing by that name.
        Decl::TsModule(module) if module.global => None,
        other => declared(other).into_iter().next(),
    }
}

/// What a declaration declares; nothing for variables, of which there may be several.
pub(super) fn declared(declaration: &Decl) -> Vec<String> {
    match declaration {
        Decl::Class(class) => vec![class.ident.sym.to_string()],
        Decl::Fn(function) => vec![function.ident.sym.to_string()],
        Decl::Var(_) | Decl::Using(_) => Vec::new(),
        Decl::TsInterface(interface) => vec![interface.id.sym.to_string()],
        Decl::TsTypeAlias(alias) => vec![alias.id.sym.to_string()],
        Decl::TsEnum(declaration) => vec![declaration.id.sym.to_string()],
        Decl::TsModule(module) => module.id.as_ident().map(|name| name.sym.to_string()).into_iter().collect(),
    }
}
