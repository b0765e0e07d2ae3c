use super::*;

fn checked(name: &str, text: &str) -> Option<Finding> {
    check(&PackagePath::try_from(name).unwrap(), text)
}

fn too_deep(name: &str, text: &str) -> bool {
    checked(name, text).is_some()
}

/// Every construct that nests, as `n` of `open`, a middle, and `n` of `close`.
const NESTING: &[(&str, &str, &str, &str)] = &[
    ("/a.ts", "(", "1", ")"),
    ("/a.js", "[", "1", "]"),
    ("/a.ts", "{a:", "1", "}"),
    ("/a.ts", "function f(){", "", "}"),
    ("/a.ts", "()=>{", "", "}"),
    ("/a.ts", "class{a=", "1", "}"),
    ("/a.ts", "`${", "1", "}`"),
    ("/a.ts", "type A=B<", "C", ">"),
    ("/a.ts", "A<", "C", ">"),
    ("/a.d.ts", "{a:", "string", "}"),
    ("/a.tsx", "<a>", "", "</a>"),
    ("/a.jsx", "<a b='c'>", "", "</a>"),
    ("/a.tsx", "<a b={", "1", "}/>"),
    ("/a.mts", "a=>", "a", ""),
];

#[test]
fn counts_levels() {
    for (name, open, middle, close) in NESTING {
        let nested = |levels: usize| format!("x=\n{}{middle}{};", open.repeat(levels), close.repeat(levels));
        assert!(!too_deep(name, &nested(100)), "{open}");
        assert!(too_deep(name, &nested(600)), "{open}");
        // One after the other they are no depth at all.
        assert!(!too_deep(name, &format!("x={open}{middle}{close};\n").repeat(20_000)), "{open}");
    }
}

#[test]
fn counts_chains() {
    let chains = [
        ("a+", "1", 70_000),
        ("!", "1", 70_000),
        ("typeof ", "1", 70_000),
        ("a?b:", "1", 10_000),
        ("a=", "1", 10_000),
        ("if(a)", ";", 10_000),
        ("if(a){b()}else ", ";", 10_000),
        ("if(a)b();else ", ";", 10_000),
        ("while(a)", ";", 10_000),
        ("a:", ";", 10_000),
        ("A extends B?C:", "D", 10_000),
        ("keyof ", "A", 70_000),
        ("new ", "a", 70_000),
        ("()=>", "a", 600),
    ];
    for (link, end, enough) in chains {
        assert!(too_deep("/a.ts", &format!("x={}{end};", link.repeat(enough))), "{link}");
        assert!(!too_deep("/a.ts", &format!("x={}{end};", link.repeat(enough / 100))), "{link}");
        assert!(!too_deep("/a.ts", &format!("x={}{end};\n", link.repeat(3)).repeat(enough)), "{link}");
    }
    for (start, link) in [("a", ".b"), ("a", ".b()"), ("a", "``"), ("a", "[0]"), ("a", "!"), ("a", " as B")] {
        assert!(too_deep("/a.ts", &format!("x={start}{};", link.repeat(70_000))), "{link}");
        assert!(!too_deep("/a.ts", &format!("x={start}{};", link.repeat(10_000))), "{link}");
    }
}

#[test]
fn counts_assertions() {
    for (open, close) in [("<A>(", ")"), ("<A>[", "]"), ("<A>f(", ")"), ("<A>", "")] {
        let nested = |levels: usize| format!("x={}1{};\n", open.repeat(levels), close.repeat(levels));
        assert!(too_deep("/a.ts", &nested(20)), "{open}");
        assert!(!too_deep("/a.ts", &nested(8).repeat(1000)), "{open}");
    }
    let signatures = "interface A {\n  <B>(c: B): B\n  <C>(d: C): C;\n  e: <F>(g: F) => void\n}\nconst h = <I>(j: I) => <K>(l: K) => l\n";
    assert!(!too_deep("/a.ts", &signatures.repeat(1000)));
}

#[test]
fn says_where() {
    let finding = checked("/a.ts", &format!("let ä = 1;\r\n/* ( */\n'ü' + {}", "(".repeat(10_000))).unwrap();
    assert_eq!(finding.code, FindingCode::NestingTooDeep);
    let place = finding.place.unwrap();
    assert_eq!((place.line, place.column), (3, 506));
    assert_eq!(checked("/a.json", &"[".repeat(10_000)), None);
    assert_eq!(checked("/LICENSE", &"[".repeat(10_000)), None);
}

