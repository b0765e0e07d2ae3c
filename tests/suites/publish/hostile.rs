//! What nobody in their right mind would publish: a clear finding or a success, never a crash, a hang, or half a version.

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use slipway_tests::package::{Entry, gzip};
use slipway_tests::{Client, PackageBuilder, TestRegistry};
use std::io::Write as _;
use tar::EntryType;

fn small() -> PackageBuilder {
    PackageBuilder::small("@acme/maths", "1.0.0")
}

/// Sends bytes, and says what became of them: `success`, or the code. A refusal leaves no version and no public object.
async fn fate(registry: &TestRegistry, author: &Client, tarball: Bytes) -> String {
    let task = author.follow(author.upload(&small().address(), tarball).await.expect(200).json()).await;
    registry.drain().await;
    if task["status"] == "success" {
        return "success".to_owned();
    }
    assert_eq!(registry.public_objects().await, [""; 0], "{task}");
    task["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn archives() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let whole = small().file("data.json", format!("[{}0]", "1234567890,".repeat(5_000))).tarball();
    let plain = small().tar();
    let long = format!("{}/mod.ts", "a".repeat(200));
    let mut cases: Vec<(&str, &str, Bytes)> = vec![
        ("nothing", "invalidTarball", Bytes::new()),
        ("a gzip of nothing", "missingConfigFile", gzip(b"")),
        ("a gzip of zeros", "missingConfigFile", gzip(&[0; 10_240])),
        ("a tar without gzip", "invalidTarball", plain.clone().into()),
        ("a gzip in a gzip", "invalidTarball", gzip(&gzip(&plain))),
        ("something behind the end", "invalidTarball", [&whole[..], b"more"].concat().into()),
        ("a checksum that is wrong", "invalidTarball", with_byte(&whole, whole.len() - 6)),
        ("a claim of gigabytes", "invalidTarball", small().entry(Entry::file("big.ts", "x").claiming(1 << 33)).tarball()),
        ("a claim of more than there is", "invalidTarball", small().entry(Entry::file("big.ts", "x").claiming(5_000)).tarball()),
        ("a claim of the largest number", "invalidTarball", small().entry(Entry::file("big.ts", "x").claiming(u64::MAX)).tarball()),
        ("an absolute path", "invalidPath", small().entry(Entry::file("/../../etc/passwd", "x")).tarball()),
        ("a path with a NUL's neighbour", "invalidPath", small().entry(Entry::file("a\u{1}.ts", "x")).tarball()),
        ("a path that is no UTF-8", "invalidPath", small().entry(Entry::file(vec![b'a', 0xff, b'b'], "x")).tarball()),
        ("a path that is too long", "invalidPath", small().entry(Entry::file(long, "x")).tarball()),
        ("a path of backslashes", "invalidPath", small().entry(Entry::file("..\\..\\evil.ts", "x")).tarball()),
        ("twice the same path", "caseInsensitiveDuplicatePath", small().entry(Entry::file("mod.ts", "x")).tarball()),
        ("a link out of the package", "linkInTarball", small().entry(Entry::link(EntryType::Symlink, "a.ts", "/etc/passwd")).tarball()),
    ];
    for cut in [1, 10, 11, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        cases.push(("a gzip that is cut short", "invalidTarball", whole.slice(..cut)));
    }
    for (what, code, bytes) in cases {
        assert_eq!(fate(&registry, &author, bytes).await, code, "{what}");
    }
    // Harmless, and known from clients.
    let harmless = small().entry(Entry::of(EntryType::Directory, "../no matter")).entry(Entry::file("./dot.ts", "export {};\n"));
    assert_eq!(fate(&registry, &author, harmless.tarball()).await, "success");
}

fn with_byte(bytes: &[u8], at: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 0x55;
    bytes.into()
}

/// Bytes that a compressor makes little of, by a plain recurrence.
fn noise(length: usize) -> Vec<u8> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(1), next).map(|state| (state >> 24).to_be_bytes()[3]).take(length).collect()
}

#[tokio::test]
async fn sizes() {
    let limits = [("limits.file_bytes", "20000"), ("limits.unpacked_bytes", "30000"), ("limits.entries", "20")];
    let registry = TestRegistry::configured(&limits).await;
    let author = registry.author("@acme/maths").await;
    let file = |name: &str, length: usize| (name.to_owned(), noise(length));
    let with =
        |files: &[(String, Vec<u8>)]| files.iter().fold(small(), |package, (name, content)| package.file(name, content.clone())).tarball();
    assert_eq!(fate(&registry, &author, with(&[file("a.bin", 20_001)])).await, "fileTooLarge");
    assert_eq!(fate(&registry, &author, with(&[file("a.bin", 15_000), file("b.bin", 15_000)])).await, "packageTooLarge");
    let many: Vec<_> = (0..19).map(|number| file(&format!("f{number}.txt"), 1)).collect();
    assert_eq!(fate(&registry, &author, with(&many)).await, "tooManyFiles");
    assert_eq!(fate(&registry, &author, with(&many[..18])).await, "success");
}

