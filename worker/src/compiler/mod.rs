//! A compiler of TypeScript, for declarations of sources that do not say their types. It is configured, or there is none.
//!
//! Fast check reads types and infers none. Where it has to put placeholders, the configured compiler gets the package in a directory
//! of its own, with what it depends on beside it, and writes declarations; `pipeline` looks at them and puts them in the place
//! of those with placeholders. The package is published either way.
//!
//! Invariants:
//! * The compiler runs in a child process with limits on memory, processor time, stack, open files, time on the wall, and what it
//!   prints and writes. It has an empty environment, no sockets and no processes besides itself, and may read its own files, the
//!   configured packages and the directory of the run, and write in one part of that. Where the system cannot see to it, it is not
//!   run (`child` and `filter`).
//! * No setting comes from a package: the configuration of the run is written here, and files of the package's own configuration
//!   are not in the directory unless a module imports them, where no compiler looks for them.
//! * A module's declarations are used only if the compiler found everything that they could be derived from (`verdict`).
//! * Whatever goes wrong becomes a sentence for the author, never an error of the publish.
//!
//! Not here: what the compiler is given and what is done with what it wrote (`pipeline::npm`).

mod child;
mod filter;
mod packages;
mod run;
mod verdict;

use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value, json};
use slipway_common::config::TypeScript;
use slipway_common::context::Context;
use slipway_common::shutdown::aside;
use tempfile::TempDir;
use tokio::sync::{OnceCell, Semaphore};

pub use child::{Isolation, child_main};

use crate::pipeline::{Inferred, InferredModule, Unsaid};
use crate::view::View;
use child::{MAX_FILE_BYTES, Order};
use run::{Ended, Launcher};
use verdict::{Complaints, PACKAGE};

/// How long the compiler may take to say its version: an interpreter on a busy machine needs seconds to start.
const GREETING: Duration = Duration::from_secs(30);
/// Where the compiler writes, in the directory of a run.
const OUTPUT: &str = "out";
/// What runtimes say when they lack memory.
const NO_MEMORY: [&str; 4] = ["out of memory", "cannot allocate memory", "bad_alloc", "memory allocation of"];
/// What they say when they lack stack.
const NO_STACK: [&str; 3] = ["stack overflow", "maximum call stack size", "overflowed its stack"];
/// What runtimes say of the limit on the length of a file.
const NO_LENGTH: [&str; 3] = ["sigxfsz: file size limit exceeded", "file too large", "efbig"];
/// The signal that the limit on processor time sends.
const SIGXCPU: i32 = 24;
/// The signal that the limit on the length of a file sends.
const SIGXFSZ: i32 = 25;

/// A configured compiler.
#[derive(Debug)]
pub struct Compiler {
    launcher: Launcher,
    settings: TypeScript,
    program: PathBuf,
    /// What comes before the compiler's own arguments: its script, and limits of its interpreter.
    prefix: Vec<String>,
    version: OnceCell<String>,
    /// One run at a time: each may take as much memory as the rest of the worker together.
    turn: Semaphore,
}

impl Compiler {
    /// The compiler that is configured, if one is. Children are this `program` with these `arguments`, which are for
    /// [`child_main`].
    #[must_use]
    pub fn configured(settings: &TypeScript, program: PathBuf, arguments: Vec<String>) -> Option<Self> {
        let compiler = settings.compiler.clone()?;
        let (interpreter, prefix) = match &settings.node {
            Some(node) => {
                let heap = format!("--max-old-space-size={}", settings.memory_bytes / (1024 * 1024) * 3 / 4);
                (node.clone(), vec![heap, compiler.display().to_string()])
            }
            None => (compiler, Vec::new()),
        };
        Some(Self {
            launcher: Launcher { program, arguments },
            settings: settings.clone(),
            program: interpreter,
            prefix,
            version: OnceCell::new(),
            turn: Semaphore::new(1),
        })
    }

    /// Its name and version, asked once.
    ///
    /// # Errors
    /// When it does not say: the text is for the operator.
    pub async fn version(&self) -> Result<&str, String> {
        let asked = self.version.get_or_try_init(async || {
            let directory = directory().map_err(|error| format!("there is no place for the compiler to run: {error}"))?;
            let ended = self.run(&directory, vec!["--version".to_owned()], GREETING).await?;
            let words: Vec<&str> = ended.printed.split_whitespace().collect();
            match words[..] {
                ["Version", version] if ended.status.success() && is_version(version) => Ok(format!("typescript {version}")),
                _ => Err(format!("the compiler does not say its version: {}", first_line(&ended))),
            }
        });
        asked.await.map(String::as_str)
    }

