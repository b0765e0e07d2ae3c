//! Every setting, once.

use std::fmt::Write;

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// The key in the TOML file; a dot stands for a table.
    pub key: &'static str,
    /// The built-in default, if there is one.
    pub default: Option<&'static str>,
    /// What it means, with unit and reason.
    pub meaning: &'static str,
}

impl Setting {
    /// The environment variable: `SLIPWAY_` and the key in capitals.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("SLIPWAY_{}", self.key.replace('.', "_").to_ascii_uppercase())
    }
}

const fn setting(key: &'static str, default: Option<&'static str>, meaning: &'static str) -> Setting {
    Setting { key, default, meaning }
}

/// All settings, in the order of the reference.
pub const SETTINGS: &[Setting] = &[
    setting("database", None, "`sqlite:FILE` or `postgres://user:password@host/database`. With `--data DIR`: `sqlite:DIR/registry.db`."),
    setting("database_replica", None, "A copy of the PostgreSQL database, for lists and pages that may be moments old."),
    setting("database_connections", Some("16"), "Connections that one process opens to PostgreSQL, and to its replica."),
    setting(
        "objects",
        None,
        "The public store: `file:DIR`, `s3://BUCKET/PREFIX`, `gs://…`, `az://…` or `memory:`. With `--data DIR`: `file:DIR/objects`.",
    ),
    setting(
        "objects_private",
        None,
        "The private store, never the public one. Default: beside `objects`, with `-private` at the end. With `--data DIR`: `file:DIR/private`.",
    ),
    setting("queue", None, "`in-process:` or `amqp://user:password@host:5672/vhost`. With `--data DIR`: `in-process:`."),
    setting("listen", Some("127.0.0.1:8080"), "Address and port of the API."),
    setting(
        "trusted_proxies",
        Some(""),
        "Networks of the proxies in front, separated by commas: what they say in `X-Forwarded-For` is believed, for tokens that work from \
         some networks only.",
    ),
    setting("public_url", None, "The registry's own address as clients see it. Default: `http://<listen>/`."),
    setting("npm_url", None, "The address npm clients install from. Default: `<public_url>npm/`."),
    setting(
        "signing_key",
        None,
        "The key that signs npm versions, the same for every process: PKCS#8 PEM as `slipway admin key new` prints it, or the name of the \
         file it is in. With `--data DIR`: `DIR/signing.key`, made at the first start.",
    ),
    setting(
        "timeouts.head_seconds",
        Some("30"),
        "How long the head of a request may take, and how long a connection is kept for the next one.",
    ),
    setting("timeouts.body_seconds", Some("30"), "How long a request whose body is on its way may send nothing."),
    setting("limits.compressed_bytes", Some("20971520"), "Largest upload, in bytes as sent. JSR's limit."),
    setting("limits.file_bytes", Some("20971520"), "Largest file of a package, in bytes. JSR's limit."),
    setting("limits.unpacked_bytes", Some("20971520"), "All files of a package together, in bytes. JSR's limit."),
    setting("limits.entries", Some("10000"), "Files of a package."),
    setting("limits.ratio", Some("100"), "Unpacked bytes for each compressed one, above eight mebibytes: more is a bomb."),
    setting(
        "limits.incoming_bytes",
        Some("268435456"),
        "Uploads that one process takes in at once, in bytes together: what is on its way to the store is in memory. Who comes when there is \
         no room is told to come back.",
    ),
    setting(
        "limits.waiting_publishes",
        Some("10000"),
        "Publishes that may wait for a worker. Their uploads fill the disk or the bucket, and the last of them waits for all others. Who \
         comes then is told to come back.",
    ),
    setting("quotas.scopes_per_user", Some("3"), "Scopes a new user may create."),
    setting("quotas.packages", Some("100"), "Packages of a new scope."),
    setting("quotas.new_packages_per_week", Some("20"), "New packages of a new scope within seven days."),
    setting("quotas.publishes_per_week", Some("1000"), "Publish attempts of a new scope within seven days, failed ones included."),
    setting(
        "quotas.open_authorizations",
        Some("1000"),
        "Devices that may wait for a person's decision at once, ten minutes each at most. Anybody can ask for one.",
    ),
    setting(
        "rates.sign_ins",
        Some("60"),
        "Tries to sign in from one address within an hour; IPv6 addresses count by their /64. `0`, here and below, is no limit.",
    ),
    setting(
        "rates.authorizations",
        Some("300"),
        "Devices that may ask for permission from one address within an hour. A whole office may be one address.",
    ),
    setting("rates.tokens", Some("60"), "Tokens that one account may make within an hour."),
    setting("rates.scopes", Some("20"), "Scopes that one account may make within an hour, those that it deletes again included."),
    setting("rates.packages", Some("200"), "Packages that one account may make within an hour, those that it deletes again included."),
    setting("rates.invites", Some("300"), "Invites that may be written for one scope within an hour, those that are withdrawn included."),
    setting("rates.tickets", Some("300"), "Tickets that one account may open, and messages that it may write in them, within an hour."),
    setting(
        "rates.provenance",
        Some("1000"),
        "Provenance bundles that one account or CI repository may hand in within an hour; each has to be verified.",
    ),
    setting("rates.uploads", Some("5000"), "Uploads that are accepted of one account or CI repository within an hour, whatever the scope."),
    setting(
        "reserved_names",
        Some(""),
        "Scope names that only staff gives out, separated by commas; hyphens do not count, nor does what looks alike (`den0`).",
    ),
    setting("analysis.children", Some("0"), "Warm child processes that analyse packages. `0`: one for each core, at most four."),
    setting("analysis.memory_bytes", Some("805306368"), "Memory of one such child, in bytes."),
    setting("analysis.cpu_seconds", Some("60"), "Processor time for one package, in seconds."),
    setting("analysis.wall_seconds", Some("180"), "Time for one package, in seconds."),
    setting(
        "analysis.documentation_seconds",
        Some("20"),
        "Processor time for the documentation of one package, in seconds; three times as much in all.",
    ),
    setting("analysis.attempts", Some("3"), "How often a package that kills its child is tried before it is refused."),
    setting(
        "typescript.compiler",
        None,
        "A TypeScript compiler that finds out what sources do not say: the native program of `typescript` 7 (`lib/tsc` of its package for \
         the platform), or `lib/tsc.js` of an older one. Without one such types are `any` for npm.",
    ),
    setting("typescript.node", None, "The program that runs a compiler which is a script: `/usr/bin/node`."),
    setting(
        "typescript.packages",
        None,
        "Directory of unpacked npm packages, laid out as `node_modules`, in which the compiler finds what packages depend on.",
    ),
    setting("typescript.memory_bytes", Some("1073741824"), "Memory of the compiler, in bytes. It runs for one package at a time."),
    setting("typescript.cpu_seconds", Some("60"), "Processor time of the compiler for one package, in seconds."),
    setting("typescript.wall_seconds", Some("180"), "Time of the compiler for one package, in seconds."),
    setting(
        "cdn.purge",
        Some(""),
        "How an edge in front is told what changed: `surrogate` (a POST with the header `Surrogate-Key`, as Fastly takes it) or `url` \
         (a request with the method PURGE for each address). Default: there is none, or copies end by themselves after a minute.",
    ),
    setting(
        "cdn.purge_url",
        None,
        "Where it is told. For `surrogate` the address of the purge, for `url` what stands in place of `public_url`, which is the default.",
    ),
    setting("cdn.token", None, "The credential for it."),
    setting(
        "cdn.token_header",
        Some("Authorization"),
        "The header for the credential, such as `Fastly-Key`. `Authorization` carries it as `Bearer`.",
    ),
    setting(
        "ci_issuer",
        Some(""),
        "CI systems whose jobs publish without a token. In the file tables `[[ci_issuer]]` with `name` (`github`, `gitlab`, `forgejo`, \
         `buildkite` or `generic`), `issuer` and, if discovery does not tell it, `jwks_url`; in the environment `NAME ISSUER [JWKS_URL]`, \
         separated by commas.",
    ),
    setting(
        "identity_provider",
        Some(""),
        "Where people have the accounts with which they sign in. In the file tables `[[identity_provider]]` with `kind` (`github`, `gitlab` or \
         `oidc`, the default), `name` (part of the callback address; default: the kind), `title` (what people read), `issuer` (default of the \
         first two: github.com and gitlab.com), `client_id`, `client_secret`, `scopes` and `sign_up` (`false`: nobody gets an account by \
         signing in); in the environment the same as in the query of an address, \
         `kind=github&client_id=…&client_secret=…`, separated by commas.",
    ),
    setting(
        "sigstore.trusted_root",
        None,
        "A file with a Sigstore `TrustedRoot`, against which provenance is verified. Without one it is the root of the public-good \
         instance that the build carries.",
    ),
    setting(
        "sigstore.tuf_url",
        Some(""),
        "A TUF repository from which that root is kept up to date: `https://tuf-repo-cdn.sigstore.dev/` is the public-good one. Default: \
         there is none, and nobody is asked.",
    ),
    setting(
        "sigstore.tuf_root",
        None,
        "A file with the `root.json` with which that repository begins. Without one it is that of the public-good one. Needs \
         `sigstore.trusted_root`, which is believed until the repository answers for the first time.",
    ),
    setting(
        "sigstore.rekor_url",
        Some("https://rekor.sigstore.dev/"),
        "The transparency log in which entries are looked up by their index.",
    ),
    setting(
        "sigstore.require_log",
        Some("true"),
        "`false`: a bundle without a log entry is accepted, too, if its certificate was issued around the publish. For a private authority \
         without a log.",
    ),
    setting(
        "attestation.rekor_url",
        None,
        "A transparency log (Rekor) in which the registry enters what it attests of public packages, such as \
         `https://rekor.sigstore.dev/`. `sigstore.trusted_root` has to know it. Default: it is entered nowhere.",
    ),
    setting(
        "attestation.rekor_version",
        Some("1"),
        "`2`: that log is a Rekor 2, such as `https://log2025-1.rekor.sigstore.dev/`, which says no time. Needs \
         `attestation.timestamp_url`, and npm does not verify its entries.",
    ),
    setting(
        "attestation.timestamp_url",
        None,
        "An authority that signs when the statement was signed (RFC 3161), such as `https://timestamp.sigstore.dev/api/v1/timestamp`: the whole \
         address. `sigstore.trusted_root` has to know it. Default: nobody but the log says when.",
    ),
    setting(
        "attestation.fulcio_url",
        None,
        "An authority (Fulcio) that certifies a new key for each statement that is entered, such as `https://fulcio.sigstore.dev/`, so that \
         it is signed by whom `attestation.identity_token` names, and not with the registry's key. `sigstore.trusted_root` has to know it.",
    ),
    setting(
        "attestation.identity_token",
        None,
        "Whence the OpenID Connect token that says to that authority who this process is: a file, or an address that is asked with \
         `Metadata-Flavor: Google`. Read anew each time. Its audience is what the authority demands: `sigstore`.",
    ),
    setting(
        "attestation.in_npm_documents",
        Some("false"),
        "`true`: what is entered there is named in the npm documents (`dist.attestations`), so that `npm audit signatures` verifies it. npm \
         knows the public-good log alone, and calls a package tampered with whose statement is in another one.",
    ),
    setting("log", Some("slipway=info,warn"), "What is logged, in the syntax of `RUST_LOG`, which wins when it is set."),
];

/// The reference of all settings as Markdown, for the README.
#[must_use]
pub fn reference() -> String {
    let mut text = String::from("| key | environment | default | meaning |\n|---|---|---|---|\n");
    for setting in SETTINGS {
        let default = setting.default.filter(|default| !default.is_empty()).map_or_else(String::new, |default| format!("`{default}`"));
        writeln!(text, "| `{}` | `{}` | {default} | {} |", setting.key, setting.variable(), setting.meaning)
            .expect("writing to a string cannot fail");
    }
    text
}