#[tokio::test]
async fn bombs() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    let head = Entry::file("zeros.txt", "").claiming(19 << 20);
    let tar = PackageBuilder::empty("@acme/maths", "1.0.0").without_config().entry(head).tar();
    bomb.write_all(&tar[..512]).unwrap();
    for _ in 0..64 {
        bomb.write_all(&[0; 1 << 20]).unwrap();
    }
    let bomb: Bytes = bomb.finish().unwrap().into();
    assert!(bomb.len() < 100_000);
    let code = fate(&registry, &author, bomb).await;
    assert!(["packageTooLarge", "invalidTarball"].contains(&code.as_str()), "{code}");

    // A million entries of nothing: a header each, which a compressor folds into almost nothing.
    // A gzip file may have several members, so ten thousand are compressed once.
    let whole = small().tar();
    let headers: Vec<u8> = (0..10_000).flat_map(|number| header(&format!("e{number}.ts"))).collect();
    let (first, headers) = (gzip(&whole[..whole.len() - 1_024]), gzip(&headers));
    let many: Bytes = std::iter::once(&first).chain(std::iter::repeat_n(&headers, 100)).flat_map(|member| member.to_vec()).collect();
    assert!(many.len() < 20 * 1024 * 1024, "{}", many.len());
    let code = fate(&registry, &author, many).await;
    assert!(["tooManyFiles", "packageTooLarge"].contains(&code.as_str()), "{code}");
}

fn header(name: &str) -> [u8; 512] {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_path(name).unwrap();
    header.set_size(0);
    header.set_cksum();
    *header.as_bytes()
}

#[tokio::test]
async fn texts() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let module = |text: Vec<u8>| small().file("mod.ts", text).tarball();
    let repeat =
        |open: &str, inner: &str, close: &str| format!("export const a: unknown = {}{inner}{};\n", open.repeat(5_000), close.repeat(5_000));
    let types = format!("export type A = {}0{};\n", "[".repeat(5_000), "]".repeat(5_000));
    for (what, text) in [
        ("brackets", repeat("(", "0", ")")),
        ("arrays", repeat("[", "", "]")),
        ("objects", repeat("{a:", "0", "}")),
        ("functions", repeat("()=>{", "", "}")),
        ("types", types),
        ("templates", repeat("`${", "0", "}`")),
        ("jsx", format!("export const a: unknown = {}{};\n", "<a>".repeat(5_000), "</a>".repeat(5_000))),
    ] {
        let (name, text) = if what == "jsx" { ("mod.tsx", text) } else { ("mod.ts", text) };
        let package = small().without("mod.ts").file(name, text).key("exports", json!(format!("./{name}")));
        assert_eq!(fate(&registry, &author, package.tarball()).await, "nestingTooDeep", "{what}");
    }
    assert_eq!(fate(&registry, &author, small().file("mod.ts", "\u{202e}import \"./x.ts\";").tarball()).await, "graphError");
    assert_eq!(fate(&registry, &author, module(b"export const a = 1;\0\n".to_vec())).await, "graphError");
}

#[tokio::test]
async fn texts_that_are_odd_and_no_more() {
    let cyclic = small().file("mod.ts", "import \"./mod.ts\";\nexport * from \"./mod.ts\";\n").file("unused.ts", "((((((((((");
    // Deno, too, reads what is no UTF-8 with replacement characters. The stored file is what was sent.
    let no_utf8 = small().file("mod.ts", &b"export const a = \"\xff\xfe\";\n"[..]);
    for package in [cyclic, no_utf8] {
        let registry = TestRegistry::start().await;
        let author = registry.author("@acme/maths").await;
        assert_eq!(fate(&registry, &author, package.tarball()).await, "success");
    }
}

#[tokio::test]
async fn marks_and_line_ends_are_kept() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let code = "\u{feff}/** A. */\r\nimport { b } from \"./b.ts\";\r\nexport const a: number = b;\r\n";
    let package = small().file("mod.ts", code).file("b.ts", "\u{feff}export const b: number = 1;\r\n");
    let config = "\u{feff}{\r\n  // Who we are.\r\n  \"name\": \"@acme/maths\", \"version\": \"1.0.0\",\r\n  \"license\": \"MIT\", \"exports\": \"./mod.ts\",\r\n}\r\n";
    let task = author.publish_through(&package.file("jsr.json", config)).await;
    assert_eq!((&task["status"], &task["error"]), (&json!("success"), &Value::Null));
    let nobody = registry.anonymous();
    assert_eq!(nobody.get("/@acme/maths/1.0.0/mod.ts").await.expect(200).text(), code);
    assert_eq!(nobody.get("/@acme/maths/1.0.0/jsr.json").await.expect(200).text(), config);
    registry.drain().await;
}

#[tokio::test]
async fn one_line_of_ten_megabytes() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let numbers: String = (0..1_400_000).map(|number| format!("{number},")).collect();
    assert!(numbers.len() > 9 << 20);
    let package = small().file("table.json", format!("[{numbers}0]")).file(
        "mod.ts",
        "import table from \"./table.json\" with { type: \"json\" };\nexport const first: number = (table as number[])[0];\n",
    );
    assert_eq!(author.publish_through(&package).await["status"], "success");
    registry.drain().await;
}

#[tokio::test]
async fn a_flood_of_mistakes_is_cut_short() {
    let registry = TestRegistry::start().await;
    let author = registry.author("@acme/maths").await;
    let imports: String = (0..5_000).map(|number| format!("import \"npm:p{number}\";\n")).collect();
    let task = author.publish_through(&small().file("mod.ts", imports)).await;
    assert_eq!(task["error"]["code"], "missingConstraint");
    assert_eq!(task["findings"].as_array().unwrap().len(), 100);
    registry.drain().await;
}
