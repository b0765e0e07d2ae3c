//! What a caller is told when something does not work: a [`Refusal`] when it is theirs to mend, an incident number when it is
//! ours. Internal text never leaves the house.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value};
use slipway_common::db::DbError;
use slipway_common::fault::{AnyFault, Fault, Retry};
use slipway_common::model::provenance::{Failure, Step};
use slipway_common::queue::QueueError;
use slipway_common::storage::StorageError;

/// The outcome of everything a caller can ask for.
pub type ApiResult<T> = Result<T, ApiError>;

/// Why a request was not answered with what it asked for.
#[derive(Debug)]
pub enum ApiError {
    /// The caller can mend it.
    Refused(Box<Refusal>),
    /// We cannot do it.
    Faulted(AnyFault),
}

/// A decision not to do what was asked, written out where it was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The stable code, which also decides the status.
    pub code: Code,
    /// What is wrong and how to mend it.
    pub message: String,
    /// What the client needs to go on, at the top level of the body.
    pub data: Map<String, Value>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
}

macro_rules! codes {
    ($($name:ident = $text:literal $status:ident $message:literal,)+) => {
        /// Every code of the API. A code once published is never renamed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $message] $name,)+
        }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The status it is sent with.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// The text that says it in general.
            #[must_use]
            pub fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)+ }
            }
        }
    };
}

