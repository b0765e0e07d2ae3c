//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use slipway_common::clock::Instant;
use slipway_common::ids::{PackageName, ScopeName, TaskId, Version};
use slipway_common::model::audit::Act;
use slipway_common::model::token::Permission;
use url::Url;

use super::publish::ci::JobArguments;

/// Slipway: a registry for JavaScript and TypeScript packages that anyone can run. It speaks the JSR and the npm protocol.
#[derive(Debug, Parser)]
#[command(name = "slipway", version, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the whole registry in one process: SQLite, local files, no other service
    Up(UpArguments),
    /// Answer requests; needs workers beside it
    Api(ServeArguments),
    /// Publish what was uploaded; any number of these may run
    Worker(DoorArguments),
    /// Pack a directory and publish it: TypeScript as it is, no build step, no other tool
    Publish(Box<PublishArguments>),
    /// Bring the database schema up to date
    Migrate(DoorArguments),
    /// Check the configuration and every door, and say what is wrong and what to do
    Doctor(DoctorArguments),
    /// Act as the operator; works while the registry runs
    #[command(subcommand)]
    Admin(AdminCommand),
}

#[derive(Debug, Args)]
pub(super) struct UpArguments {
    #[command(flatten)]
    pub(super) serve: ServeArguments,
}

#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    #[command(flatten)]
    pub(super) doors: DoorArguments,
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<String>,
    /// The registry's own address as clients see it; without it `http://<listen>/`
    #[arg(long, value_name = "URL")]
    pub(super) public_url: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// Also compare the database with the objects: every document, every file of every version by its digest, and what has no row
    #[arg(long)]
    pub(super) deep: bool,
    /// Put right what follows from the rest: documents, records, lost rows, and files that come out the same when they are made again.
    /// No byte of a version is changed, and nothing is deleted
    #[arg(long, requires = "deep")]
    pub(super) repair: bool,
    #[command(flatten)]
    pub(super) doors: DoorArguments,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct PublishArguments {
    /// Directory of the package, with its jsr.json, deno.json or package.json
    #[arg(value_name = "DIR", default_value = ".")]
    pub(super) directory: PathBuf,
    /// Address of the registry
    #[arg(long, value_name = "URL", env = "SLIPWAY_REGISTRY", default_value = "http://127.0.0.1:8080/", value_parser = registry_address)]
    pub(super) registry: Url,
    /// Token to publish with. A job of GitHub Actions with the permission `id-token: write` needs none; without one, on a terminal, you are
    /// asked to allow the upload in a browser
    #[arg(long, value_name = "T", env = "SLIPWAY_TOKEN", hide_env_values = true)]
    pub(super) token: Option<String>,
    /// Pack every file of the directory, and not only what the exports reach and what `files` names
    #[arg(long)]
    pub(super) all: bool,
    /// Look for mistakes and list what would be packed; send nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// In a job of GitHub Actions, do not sign where the package came from
    #[arg(long)]
    pub(super) no_provenance: bool,
    /// Publish for the members of the scope alone: a package that does not exist yet is made private, and a public one is refused
    #[arg(long)]
    pub(super) private: bool,
    #[command(flatten)]
    pub(super) job: JobArguments,
}