    /// What the system keeps the compiler from. Asked of a child, since there is no way back.
    ///
    /// # Errors
    /// When no child can be asked.
    pub async fn isolation(&self) -> Result<Isolation, String> {
        let directory = directory().map_err(|error| format!("there is no place for the compiler to run: {error}"))?;
        let order = Order { program: PathBuf::new(), ..self.order(&directory, Vec::new()) };
        let ended = self.launcher.run(&order, GREETING).await?;
        serde_json::from_str(&ended.printed).map_err(|_| format!("the child does not say it: {}", first_line(&ended)))
    }

    /// Has declarations made. What cannot be made is told, never failed.
    #[tracing::instrument(level = "debug", name = "compiler.infer", skip_all)]
    pub(crate) async fn infer(&self, context: &Context, view: &View, unsaid: Unsaid) -> Inferred {
        let wanted = unsaid.wanted.clone();
        match self.attempt(context, view, unsaid).await {
            Ok(inferred) => inferred,
            Err(why) => {
                tracing::warn!(why, "the compiler made no declarations");
                Inferred { refused: wanted.into_iter().map(|path| (path, why.clone())).collect(), ..Inferred::default() }
            }
        }
    }

    async fn attempt(&self, context: &Context, view: &View, unsaid: Unsaid) -> Result<Inferred, String> {
        // What it printed is for the operator, not for the author of a package.
        let shown = |why: String| why.split(':').next().unwrap_or_default().to_owned();
        let version = self.version().await.inspect_err(|why| tracing::warn!(why, "the compiler does not work"));
        let compiler = version.map_err(shown)?.to_owned();
        let _turn = self.turn.acquire().await.expect("the semaphore is never closed");
        let unwritten = |error: io::Error| format!("the compiler's directory cannot be written: {error}");
        let directory = directory().map_err(unwritten)?;
        let has_node = packages::install(context, view, self.settings.packages.as_deref(), &unsaid, directory.path()).await?;
        let root = directory.path().to_owned();
        let unsaid = aside(move || lay_out(&root, &unsaid, has_node).map(|()| unsaid)).await.map_err(unwritten)?;
        let mut arguments = vec!["--project".to_owned(), "tsconfig.json".to_owned(), "--pretty".to_owned(), "false".to_owned()];
        // The order in which several threads come upon a type shows in what is written.
        if has_threads(&compiler) {
            arguments.push("--singleThreaded".to_owned());
        }
        let ended = self.run(&directory, arguments, Duration::from_secs(self.settings.wall_seconds)).await?;
        let complaints = Complaints::read(&ended.printed);
        sound(&ended, &complaints)?;
        let inferred = aside(move || collect(directory.path(), &unsaid, &complaints)).await;
        Ok(Inferred { compiler, ..inferred })
    }

    async fn run(&self, directory: &TempDir, arguments: Vec<String>, patience: Duration) -> Result<Ended, String> {
        self.launcher.run(&self.order(directory, arguments), patience).await
    }

    fn order(&self, directory: &TempDir, arguments: Vec<String>) -> Order {
        Order {
            program: self.program.clone(),
            arguments: self.prefix.iter().cloned().chain(arguments).map(Into::into).collect(),
            readable: self.readable(),
            memory_bytes: self.settings.memory_bytes,
            cpu_seconds: self.settings.cpu_seconds,
            output: directory.path().join(OUTPUT),
            directory: directory.path().to_owned(),
        }
    }

    /// The compiler and its libraries, which lie beside it, and the configured packages.
    fn readable(&self) -> Vec<PathBuf> {
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut readable = vec![real(&self.program)];
        let compiler = self.settings.compiler.as_deref().map(real);
        readable.extend(compiler.and_then(|compiler| compiler.parent().map(Path::to_owned)));
        readable.extend(self.settings.packages.as_deref().map(real));
        readable
    }
}

/// A directory that nobody else can read, with one in it to write to.
fn directory() -> io::Result<TempDir> {
    let directory = tempfile::Builder::new().prefix("slipway-compile-").tempdir_in(fs::canonicalize(tempfile::env::temp_dir())?)?;
    fs::create_dir(directory.path().join(OUTPUT))?;
    Ok(directory)
}

fn is_version(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte))
}

/// Whether the compiler is the native one, which takes all processors unless it is told otherwise.
fn has_threads(compiler: &str) -> bool {
    let major = compiler.trim_start_matches("typescript ").split('.').next().and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| major >= 7)
}

/// Writes everything that a run needs.
fn lay_out(root: &Path, unsaid: &Unsaid, has_node: bool) -> io::Result<()> {
    for (path, bytes) in &unsaid.files {
        let place = root.join(format!("{PACKAGE}{path}"));
        fs::create_dir_all(place.parent().unwrap_or(root))?;
        fs::write(place, bytes)?;
    }
    fs::write(root.join("tsconfig.json"), settings(unsaid, has_node).to_string())
}