codes! {
    MalformedRequest = "malformedRequest" BAD_REQUEST "the request cannot be read",
    MissingGzipContentEncoding = "missingGzipContentEncoding" BAD_REQUEST "the upload must be a gzip-compressed tar, sent with the header `Content-Encoding: gzip`",
    DuplicateVersionPublish = "duplicateVersionPublish" BAD_REQUEST "this version is being published, or was published, and cannot be published again",
    WeeklyPublishAttemptsLimitExceeded = "weeklyPublishAttemptsLimitExceeded" BAD_REQUEST "the scope has used up its publish attempts of the last seven days",
    WeeklyPackageLimitExceeded = "weeklyPackageLimitExceeded" BAD_REQUEST "the scope has used up its new packages of the last seven days",
    PackageLimitExceeded = "packageLimitExceeded" BAD_REQUEST "the scope has as many packages as it may have",
    ScopeLimitReached = "scopeLimitReached" BAD_REQUEST "you have created as many scopes as you may",
    ScopeNameNotAllowed = "scopeNameNotAllowed" BAD_REQUEST "this scope name is not allowed",
    ScopeNameReserved = "scopeNameReserved" BAD_REQUEST "this scope name is reserved; ask the staff of this registry for it",
    PackageNameNotAllowed = "packageNameNotAllowed" BAD_REQUEST "this package name is not allowed",
    PackageArchived = "packageArchived" BAD_REQUEST "the package is archived; take it out of the archive first",
    PackageVersionYanked = "packageVersionYanked" BAD_REQUEST "the version is yanked, and a dist-tag names none that is; take the yank back first",
    DistTagNotAllowed = "distTagNotAllowed" BAD_REQUEST "this dist-tag is not allowed",
    DistTagLimitExceeded = "distTagLimitExceeded" BAD_REQUEST "the package has as many dist-tags as it may have",
    AlreadyScopeMember = "alreadyScopeMember" BAD_REQUEST "this user belongs to the scope already",
    AlreadyInvited = "alreadyInvited" BAD_REQUEST "this user is asked to belong to the scope already",
    ScopeInviteLimitReached = "scopeInviteLimitReached" BAD_REQUEST "as many people are asked to belong to the scope as may be at once; withdraw an invite first",
    ScopeMustHaveAdmin = "scopeMustHaveAdmin" BAD_REQUEST "the scope would be left without an admin; have another member run it first",
    NoScopeOwnerAvailable = "noScopeOwnerAvailable" BAD_REQUEST "the scope counts against its owner's limit, and none of its other admins may have one more; ask the staff of this registry to raise the limit of one",
    TicketMessageEmpty = "ticketMessageEmpty" BAD_REQUEST "the message is empty; say what you ask for",
    TicketMetaNotValid = "ticketMetaNotValid" BAD_REQUEST "what the ticket is about cannot be read from `meta`",
    TicketLimitReached = "ticketLimitReached" BAD_REQUEST "as many tickets of yours are open as may be at once; wait until one is closed",
    UnknownLoginService = "unknownLoginService" BAD_REQUEST "this registry knows no such provider of accounts",
    InvalidOauthState = "invalidOauthState" BAD_REQUEST "this sign-in was not begun in this browser, was finished already, or took too long; sign in again",
    OauthError = "oauthError" BAD_REQUEST "signing in came to nothing",
    ConnectTakenService = "connectTakenService" BAD_REQUEST "this account belongs to another user of this registry; sign in with it, and unlink it there first",
    DisconnectLastService = "disconnectLastService" BAD_REQUEST "you could not sign in any more; link another account first",
    AuthorizationExpired = "authorizationExpired" BAD_REQUEST "the request for permission has expired; start again",
    AuthorizationInvalidVerifier = "authorizationInvalidVerifier" BAD_REQUEST "the verifier does not belong to this request for permission",
    AuthorizationDenied = "authorizationDenied" BAD_REQUEST "the request for permission was denied",
    AuthorizationPending = "authorizationPending" BAD_REQUEST "nobody has decided about the request for permission yet",
    ProvenanceBundleInvalid = "provenanceBundleInvalid" BAD_REQUEST "the bundle cannot be read",
    ProvenanceCertificateInvalid = "provenanceCertificateInvalid" BAD_REQUEST "the certificate of the bundle does not hold",
    ProvenanceTimeInvalid = "provenanceTimeInvalid" BAD_REQUEST "the time of the bundle does not hold",
    ProvenanceNotLogged = "provenanceNotLogged" BAD_REQUEST "the signature is not in the transparency log",
    ProvenanceSignatureInvalid = "provenanceSignatureInvalid" BAD_REQUEST "the signature of the bundle does not hold",
    ProvenanceOfSomethingElse = "provenanceOfSomethingElse" BAD_REQUEST "the statement is not about this version",
    ProvenanceByAnotherJob = "provenanceByAnotherJob" FORBIDDEN "the certificate is not that of the job that published",
    MissingAuthentication = "missingAuthentication" UNAUTHORIZED "sign in, or send a token",
    InvalidBearerToken = "invalidBearerToken" UNAUTHORIZED "the token is unknown or has expired",
    InvalidOidcToken = "invalidOidcToken" UNAUTHORIZED "the CI identity cannot be accepted",
    OidcTokenUsed = "oidcTokenUsed" FORBIDDEN "the CI token has published this before; ask the CI system for another one",
    Blocked = "blocked" FORBIDDEN "the account is blocked",
    MissingPermission = "missingPermission" FORBIDDEN "the credential is restricted and does not allow this",
    AddressNotAllowed = "addressNotAllowed" FORBIDDEN "the token does not work from this address",
    ActorNotAuthorized = "actorNotAuthorized" FORBIDDEN "the actor may not do this",
    CredentialNotInteractive = "credentialNotInteractive" FORBIDDEN "this needs a person: sign in with a browser",
    ActorNotUser = "actorNotUser" FORBIDDEN "this needs a user, not a CI identity",
    ActorNotScopeAdmin = "actorNotScopeAdmin" FORBIDDEN "you are not an admin of this scope",
    ActorNotScopeMember = "actorNotScopeMember" FORBIDDEN "you are not a member of this scope",
    SignUpClosed = "signUpClosed" FORBIDDEN "this registry makes no account for who comes so; ask who runs it for one, and link yours to it",
    ScopeRequiresPublishingFromCi = "scopeRequiresPublishingFromCi" FORBIDDEN "the scope only accepts publishes from CI",
    ScopeFrozen = "scopeFrozen" FORBIDDEN "the scope is frozen by the staff of this registry",
    CrossSiteRequest = "crossSiteRequest" FORBIDDEN "the form was not sent from this site; open the page again and repeat",
    NotFound = "notFound" NOT_FOUND "there is nothing at this address",
    PublishNotFound = "publishNotFound" NOT_FOUND "there is no such publish",
    UserNotFound = "userNotFound" NOT_FOUND "there is no such user",
    ScopeNotFound = "scopeNotFound" NOT_FOUND "there is no such scope",
    ScopeMemberNotFound = "scopeMemberNotFound" NOT_FOUND "there is no such member of the scope",
    ScopeInviteNotFound = "scopeInviteNotFound" NOT_FOUND "the scope has not asked you to belong to it, or does so no longer",
    PackageNotFound = "packageNotFound" NOT_FOUND "there is no such package",
    PackageVersionNotFound = "packageVersionNotFound" NOT_FOUND "there is no such version of the package",
    PackageVersionQuarantined = "packageVersionQuarantined" NOT_FOUND "the staff of this registry keeps this version from everybody",
    QuarantineNotFound = "quarantineNotFound" NOT_FOUND "the version is not in quarantine",
    DistTagNotFound = "distTagNotFound" NOT_FOUND "the package has no such dist-tag",
    ProvenanceNotFound = "provenanceNotFound" NOT_FOUND "nobody has shown where this version came from",
    ProvenanceNotVerified = "provenanceNotVerified" NOT_FOUND "where this version came from is not verified yet: the transparency log did not answer, and is asked again",
    IdentityNotFound = "identityNotFound" NOT_FOUND "no such account is linked to yours",
    SignInLinkNotFound = "signInLinkNotFound" NOT_FOUND "the link was used already, or has expired; ask for another one",
    TokenNotFound = "tokenNotFound" NOT_FOUND "there is no such token",
    PublisherNotFound = "publisherNotFound" NOT_FOUND "the package has no such publisher",
    TicketNotFound = "ticketNotFound" NOT_FOUND "there is no such ticket",
    AuthorizationNotFound = "authorizationNotFound" NOT_FOUND "there is no such request for permission, or it was answered already",
    MethodNotAllowed = "methodNotAllowed" METHOD_NOT_ALLOWED "the address does not know this method",
    RequestTimeout = "requestTimeout" REQUEST_TIMEOUT "the body of the request stopped coming; send the request again",
    ScopeAlreadyExists = "scopeAlreadyExists" CONFLICT "the scope, or one that differs in hyphens alone, exists already",
    ScopeNameTooSimilar = "scopeNameTooSimilar" CONFLICT "the name is easily taken for that of another scope",
    PackageNameTooSimilar = "packageNameTooSimilar" CONFLICT "the name is easily taken for that of another package of the scope",
    PublisherAlreadyExists = "publisherAlreadyExists" CONFLICT "the package trusts this publisher already",
    PackageAlreadyExists = "packageAlreadyExists" CONFLICT "the package, or one that differs in hyphens alone, exists already",
    ProvenanceAlreadyKnown = "provenanceAlreadyKnown" CONFLICT "another bundle of this version was accepted already, and what was accepted never changes",
    ScopeNotEmpty = "scopeNotEmpty" CONFLICT "the scope has packages; delete them first",
    PackageNotEmpty = "packageNotEmpty" CONFLICT "the package has versions, or one is being published",
    PackageIsPublic = "packageIsPublic" CONFLICT "the package has public versions, or is about to: what was public never becomes private",
    PackageOpening = "packageOpening" CONFLICT "the package is being made public; publish again in a moment",
    ScopeIsPrivate = "scopeIsPrivate" CONFLICT "the scope is private, and none of its packages can be public; make the scope public first",
    DependsOnPrivate = "dependsOnPrivate" CONFLICT "the package depends on one that is private; make that one public first",
    PublishNotQueued = "publishNotQueued" CONFLICT "the publish has begun or is over, so it cannot be cancelled any more",
    PublishNotFailed = "publishNotFailed" CONFLICT "only a publish that the registry failed to do can be tried again",
    TarballSizeLimitExceeded = "tarballSizeLimitExceeded" PAYLOAD_TOO_LARGE "the upload is too large",
    TooManyRequests = "tooManyRequests" TOO_MANY_REQUESTS "this was done too often lately; try again later",
    TooManyAuthorizations = "tooManyAuthorizations" TOO_MANY_REQUESTS "too many requests for permission wait for a decision; try again in a minute",
    TooManyUploads = "tooManyUploads" SERVICE_UNAVAILABLE "more is being published than the registry takes in at once; try again in a moment",
    InternalServerError = "internalServerError" INTERNAL_SERVER_ERROR "the registry could not do it",
    Unavailable = "unavailable" SERVICE_UNAVAILABLE "the registry cannot do it right now; try again in a moment",
}

