//! An S3 server of one test, in its process and over a temporary directory: `s3s-fs` behind a layer that can fail.
//!
//! The library decides about a condition (`If-Match`, `If-None-Match`) and writes in two steps, and keeps the tag of an object beside
//! its bytes. Here whoever asks for a key waits for the one before, so that a condition holds what it says, as it does at S3. A key
//! becomes the name of a file, so it may have no more than about 160 bytes.

pub mod faults;

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use slipway_common::shutdown::Shutdown;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

use crate::fleet::Bucket;
use faults::{Fate, Fault, Faults, Moment};

/// The bucket that the server has.
const NAME: &str = "slipway";
/// Whoever asks is called this, and has it as their secret.
const CREDENTIAL: &str = "slipway";
/// Locks that keys are spread over. Two keys that have one in common wait for each other, which costs a moment.
const LOCKS: usize = 64;

/// The bytes of an answer, or the end of its connection.
type Answer = StreamBody<BoxStream<'static, io::Result<Frame<Bytes>>>>;

/// The server. It answers as long as the runtime of the test runs.
#[derive(Debug)]
pub struct Server {
    directory: TempDir,
    address: SocketAddr,
    faults: Arc<Faults>,
}

impl Server {
    /// Starts a server with an empty bucket, on a free port on loopback.
    ///
    /// # Panics
    /// When there is no room for it.
    pub async fn start(faults: Faults) -> Self {
        let directory = TempDir::with_prefix("slipway-bucket-").expect("a temporary directory can be made");
        std::fs::create_dir(directory.path().join(NAME)).expect("a directory can be made");
        let files = FileSystem::new(directory.path()).expect("the directory is there");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(CREDENTIAL, CREDENTIAL));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let faults = Arc::new(faults);
        let desk =
            Arc::new(Desk { objects: builder.build(), faults: Arc::clone(&faults), locks: std::array::from_fn(|_| Mutex::default()) });
        let tasks = Shutdown::default();
        tasks.clone().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tasks.spawn(serve(Arc::clone(&desk), stream));
            }
        });
        Self { directory, address, faults }
    }

    /// What fails here.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The bucket, for a registry. The suite reads its files past the server, and so without a fault.
    #[must_use]
    pub fn bucket(&self) -> Bucket {
        let variables = [
            ("AWS_ENDPOINT", format!("http://{}", self.address)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", CREDENTIAL.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", CREDENTIAL.to_owned()),
        ];
        Bucket {
            url: format!("s3://{NAME}"),
            environment: variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            read_at: format!("file:{}", self.directory.path().join(NAME).display()),
        }
    }
}

struct Desk {
    objects: S3Service,
    faults: Arc<Faults>,
    locks: [Mutex<()>; LOCKS],
}

async fn serve(desk: Arc<Desk>, stream: TcpStream) {
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { answer(&desk, request).await }
    });
    // Clients go away in the middle of everything, above all those that are killed.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Answers a request as it deserves, or as fate has it. An error closes the connection without a word.
async fn answer(desk: &Desk, request: Request<Incoming>) -> io::Result<Response<Answer>> {
    let Fate { latency, fault } = desk.faults.next(request.method(), request.uri().path());
    // A sleep of no length is one until the next millisecond.
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let Some((fault, moment)) = fault else {
        return act(desk, request).await.map(|(head, bytes)| whole(head, bytes));
    };
    let done = match moment {
        Moment::Before => None,
        Moment::After => Some(act(desk, request).await?),
    };
    match (fault, done) {
        (Fault::Hang, _) => std::future::pending().await,
        (Fault::Error, _) => Ok(refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalError")),
        (Fault::SlowDown, _) => Ok(refuse(StatusCode::SERVICE_UNAVAILABLE, "SlowDown")),
        (Fault::Cut, Some((head, bytes))) if !bytes.is_empty() => Ok(half(head, &bytes)),
        (Fault::Cut, _) => Err(io::ErrorKind::ConnectionReset.into()),
    }
}

/// Does what a request asks for, alone with its key. A list has no key: it goes through every file here, and nobody waits for that at S3.
async fn act(desk: &Desk, request: Request<Incoming>) -> io::Result<(http::response::Parts, Bytes)> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let mut hasher = DefaultHasher::new();
    head.uri.path().hash(&mut hasher);
    let lock = usize::try_from(hasher.finish() % LOCKS as u64).expect("there are not many locks");
    let is_list = head.method == Method::GET && head.uri.path().trim_matches('/') == NAME;
    let alone = if is_list { None } else { Some(desk.locks[lock].lock().await) };
    let is_head = head.method == Method::HEAD;
    let answer = desk.objects.call(Request::from_parts(head, body.into())).await.map_err(|error| io::Error::other(format!("{error:?}")))?;
    let (head, body) = answer.into_parts();
    let bytes = if is_head { Bytes::new() } else { BodyExt::collect(body).await.map_err(io::Error::other)?.to_bytes() };
    drop(alone);
    Ok((head, bytes))
}

fn whole(head: http::response::Parts, bytes: Bytes) -> Response<Answer> {
    let frames = Some(bytes).filter(|bytes| !bytes.is_empty());
    Response::from_parts(head, StreamBody::new(stream::iter(frames).map(Ok::<_, Infallible>).map_ok(Frame::data).map_err(never).boxed()))
}

/// The first half of an answer, and then nothing more.
fn half(mut head: http::response::Parts, bytes: &Bytes) -> Response<Answer> {
    head.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    let frames = [Ok(Frame::data(bytes.slice(..bytes.len() / 2))), Err(io::ErrorKind::ConnectionReset.into())];
    Response::from_parts(head, StreamBody::new(stream::iter(frames).boxed()))
}

fn refuse(status: StatusCode, code: &str) -> Response<Answer> {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>by chance</Message></Error>");
    let mut response = whole(Response::new(()).into_parts().0, text.into());
    *response.status_mut() = status;
    response
}

fn never(no: Infallible) -> io::Error {
    match no {}
}
