use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use slipway_common::model::limits::RATIO_FLOOR;

use super::*;

/// One block of a tar, or a body with its padding.
fn header(name: &[u8], kind: u8, size: u64) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name);
    // Mode, owner and group stay NUL, as `deno publish` sends them.
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar  \0");
    sign(&mut block);
    block
}

fn sign(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn entry(name: impl AsRef<[u8]>, kind: u8, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = header(name.as_ref(), kind, body.len() as u64);
    bytes.extend_from_slice(body);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(name: impl AsRef<[u8]>, body: impl AsRef<[u8]>) -> Vec<u8> {
    entry(name, b'0', body)
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (key, value) in records {
        body.extend(record(key.as_bytes(), value.as_bytes()));
    }
    entry("PaxHeader", b'x', body)
}

fn pax_record(key: &[u8], value: &[u8]) -> Vec<u8> {
    entry("PaxHeader", b'x', record(key, value))
}

fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length.to_string().len() + rest != length {
        length = length.to_string().len() + rest;
    }
    [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}

fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

fn ended(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut tar = parts.concat();
    tar.extend([0; 1024]);
    tar
}

fn run(parts: &[Vec<u8>]) -> Result<Files, Findings> {
    unpack(&gzip(&ended(parts)), &UploadLimits::default())
}

fn listed(result: Result<Files, Findings>) -> Vec<(String, String)> {
    result.unwrap().iter().map(|(path, bytes)| (path.to_string(), String::from_utf8_lossy(bytes).into_owned())).collect()
}

fn paths(result: Result<Files, Findings>) -> Vec<String> {
    listed(result).into_iter().map(|(path, _)| path).collect()
}

fn codes(result: Result<Files, Findings>) -> Vec<FindingCode> {
    result.unwrap_err().iter().map(|finding| finding.code).collect()
}

fn message(result: Result<Files, Findings>) -> String {
    result.unwrap_err().iter().next().unwrap().to_string()
}

#[test]
fn reads_what_the_tar_crate_writes() {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, body) in [("mod.ts", "export {}"), ("src/empty.ts", "")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(body.len() as u64);
        builder.append_data(&mut header, path, body.as_bytes()).unwrap();
    }
    let long = format!("{}/{}.ts", "d".repeat(60), "f".repeat(80));
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    builder.append_data(&mut header, &long, &b"x"[..]).unwrap();
    let files = unpack(&gzip(&builder.into_inner().unwrap()), &UploadLimits::default());
    assert_eq!(
        listed(files),
        [(format!("/{long}"), "x".to_owned()), ("/mod.ts".to_owned(), "export {}".to_owned()), ("/src/empty.ts".to_owned(), String::new())]
    );
}

#[test]
fn accepts_the_forms_that_clients_send() {
    let mut plain = header(b"old.ts", 0, 1);
    plain[257..265].fill(0);
    sign(&mut plain);
    plain.extend(b"o");
    plain.resize(1024, 0);
    let mut ustar = header(b"name.ts", b'0', 0);
    ustar[257..265].copy_from_slice(b"ustar\x0000");
    ustar[345..351].copy_from_slice(b"prefix");
    sign(&mut ustar);
    let files = run(&[
        entry("./", b'5', ""),
        entry("dir", b'5', ""),
        file("dir/", ""),
        file("./a.ts", "a"),
        file("././/b.ts", "b"),
        entry("c.ts", 0, "c"),
        plain,
        ustar,
        pax(&[("path", "p/pax.ts"), ("mtime", "1.5")]),
        file("cut short", "p"),
        entry("././@LongLink", b'L', "l/long.ts\0"),
        file("l/lo", "l"),
        entry("pax_global_header", b'g', record(b"comment", b"0123456789")),
        file("z.ts", "z"),
    ]);
    assert_eq!(paths(files), ["/a.ts", "/b.ts", "/c.ts", "/l/long.ts", "/old.ts", "/p/pax.ts", "/prefix/name.ts", "/z.ts"]);
}

#[test]
fn reads_the_binary_attributes_of_macos() {
    let attributes = pax_record(b"SCHILY.xattr.com.apple.provenance", b"\x01\n\xff\x0011 path=x\n\n");
    assert_eq!(paths(run(&[attributes, file("a.ts", "a")])), ["/a.ts"]);
}

#[test]
fn ends_with_or_without_zeros() {
    let tar = file("a.ts", "a");
    for end in [0, 512, 1024, 10240] {
        let mut tar = tar.clone();
        tar.resize(tar.len() + end, 0);
        assert_eq!(paths(unpack(&gzip(&tar), &UploadLimits::default())), ["/a.ts"], "{end}");
    }
    assert!(unpack(&gzip(&[]), &UploadLimits::default()).unwrap().is_empty());
}

#[test]
fn refuses_more_after_the_end() {
    let mut tar = ended(&[file("a.ts", "a")]);
    tar.extend(file("smuggled.ts", "s"));
    assert!(message(unpack(&gzip(&tar), &UploadLimits::default())).contains("more after its end"));
    let mut gz = gzip(&ended(&[file("a.ts", "a")]));
    gz.extend(b"garbage");
    assert_eq!(codes(unpack(&gz, &UploadLimits::default())), [FindingCode::InvalidTarball]);
}

#[test]
fn reads_gzip_members_as_one_stream() {
    let (first, second) = (file("a.ts", "a"), ended(&[file("b.ts", "b")]));
    let gz = [gzip(&first), gzip(&second)].concat();
    assert_eq!(paths(unpack(&gz, &UploadLimits::default())), ["/a.ts", "/b.ts"]);
}

#[test]
fn refuses_what_is_no_archive() {
    let whole = gzip(&ended(&[file("a.ts", vec![b'a'; 5000]), file("b.ts", "b")]));
    for cut in 0..whole.len() {
        assert_eq!(codes(unpack(&whole[..cut], &UploadLimits::default())), [FindingCode::InvalidTarball], "cut at {cut}");
    }
    let mut flipped = whole.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    assert_eq!(codes(unpack(&flipped, &UploadLimits::default())), [FindingCode::InvalidTarball]);
    assert_eq!(codes(unpack(b"PK\x03\x04 zip", &UploadLimits::default())), [FindingCode::InvalidTarball]);
    assert_eq!(codes(unpack(&ended(&[file("a", "a")]), &UploadLimits::default())), [FindingCode::InvalidTarball]);
    assert_eq!(codes(unpack(&gzip(b"not a tar"), &UploadLimits::default())), [FindingCode::InvalidTarball]);
    assert_eq!(codes(unpack(&gzip(&[b'x'; 2048]), &UploadLimits::default())), [FindingCode::InvalidTarball]);
    let mut bad_sum = file("a.ts", "a");
    bad_sum[148] = b'7';
    assert_eq!(codes(run(&[bad_sum])), [FindingCode::InvalidTarball]);
    assert_eq!(codes(run(&[header(b"a.ts", b'0', 4096)])), [FindingCode::InvalidTarball]);
}

#[test]
fn refuses_two_sizes() {
    let inner = ended(&[file("smuggled.ts", "")]);
    let smuggling = [pax(&[("size", "1024")]), header(b"a.ts", b'0', 0), inner];
    assert!(message(run(&smuggling)).contains("0 bytes by its header and 1024 by its extended header"));
    for records in
        [&[("size", "5")][..], &[("size", "1"), ("size", "1")], &[("size", "+1")], &[("size", "")], &[("path", "a"), ("path", "b")]]
    {
        assert_eq!(codes(run(&[pax(records), file("a.ts", "a")])), [FindingCode::InvalidTarball], "{records:?}");
    }
    assert_eq!(paths(run(&[pax(&[("size", "1")]), file("a.ts", "a")])), ["/a.ts"]);
    let global = entry("g", b'g', record(b"path", b"x.ts"));
    assert_eq!(codes(run(&[global, file("a.ts", "a")])), [FindingCode::InvalidTarball]);
}

#[test]
fn refuses_broken_headers() {
    let name = || entry("././@LongLink", b'L', "a.ts\0");
    for parts in [
        vec![name()],
        vec![name(), name(), file("a.ts", "")],
        vec![pax(&[("path", "a")]), pax(&[("mtime", "1")]), file("a.ts", "")],
        vec![entry("x", b'x', "nonsense"), file("a.ts", "")],
        vec![entry("x", b'x', "999 path=a\n"), file("a.ts", "")],
        vec![entry("x", b'x', "2 "), file("a.ts", "")],
        vec![entry("x", b'x', vec![b'a'; 65 * 1024]), file("a.ts", "")],
        vec![entry("x", b'L', vec![b'a'; 65 * 1024]), file("a.ts", "")],
    ] {
        assert_eq!(codes(run(&parts)), [FindingCode::InvalidTarball]);
    }
}

#[test]
fn collects_bad_entries_and_goes_on() {
    let found = codes(run(&[
        entry("link.ts", b'2', ""),
        entry("hard.ts", b'1', ""),
        entry("pipe", b'6', ""),
        entry("device", b'3', ""),
        entry("sparse", b'7', "x"),
        file("a b.ts", "x"),
        file(".git/config", "x"),
        file("a.ts", "x"),
        file("A.ts", "x"),
        file("a.ts", "x"),
        file("b", "x"),
        file("B/c.ts", "x"),
    ]));
    let mut expected = vec![FindingCode::LinkInTarball; 2];
    expected.extend([FindingCode::InvalidEntryType; 3]);
    expected.extend([
        FindingCode::InvalidPath,
        FindingCode::InvalidGitPath,
        FindingCode::CaseInsensitiveDuplicatePath,
        FindingCode::CaseInsensitiveDuplicatePath,
    ]);
    expected.push(FindingCode::PathIsFileAndDirectory);
    assert_eq!(found, expected);
}

#[test]
fn refuses_bad_paths() {
    for path in [
        "../a.ts",
        "a/../../b.ts",
        "/etc/passwd",
        "a//b.ts",
        "a\\b.ts",
        "C:a.ts",
        "a./b.ts",
        "aux.ts",
        "ü.ts",
        "u\u{308}.ts",
        "a%2e.ts",
        "",
    ] {
        assert_eq!(codes(run(&[file(path, "x")])), [FindingCode::InvalidPath], "{path}");
    }
    assert_eq!(codes(run(&[file(b"\xff\xfe.ts", "x")])), [FindingCode::InvalidPath]);
    assert_eq!(codes(run(&[file("dir/", "x")])), [FindingCode::InvalidPath]);
    assert_eq!(codes(run(&[file("a/.Git/x", "x")])), [FindingCode::InvalidGitPath]);
    assert_eq!(
        paths(run(&[file(".github/x", "x"), file(".gitignore", "x"), file("a/.git", "x")])),
        ["/.github/x", "/.gitignore", "/a/.git"]
    );
    let long = pax(&[("path", &"a/".repeat(5000))]);
    let shown = message(run(&[long, file("x", "x")]));
    assert!(shown.contains('…') && shown.len() < 800, "{shown}");
    assert!(message(run(&[pax(&[("path", "a\u{1b}[31m")]), file("x", "x")])).contains("\\u{1b}"));
    assert!(message(run(&[file("../a.ts", "x")])).contains("leads out"));
}

#[test]
fn no_valid_path_is_deeper_than_the_limit() {
    let deepest = format!("/{}", "a/".repeat(MAX_DEPTH - 1) + "a");
    assert!(PackagePath::try_from(deepest.as_str()).is_ok());
    assert!(PackagePath::try_from(format!("{deepest}/a").as_str()).is_err());
}

#[test]
fn names_the_file_that_is_a_directory() {
    let found = message(run(&[file("a/b/c.ts", "x"), file("a", "x")]));
    assert!(found.starts_with("'/a' is a file and also the directory of '/a/b/c.ts'"), "{found}");
    assert_eq!(paths(run(&[file("a.ts", "x"), file("a/b.ts", "x"), file("ab/c.ts", "x")])), ["/a.ts", "/a/b.ts", "/ab/c.ts"]);
}

#[test]
fn keeps_to_the_limits() {
    let limits = UploadLimits { compressed_bytes: 100_000, file_bytes: 1000, unpacked_bytes: 2500, entries: 3, ratio: 100 };
    let with = |parts: &[Vec<u8>]| unpack(&gzip(&ended(parts)), &limits);
    let sized = |name: &str, size: usize| file(name, vec![b'x'; size]);
    assert_eq!(paths(with(&[sized("a", 1000), sized("b", 1000), sized("c", 500)])).len(), 3);
    assert_eq!(codes(with(&[sized("a", 1001)])), [FindingCode::FileTooLarge]);
    assert_eq!(codes(with(&[sized("a", 1000), sized("b", 1000), sized("c", 501)])), [FindingCode::PackageTooLarge]);
    assert_eq!(codes(with(&[sized("a", 1), sized("b", 1), sized("c", 1), sized("d", 1)])), [FindingCode::TooManyFiles]);
    assert_eq!(codes(unpack(&vec![0; 100_001], &limits)), [FindingCode::PackageTooLarge]);
    // What was found before a limit is said too, the limit last.
    assert_eq!(codes(with(&[file("a b", "x"), sized("a", 1001)])), [FindingCode::InvalidPath, FindingCode::FileTooLarge]);
}

#[test]
fn counts_bytes_that_are_skipped() {
    let limits = UploadLimits { unpacked_bytes: 1000, entries: 1, ratio: u64::MAX, ..UploadLimits::default() };
    let bomb = entry("link", b'2', vec![0; 2 * 1024 * 1024]);
    assert_eq!(codes(unpack(&gzip(&ended(&[bomb])), &limits)), [FindingCode::LinkInTarball, FindingCode::PackageTooLarge]);
    let padding = gzip(&vec![0; 2 * 1024 * 1024]);
    assert_eq!(codes(unpack(&padding, &limits)), [FindingCode::PackageTooLarge]);
    let directories: Vec<_> = (0..5000).map(|number| entry(format!("d{number}"), b'5', "")).collect();
    assert_eq!(codes(unpack(&gzip(&ended(&directories)), &limits)), [FindingCode::PackageTooLarge]);
}

#[test]
fn stops_bombs() {
    let size = usize::try_from(RATIO_FLOOR).unwrap() * 2;
    let bomb = gzip(&ended(&[file("zeros", vec![0; size])]));
    assert!(message(unpack(&bomb, &UploadLimits::default())).contains("100 times its size"));
    let small = gzip(&ended(&[file("zeros", vec![0; 4 * 1024 * 1024])]));
    assert_eq!(paths(unpack(&small, &UploadLimits::default())), ["/zeros"]);
}

#[test]
fn a_million_entries_end_at_the_limit() {
    // Long before the last of them: the bytes that follow would be no tar at all.
    let mut tar: Vec<u8> = (0..10_001).flat_map(|number| file(format!("{number}"), "")).collect();
    tar.extend(vec![0xff; 4096]);
    assert_eq!(codes(unpack(&gzip(&tar), &UploadLimits { ratio: u64::MAX, ..UploadLimits::default() })), [FindingCode::TooManyFiles]);
}
