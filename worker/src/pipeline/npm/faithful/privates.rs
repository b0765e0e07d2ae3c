//! `#private`: what TypeScript writes for all members of a class that begin with `#`. With it nothing but the class itself is of its type.

use deno_ast::swc::ast::{Class, ClassMember, Key, PrivateName, PrivateProp};
use deno_ast::swc::common::{DUMMY_SP, SyntaxContext};

/// Whether a class has such members.
pub(super) fn has(class: &Class) -> bool {
    class.body.iter().any(|member| match member {
        ClassMember::PrivateProp(_) | ClassMember::PrivateMethod(_) => true,
        ClassMember::AutoAccessor(accessor) => matches!(accessor.key, Key::Private(_)),
        _ => false,
    })
}

/// The member that stands for them.
pub(super) fn member() -> ClassMember {
    ClassMember::PrivateProp(PrivateProp {
        span: DUMMY_SP,
        ctxt: SyntaxContext::empty(),
        key: PrivateName { span: DUMMY_SP, name: "private".into() },
        value: None,
        type_ann: None,
        is_static: false,
        decorators: Vec::new(),
        accessibility: None,
        is_optional: false,
        is_override: false,
        readonly: false,
        definite: false,
    })
}