impl Refusal {
    /// Adds what the client needs to go on.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.data.insert(key.to_owned(), value);
        self
    }
}

impl Code {
    /// A refusal that says it in general.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        self.because(self.message())
    }

    /// A refusal in particular words.
    #[must_use]
    pub fn because(self, message: impl Into<String>) -> Refusal {
        Refusal { code: self, message: message.into(), data: Map::new(), retry_after: None }
    }

    /// What a bundle is refused with that does not get past this step.
    #[must_use]
    pub fn of(step: Step) -> Self {
        match step {
            Step::Bundle => Self::ProvenanceBundleInvalid,
            Step::Certificate => Self::ProvenanceCertificateInvalid,
            Step::Time => Self::ProvenanceTimeInvalid,
            Step::Log => Self::ProvenanceNotLogged,
            Step::Signature => Self::ProvenanceSignatureInvalid,
            Step::Statement => Self::ProvenanceOfSomethingElse,
            Step::Identity => Self::ProvenanceByAnotherJob,
        }
    }

    /// The error that says it in general.
    pub fn err<T>(self) -> ApiResult<T> {
        Err(self.refusal().into())
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        code.refusal().into()
    }
}

impl From<AnyFault> for ApiError {
    fn from(fault: AnyFault) -> Self {
        Self::Faulted(fault)
    }
}