/// The settings of a run: strict, as Node resolves, with nothing that a package could add.
fn settings(unsaid: &Unsaid, has_node: bool) -> Value {
    let files: Vec<String> = unsaid.wanted.iter().map(|path| format!("./{PACKAGE}{path}")).collect();
    let mut options = json!({
        "target": "esnext",
        "lib": ["esnext", "dom", "dom.iterable", "dom.asynciterable"],
        "module": "nodenext",
        "moduleResolution": "nodenext",
        "strict": true,
        "declaration": true,
        "declarationMap": true,
        "emitDeclarationOnly": true,
        "isolatedDeclarations": false,
        "noEmitOnError": false,
        "allowImportingTsExtensions": true,
        "resolveJsonModule": true,
        "skipLibCheck": false,
        "preserveSymlinks": true,
        "types": if has_node { vec!["node"] } else { Vec::new() },
        "typeRoots": ["./node_modules/@types"],
        "rootDir": format!("./{PACKAGE}"),
        "outDir": format!("./{OUTPUT}"),
    });
    if let Value::Object(options) = &mut options {
        options.extend(Map::clone(&unsaid.options));
    }
    json!({ "compilerOptions": options, "files": files })
}

/// Whether a run ended as a compiler ends that has said what it had to say.
fn sound(ended: &Ended, complaints: &Complaints) -> Result<(), String> {
    let complained = ended.complained.to_ascii_lowercase();
    let speaks_of = |words: &[&str]| words.iter().any(|words| complained.contains(words));
    match (ended.status.code(), ended.status.signal()) {
        (Some(0), _) if complaints.is_empty() => Ok(()),
        (Some(1 | 2), _) if !complaints.is_empty() && ended.complained.is_empty() => Ok(()),
        (_, Some(SIGXCPU)) => Err("the compiler ran out of processor time".to_owned()),
        _ if ended.is_over_time => Err("the compiler ran out of processor time".to_owned()),
        (_, Some(SIGXFSZ)) => Err(format!("the compiler wrote a file of more than {MAX_FILE_BYTES} bytes")),
        _ if speaks_of(&NO_LENGTH) => Err(format!("the compiler wrote a file of more than {MAX_FILE_BYTES} bytes")),
        _ if speaks_of(&NO_MEMORY) => Err("the compiler ran out of memory".to_owned()),
        _ if speaks_of(&NO_STACK) => Err("the compiler ran out of stack".to_owned()),
        (_, Some(signal)) => Err(format!("the compiler was ended by signal {signal}")),
        (Some(0), _) => Err("the compiler complained and ended as if it had not".to_owned()),
        (code, _) => {
            tracing::warn!(?code, said = first_line(ended), "the compiler crashed");
            Err("the compiler crashed".to_owned())
        }
    }
}

fn first_line(ended: &Ended) -> &str {
    ended.complained.lines().chain(ended.printed.lines()).find(|line| !line.trim().is_empty()).unwrap_or("it says nothing")
}

/// Takes in what was written of the modules that nothing is to be said against.
fn collect(root: &Path, unsaid: &Unsaid, complaints: &Complaints) -> Inferred {
    let against = complaints.against(unsaid);
    let mut inferred = Inferred::default();
    for path in &unsaid.wanted {
        let module = match against.get(path.as_str()) {
            Some(why) => Err(why.clone()),
            None => taken_in(&root.join(OUTPUT), path.as_str())
                .and_then(|module| if unsaid.uses_node { without_globals(module) } else { Ok(module) }),
        };
        match module {
            Ok(module) => _ = inferred.modules.insert(path.clone(), module),
            Err(why) => _ = inferred.refused.insert(path.clone(), why),
        }
    }
    inferred
}

fn taken_in(out: &Path, path: &str) -> Result<InferredModule, String> {
    let (stem, extension) = path.rsplit_once('.').unwrap_or((path, ""));
    let declarations = format!("{}.d.{}", &stem[1..], if extension == "mts" { "mts" } else { "ts" });
    let read = |name: &str| {
        let place = out.join(name);
        // No link leads anywhere else, in the middle of the path either.
        if fs::canonicalize(&place).ok()? != place {
            return None;
        }
        let metadata = fs::symlink_metadata(&place).ok().filter(|metadata| metadata.is_file() && metadata.len() <= MAX_FILE_BYTES)?;
        let text = String::from_utf8(fs::read(place).ok()?).ok()?;
        (text.len() as u64 == metadata.len()).then_some(text)
    };
    let text = read(&declarations).ok_or("the compiler wrote no declarations that can be read")?;
    let map = read(&format!("{declarations}.map")).ok_or("the compiler wrote no map that can be read")?;
    Ok(InferredModule { text, map })
}

/// Node's global types are there for the compiler, and not for whoever installs the package.
fn without_globals(module: InferredModule) -> Result<InferredModule, String> {
    let names = |word: &str| module.text.contains(word);
    if names("NodeJS.") || (names("Buffer") && !names("node:buffer")) {
        return Err("the declarations name global types of Node, which may not be there where the package is installed".to_owned());
    }
    Ok(module)
}

#[cfg(test)]
mod tests;
