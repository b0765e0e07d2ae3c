//! A person with a browser that runs no scripts: curl with a jar of cookies.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use url::Url;

use crate::form::{Button, Form, forms};

/// A browser with its cookies.
pub(crate) struct Browser {
    jar: PathBuf,
    origin: Url,
}

/// A page that is open.
pub(crate) struct Page {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Where the redirects ended.
    pub(crate) url: Url,
    /// The source.
    pub(crate) html: String,
}

impl Browser {
    /// A browser that has never been anywhere.
    pub(crate) fn new(place: &Path, origin: &str) -> Self {
        Self { jar: place.join("cookies"), origin: Url::parse(origin).expect("a registry has a URL") }
    }

    /// Opens an address, following redirects.
    pub(crate) fn open(&self, address: &str) -> Page {
        self.fetch(&self.origin.join(address).expect("an address of the registry"), &[])
    }

    /// Presses the first button whose label contains `label`, whatever its case.
    pub(crate) fn press(&self, page: &Page, label: &str) -> Page {
        let forms = forms(&page.html);
        let says = |button: &Button| button.label.to_lowercase().contains(label);
        match forms.iter().find_map(|form| Some((form, form.buttons.iter().find(|button| says(button))?))) {
            Some((form, button)) => self.send(page, form, Some(button), None),
            None => panic!("no button says {label:?} on {} ({}):\n{}", page.url, page.status, page.html),
        }
    }

    /// Fills in a field and sends the form that it is in.
    pub(crate) fn fill(&self, page: &Page, field: &str, value: &str) -> Page {
        let forms = forms(&page.html);
        match forms.iter().find(|form| form.fields.iter().any(|(name, _)| name == field)) {
            Some(form) => self.send(page, form, form.buttons.first(), Some((field, value))),
            None => panic!("no form asks for {field:?} on {} ({}):\n{}", page.url, page.status, page.html),
        }
    }

    /// Whether the registry knows who this is: it lets a stranger decide nothing and asks for a sign-in first.
    pub(crate) fn is_signed_in(&self) -> bool {
        self.open("auth?code=NONE").url.path() != "/login"
    }

    /// Posts to the API with the session, as a script of a page would.
    pub(crate) fn post(&self, address: &str, body: Option<&Value>) -> Page {
        let to = self.origin.join(address).expect("an address of the registry");
        let mut more = ["-X", "POST", "-H", "Accept: application/json"].map(str::to_owned).to_vec();
        if let Some(body) = body {
            more.extend(["-H".to_owned(), "Content-Type: application/json".to_owned(), "--data-binary".to_owned(), body.to_string()]);
        }
        self.fetch(&to, &more)
    }

    fn send(&self, page: &Page, form: &Form, button: Option<&Button>, filled: Option<(&str, &str)>) -> Page {
        let mut fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.retain(|(name, _)| filled.is_none_or(|(other, _)| other != *name));
        fields.extend(filled);
        fields.extend(button.and_then(|button| button.field.as_ref()).map(|(name, value)| (name.as_str(), value.as_str())));
        let action = button.and_then(|button| button.action.as_ref()).unwrap_or(&form.action);
        let origin = format!("Origin: {}", self.origin.origin().ascii_serialization());
        let mut more = vec!["-H".to_owned(), origin, "-H".to_owned(), "Sec-Fetch-Site: same-origin".to_owned()];
        // Even an empty form is a POST with a body.
        more.extend(["--data".to_owned(), String::new()]);
        more.extend(fields.iter().flat_map(|(name, value)| ["--data-urlencode".to_owned(), format!("{name}={value}")]));
        self.fetch(&page.url.join(action).expect("a form is sent to an address"), &more)
    }

    fn fetch(&self, address: &Url, more: &[String]) -> Page {
        let output = Command::new("curl")
            .args(["-sS", "--location", "--max-time", "60", "-w", "\n%{http_code} %{url_effective}", "-b"])
            .arg(&self.jar)
            .arg("-c")
            .arg(&self.jar)
            .args(["-H", "Accept: text/html,application/xhtml+xml", "-H", "Sec-Fetch-Dest: document", "-H", "Sec-Fetch-Mode: navigate"])
            .args(more)
            .arg(address.as_str())
            .output()
            .expect("curl is installed");
        assert!(output.status.success(), "curl {address}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (html, end) = text.rsplit_once('\n').expect("curl writes the status last");
        let (status, url) = end.split_once(' ').expect("curl writes status and address");
        let status = status.parse().expect("a status is a number");
        Page { status, url: Url::parse(url).expect("curl ends at an address"), html: html.to_owned() }
    }
}
