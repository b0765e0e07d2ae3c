//! What goes wrong on our side, and whether time heals it.

/// Whether the same act may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The cause passes: a connection, a lock, a supplier that is down.
    Later,
    /// The same act fails the same way every time.
    Never,
}

/// An error that is our fault or a supplier's, never the caller's. Its text is for operators and does not leave the house.
pub trait Fault: std::error::Error + Send + Sync + 'static {
    /// Whether trying again makes sense.
    fn retry(&self) -> Retry;
}

/// A fault of any kind, with its source chain.
#[derive(Debug, thiserror::Error)]
#[error("{context}")]
pub struct AnyFault {
    context: String,
    retry: Retry,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl AnyFault {
    /// A fault that only a person can mend.
    pub fn never(context: impl Into<String>) -> Self {
        Self { context: context.into(), retry: Retry::Never, source: None }
    }

    /// A fault that passes.
    pub fn later(context: impl Into<String>) -> Self {
        Self { context: context.into(), retry: Retry::Later, source: None }
    }

    /// The whole chain of causes on one line, outermost first.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.context.clone();
        let mut next = std::error::Error::source(self);
        while let Some(error) = next {
            text.push_str(": ");
            text.push_str(&error.to_string());
            next = error.source();
        }
        text
    }
}

impl Fault for AnyFault {
    fn retry(&self) -> Retry {
        self.retry
    }
}

/// Every seam's own error becomes a fault, never a refusal: a refusal is written out where the decision is taken.
macro_rules! seam_fault {
    ($error:ty, $context:literal) => {
        impl From<$error> for $crate::fault::AnyFault {
            fn from(error: $error) -> Self {
                $crate::fault::AnyFault::wrap($context, error)
            }
        }
    };
}
pub(crate) use seam_fault;

impl AnyFault {
    /// A fault with the error that caused it.
    pub fn wrap<E: Fault>(context: impl Into<String>, source: E) -> Self {
        Self { context: context.into(), retry: source.retry(), source: Some(Box::new(source)) }
    }

    /// A fault with a cause that does not say whether it passes.
    pub fn because(context: impl Into<String>, retry: Retry, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { context: context.into(), retry, source: Some(Box::new(source)) }
    }
}