#[test]
fn strings_comments_and_expressions_do_not_nest() {
    let brackets = "([{<".repeat(2000);
    for text in [
        format!("// {brackets}\n"),
        format!("/* {brackets} */"),
        format!("x = '{brackets}'"),
        format!("x = \"\\\"{brackets}\""),
        format!("x = `{brackets} \\` \\${{ {brackets}`"),
        format!("x = /[(/]{}/g", "\\(".repeat(2000)),
        format!("return /{}/", "[(]".repeat(2000)),
        format!("if (a) /{}/.test(b)", "[{]".repeat(2000)),
        "x = /[(]/;\n".repeat(5000),
        "f(a / b, c) / d;\n".repeat(5000),
        "x = a ? /[(]/ : /\\{/;\n".repeat(5000),
    ] {
        assert!(!too_deep("/a.ts", &text), "{}", &text[..40]);
    }
    let jsx = "<p>it's (here: {a < b}</p>;\n".repeat(5000);
    assert!(!too_deep("/a.tsx", &jsx));
    assert!(!too_deep("/a.tsx", &"const f = <T,>(a: T) => a < 1;\nconst g = <T extends A>(a: T) => <b c='>'>{a}</b>;\n".repeat(5000)));
}

#[test]
fn reasonable_files_pass() {
    for text in [
        // Comparisons are no type arguments, whatever their spelling.
        "for(var i=0;i<n;i++)a<b&&c();".repeat(10_000),
        format!("x({});", "a<b,c>d,".repeat(400)),
        "if (a < b || c<d) {}\n".repeat(10_000),
        "a<b\nc>d\n".repeat(200),
        // No semicolons.
        "foo.bar(1)\nconst a = b + c\nbaz = 1\n".repeat(30_000),
        "export const a = (b: C<D>) => ({ e: 1 })\n".repeat(10_000),
        "a: string\nb: number\n".repeat(20_000),
        // A table, a long union, a long sum, a switch, declarations.
        format!("x=[{}];", "[1,-2,'a',{b:[]}],".repeat(50_000)),
        format!("type A={};", "|'a'".repeat(30_000)),
        format!("x=''{};", "+'a'".repeat(30_000)),
        format!("switch(a){{{}}}", "case 1:return b;case 'c':{d()}break;default:e\n".repeat(20_000)),
        "declare function f<T extends A<B>>(a: T, b?: C<T>[]): Promise<void>;\n".repeat(20_000),
        "enum A { B = 1, C = 2 }\nif(a){b}else if(c){d}else{e}\n".repeat(20_000),
        "!function(a,b){\"use strict\";a.b=function(c){return c?d(c):e}}(f,g);".repeat(5000),
        "class A<B> extends C<B> { @d() e!: F<G>; get h() { return this.i } }\n".repeat(10_000),
        "label: for (const a of b) { continue label }\n".repeat(10_000),
        "\u{feff}import a from 'b';\r\n".repeat(10_000),
    ] {
        assert!(!too_deep("/a.ts", &text), "{}", &text[..30]);
    }
}

#[test]
fn anything_at_all_is_survived() {
    let pieces = [
        "`", "${", "'", "\"", "/*", "//", "/", "<", ">", "</", "/>", "\\", "}", ")", "]", "\u{feff}", "ä", "?.", "...", "0.5.e", "#!", "\0",
    ];
    for first in pieces {
        for second in pieces {
            for name in ["/a.ts", "/a.tsx", "/a.js"] {
                let _ = checked(name, &format!("{first}{second}").repeat(50));
                let _ = checked(name, &format!("a{first}b{second}"));
            }
        }
    }
    // Ten megabytes on one line, closers that close nothing, and openers without an end: one pass each.
    assert!(!too_deep("/a.js", &"a=1,".repeat(2_500_000)));
    assert!(!too_deep("/a.js", &format!("{}{}", "(".repeat(400), "]".repeat(1_000_000))));
    assert!(!too_deep("/a.js", &"/".repeat(100_000)));
    assert!(!too_deep("/a.js", &"(/[);".repeat(1_000_000)));
}