/// Reads the address of a registry. The path ends with a slash afterwards, so that package names can follow.
fn registry_address(text: &str) -> Result<Url, String> {
    let hint = "write it like `https://registry.example/`";
    let mut url = Url::parse(text).map_err(|error| format!("{error}; {hint}"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(format!("it must start with `http://` or `https://`; {hint}"));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// Reads a scope, with or without `@`.
fn scope_name(text: &str) -> Result<ScopeName, String> {
    ScopeName::try_from(text.trim_start_matches('@')).map_err(|error| error.to_string())
}

fn version_of(text: &str) -> Result<(PackageName, Version), String> {
    let (package, version) = text.split_at(text.rfind('@').filter(|at| *at > 0).ok_or("write `@scope/package@1.2.3`")?);
    let package = PackageName::try_from(package).map_err(|error| error.to_string())?;
    Ok((package, Version::try_from(&version[1..]).map_err(|error| error.to_string())?))
}

fn act(text: &str) -> Result<Act, String> {
    let all = || Act::ALL.iter().map(|act| act.as_str()).collect::<Vec<_>>().join(", ");
    Act::parse(text).ok_or_else(|| format!("there is no such act; there are {}", all()))
}

/// Where the doors of the registry are. Without any of these they come from the configuration file and the environment.
#[derive(Debug, Args)]
pub(super) struct DoorArguments {
    /// Directory of a registry in one process: stands for the database, the objects and the queue
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Configuration file [default: slipway.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// `sqlite:FILE` or `postgres://…`
    #[arg(long, value_name = "URL")]
    pub(super) database: Option<String>,
    /// `file:DIR`, `s3://BUCKET/PREFIX`, `gs://…` or `az://…`
    #[arg(long, value_name = "URL")]
    pub(super) objects: Option<String>,
    /// The same for what is private
    #[arg(long, value_name = "URL")]
    pub(super) objects_private: Option<String>,
    /// `in-process:` or `amqp://…`
    #[arg(long, value_name = "URL")]
    pub(super) queue: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Users
    #[command(subcommand)]
    User(UserCommand),
    /// Tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Scopes
    #[command(subcommand)]
    Scope(ScopeCommand),
    /// CI jobs that publish without a token
    #[command(subcommand)]
    Publisher(PublisherCommand),
    /// What was done, by whom and from where
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Versions that are kept from everybody, and not deleted
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Keys that sign npm versions
    #[command(subcommand)]
    Key(KeyCommand),
    /// Fill an empty database from the objects alone: users, scopes, members, packages and versions. Credentials do not come back
    RebuildDatabase {
        /// The database of before, if it can still be read: what it says and the new one does not is printed
        #[arg(long, value_name = "URL", hide_env_values = true)]
        compare: Option<String>,
        #[command(flatten)]
        doors: DoorArguments,
    },
    /// Try a publish again that is parked or was failed, or to enter in a log what could not be
    Retry {
        /// The publish, as `GET /api/publishing_tasks/TASK` knows it
        #[arg(value_name = "TASK")]
        task: TaskId,
        #[command(flatten)]
        doors: DoorArguments,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Create a user; prints the user id alone
    Create {
        /// The name the user is known by, lower case
        name: String,
        /// Let them run the registry
        #[arg(long)]
        staff: bool,
        /// Their address for mail
        #[arg(long)]
        email: Option<String>,
        #[command(flatten)]
        doors: DoorArguments,
    },
    /// Let a user run the registry, such as one who has signed in before; needs nobody of the staff
    Staff {
        /// The name of the user
        name: String,
        /// Let them do so no longer
        #[arg(long)]
        revoke: bool,
        #[command(flatten)]
        doors: DoorArguments,
    },
    /// Make a link that signs a user in, once and within 15 minutes; prints it alone
    Link {
        /// Whom it signs in
        #[arg(long, value_name = "NAME")]
        user: String,
        /// The registry's own address as the user sees it [default: that of the configuration, or of the running registry]
        #[arg(long, value_name = "URL", value_parser = registry_address)]
        public_url: Option<Url>,
        #[command(flatten)]
        doors: DoorArguments,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Create a token; prints the secret alone
    Create {
        /// Whose token it is
        #[arg(long, value_name = "NAME")]
        user: String,
        /// How long it works: a number and `h`, `d` or `w`, or `never` for one without an end [default: 90d]
        #[arg(long, value_name = "SPAN")]
        expires: Option<String>,
        /// Allow this alone: `publish`, `read`, `yank` or `manage`, and `@scope/name`, `@scope/*` or `*`, as in `read:@acme/*`. Can be
        /// said again [default: everything its user may do]
        #[arg(long, value_name = "VERB:PACKAGES", value_parser = Permission::read)]
        allow: Vec<Permission>,
        #[command(flatten)]
        doors: DoorArguments,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum PublisherCommand {
    /// Trust a CI job to publish a package, which may not exist yet
    Add(PublisherArguments),
}

#[derive(Debug, Args)]
pub(super) struct PublisherArguments {
    /// The package, `@scope/name`
    #[arg(value_name = "PACKAGE")]
    pub(super) package: String,
    /// The CI system: the name of an issuer in the configuration, or its address
    #[arg(long, value_name = "NAME")]
    pub(super) issuer: String,
    /// What the repository is called
    #[arg(long, value_name = "OWNER/REPO")]
    pub(super) repository: String,
    /// The number that the CI system knows the repository by: names change hands
    #[arg(long, value_name = "ID")]
    pub(super) repository_id: String,
    /// Only jobs of this workflow file
    #[arg(long, value_name = "FILE")]
    pub(super) workflow: Option<String>,
    /// Only jobs on branches or tags like this: `refs/heads/main`, `refs/tags/v*` [default: any branch or tag]
    #[arg(long = "ref", value_name = "PATTERN")]
    pub(super) reference: Option<String>,
    /// Only jobs that were let into this environment
    #[arg(long, value_name = "E")]
    pub(super) environment: Option<String>,
    #[command(flatten)]
    pub(super) doors: DoorArguments,
}

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Print the audit log, a line of JSON for each act, newest first
    Export {
        /// Only of this scope
        #[arg(long, value_name = "SCOPE", value_parser = scope_name)]
        scope: Option<ScopeName>,
        /// Only acts of this kind, such as `publish.accept`
        #[arg(long, value_name = "ACT", value_parser = act)]
        act: Option<Act>,
        /// Nothing before this moment, as in `2026-02-03T04:05:06Z`
        #[arg(long, value_name = "TIME")]
        since: Option<Instant>,
        #[command(flatten)]
        doors: DoorArguments,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum QuarantineCommand {
    /// Keep a version from everybody: it is neither listed nor served, and nothing of it is lost
    Hold {
        /// The version, as `@scope/package@1.2.3`
        #[arg(value_name = "VERSION", value_parser = version_of)]
        version: (PackageName, Version),
        /// Why, in words for those who depend on it
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        doors: DoorArguments,
    },
    /// Let everybody have it again, with the very bytes it had
    Release {
        /// The version, as `@scope/package@1.2.3`
        #[arg(value_name = "VERSION", value_parser = version_of)]
        version: (PackageName, Version),
        #[command(flatten)]
        doors: DoorArguments,
    },
    /// Print what is in quarantine: version, state, since when, and why, with tabs in between
    List(DoorArguments),
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key for the setting `signing_key`; prints it alone on standard output, as PKCS#8 PEM, and its public half on standard
    /// error. Nothing is kept
    New,
}

#[derive(Debug, Subcommand)]
pub(super) enum ScopeCommand {
    /// Create a scope for a user, quotas and reserved names aside
    Assign {
        /// The scope, without `@`
        scope: String,
        /// Who runs it
        #[arg(long, value_name = "NAME")]
        user: String,
        #[command(flatten)]
        doors: DoorArguments,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn addresses_of_registries() {
        let read = |text: &str| registry_address(text).map(|url| url.to_string());
        assert_eq!(read("http://localhost:8080").as_deref(), Ok("http://localhost:8080/"));
        assert_eq!(read("https://r.example/x?y#z").as_deref(), Ok("https://r.example/x/"));
        for bad in ["localhost:8080", "", "ftp://x/", "http://", "file:///tmp"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