macro_rules! seam {
    ($($error:ty),+) => {
        $(impl From<$error> for ApiError {
            fn from(error: $error) -> Self {
                Self::Faulted(error.into())
            }
        })+
    };
}
seam!(DbError, StorageError, QueueError);

impl ApiError {
    /// The refusal a caller sees. A fault is logged here, once, under the number that the caller gets.
    #[must_use]
    pub fn into_refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => *refusal,
            Self::Faulted(fault) => {
                let incident = incident();
                tracing::error!(incident, fault = fault.chain(), "a request failed");
                let code = match fault.retry() {
                    Retry::Later => Code::Unavailable,
                    Retry::Never => Code::InternalServerError,
                };
                let retry_after = (code == Code::Unavailable).then_some(RETRY_AFTER);
                Refusal { retry_after, ..code.because(format!("{}; incident {incident}", code.message())) }
            }
        }
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        let code = Code::of(failure.step);
        code.because(format!("{}: {}", code.message(), failure.why)).into()
    }
}

/// Seconds a client is asked to wait when a door does not answer: about as long as a database takes to fail over.
const RETRY_AFTER: u32 = 5;

/// A number that ties an answer to a line of the log. It need not be secret, only rare.
fn incident() -> String {
    let mut bytes = [0; 4];
    rand::Rng::fill(&mut rand::rngs::ThreadRng::default(), &mut bytes);
    format!("{:08x}", u32::from_be_bytes(bytes))
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let mut body =
            Map::from_iter([("code".to_owned(), Value::from(self.code.as_str())), ("message".to_owned(), Value::from(self.message))]);
        body.extend(self.data);
        let text = serde_json::to_string_pretty(&body).expect("a map with text keys always serialises");
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], text).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.into_refusal().into_response()
    }
}
