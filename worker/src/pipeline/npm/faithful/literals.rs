//! The types of literals. `[1, 2]` is a list of numbers, `{ a: 1 }` has a property that may be set, and `-1` is minus one.
//!
//! Fast check takes what it infers for a constant all the way down: a tuple that is read only, and properties that are.
//! TypeScript does so for `as const` alone.

use std::collections::BTreeMap;

use deno_ast::swc::ast::{
    ArrayLit, BigInt, Expr, Lit, Number, ObjectLit, Prop, PropName, PropOrSpread, TsArrayType, TsKeywordTypeKind, TsLit, TsLitType,
    TsParenthesizedType, TsPropertySignature, TsTupleType, TsType, TsTypeElement, TsTypeLit, TsTypeOperatorOp, TsUnionOrIntersectionType,
    TsUnionType, UnaryOp,
};
use deno_ast::swc::common::{DUMMY_SP, EqIgnoreSpan};

/// Most different types of elements in one list. Each element is compared with them, and a table by hand has a few shapes of rows.
const MAX_ELEMENT_TYPES: usize = 32;

/// Whether there can be anything to say about the type of this value.
pub(super) fn concerns(value: &Expr) -> bool {
    matches!(bare(value), Expr::Array(_) | Expr::Object(_) | Expr::Unary(_) | Expr::Lit(_))
}

/// The value without what does not change its type.
fn bare(value: &Expr) -> &Expr {
    match value {
        Expr::Paren(inner) => bare(&inner.expr),
        Expr::TsSatisfies(inner) => bare(&inner.expr),
        _ => value,
    }
}

/// Makes the type of a constant that of its one value.
pub(super) fn narrow(value: &Expr, node: &mut TsType) {
    let TsType::TsKeywordType(keyword) = node else { return };
    let literal = match (keyword.kind, bare(value)) {
        (TsKeywordTypeKind::TsNumberKeyword, Expr::Unary(unary)) if unary.op == UnaryOp::Minus => match bare(&unary.arg) {
            Expr::Lit(Lit::Num(number)) => TsLit::Number(Number { span: DUMMY_SP, value: -number.value, raw: None }),
            _ => return,
        },
        (TsKeywordTypeKind::TsBigIntKeyword, Expr::Unary(unary)) if unary.op == UnaryOp::Minus => match bare(&unary.arg) {
            Expr::Lit(Lit::BigInt(number)) => {
                TsLit::BigInt(BigInt { span: DUMMY_SP, value: Box::new(-(*number.value).clone()), raw: None })
            }
            _ => return,
        },
        (TsKeywordTypeKind::TsStringKeyword, Expr::Lit(Lit::Str(text))) => TsLit::Str(text.clone()),
        (TsKeywordTypeKind::TsNumberKeyword, Expr::Lit(Lit::Num(number))) => TsLit::Number(number.clone()),
        (TsKeywordTypeKind::TsBooleanKeyword, Expr::Lit(Lit::Bool(truth))) => TsLit::Bool(*truth),
        _ => return,
    };
    *node = TsType::TsLitType(TsLitType { span: DUMMY_SP, lit: literal });
}

/// Takes away what is true of constants alone.
pub(super) fn widen(value: &Expr, node: &mut TsType) {
    match bare(value) {
        Expr::Array(list) => {
            if let Some(elements) = elements(list, node) {
                *node = array_of(elements);
            }
        }
        Expr::Object(object) => {
            if let TsType::TsTypeLit(members) = node {
                properties(object, members);
            }
        }
        _ => {}
    }
}

/// The types of the elements of a list, each once.
fn elements(list: &ArrayLit, node: &TsType) -> Option<Vec<TsType>> {
    let tuple = tuple(node).filter(|tuple| tuple.elem_types.len() == list.elems.len())?;
    let mut types: Vec<TsType> = Vec::new();
    for (element, declared) in list.elems.iter().zip(&tuple.elem_types) {
        let element = element.as_ref().filter(|element| element.spread.is_none())?;
        let mut declared = (*declared.ty).clone();
        widen(&element.expr, &mut declared);
        if !types.iter().any(|other| other.eq_ignore_span(&declared)) {
            types.push(declared);
        }
        if types.len() > MAX_ELEMENT_TYPES {
            return None;
        }
    }
    (!types.is_empty()).then_some(types)
}

fn tuple(node: &TsType) -> Option<&TsTupleType> {
    match node {
        TsType::TsTypeOperator(operator) if operator.op == TsTypeOperatorOp::ReadOnly => tuple(&operator.type_ann),
        TsType::TsTupleType(tuple) => Some(tuple),
        _ => None,
    }
}

fn array_of(mut types: Vec<TsType>) -> TsType {
    let element = if types.len() == 1 { types.remove(0) } else { union_of(types) };
    let is_simple = matches!(
        element,
        TsType::TsKeywordType(_) | TsType::TsTypeRef(_) | TsType::TsTypeLit(_) | TsType::TsArrayType(_) | TsType::TsLitType(_)
    );
    let element =
        if is_simple { element } else { TsType::TsParenthesizedType(TsParenthesizedType { span: DUMMY_SP, type_ann: Box::new(element) }) };
    TsType::TsArrayType(TsArrayType { span: DUMMY_SP, elem_type: Box::new(element) })
}

/// A function among others needs brackets around it.
fn union_of(types: Vec<TsType>) -> TsType {
    let bracketed = types.into_iter().map(|node| match node {
        TsType::TsFnOrConstructorType(_) => {
            Box::new(TsType::TsParenthesizedType(TsParenthesizedType { span: DUMMY_SP, type_ann: Box::new(node) }))
        }
        _ => Box::new(node),
    });
    let union = TsUnionType { span: DUMMY_SP, types: bracketed.collect() };
    TsType::TsUnionOrIntersectionType(TsUnionOrIntersectionType::TsUnionType(union))
}

fn properties(object: &ObjectLit, members: &mut TsTypeLit) {
    let signatures = members.members.iter_mut().filter_map(|member| match member {
        TsTypeElement::TsPropertySignature(signature) => Some((key_of(signature)?, signature)),
        _ => None,
    });
    let mut signatures: BTreeMap<String, &mut TsPropertySignature> = signatures.collect();
    for property in &object.props {
        let PropOrSpread::Prop(property) = property else { return };
        let (name, value) = match &**property {
            Prop::KeyValue(property) => (name_of(&property.key), Some(&*property.value)),
            Prop::Shorthand(name) => (Some(name.sym.to_string()), None),
            _ => continue,
        };
        let Some(name) = name else { continue };
        let Some(signature) = signatures.get_mut(&name) else { continue };
        signature.readonly = false;
        if let (Some(value), Some(annotation)) = (value, &mut signature.type_ann) {
            widen(value, &mut annotation.type_ann);
        }
    }
}

fn name_of(key: &PropName) -> Option<String> {
    match key {
        PropName::Ident(name) => Some(name.sym.to_string()),
        PropName::Str(text) => Some(text.value.to_string_lossy().into_owned()),
        PropName::Num(number) => Some(number.value.to_string()),
        PropName::Computed(_) | PropName::BigInt(_) => None,
    }
}

fn key_of(signature: &TsPropertySignature) -> Option<String> {
    match &*signature.key {
        Expr::Ident(name) => Some(name.sym.to_string()),
        Expr::Lit(Lit::Str(text)) => Some(text.value.to_string_lossy().into_owned()),
        Expr::Lit(Lit::Num(number)) => Some(number.value.to_string()),
        _ => None,
    }
}
