//! Forms of a page, as a browser without scripts sees them.

/// One form.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// Where it is sent; empty for the page itself.
    pub(crate) action: String,
    /// Its fields with what they hold, hidden ones included.
    pub(crate) fields: Vec<(String, String)>,
    /// Its buttons.
    pub(crate) buttons: Vec<Button>,
}

/// One button.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Button {
    /// What is written on it.
    pub(crate) label: String,
    /// What pressing it adds to the fields.
    pub(crate) field: Option<(String, String)>,
    /// Where it sends the form instead.
    pub(crate) action: Option<String>,
}

/// All forms of a page.
pub(crate) fn forms(html: &str) -> Vec<Form> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find("<form") {
        let end = rest[start..].find("</form").map_or(rest.len(), |end| start + end);
        found.push(form(&rest[start..end]));
        rest = &rest[end..];
    }
    found
}

fn form(html: &str) -> Form {
    let mut form = Form::default();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let Some(length) = rest[start..].find('>') else { break };
        let (tag, after) = (&rest[start + 1..start + length], &rest[start + length + 1..]);
        let of = |name: &str| attribute(tag, name);
        let field = of("name").map(|name| (name, of("value").unwrap_or_default()));
        match tag.split_whitespace().next().unwrap_or_default() {
            "form" => form.action = of("action").unwrap_or_default(),
            "input" if of("type").as_deref() == Some("submit") => {
                form.buttons.push(Button { label: of("value").unwrap_or_default(), field, action: of("formaction") });
            }
            "input" => form.fields.extend(field),
            "button" => {
                let label = after.split("</button").next().unwrap_or_default().trim();
                form.buttons.push(Button { label: plain(label), field, action: of("formaction") });
            }
            _ => {}
        }
        rest = after;
    }
    form
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}="))? + name.len() + 2;
    let value = &tag[start..];
    let text = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next()?,
        _ => value.split([' ', '/']).next()?,
    };
    Some(plain(text))
}

fn plain(text: &str) -> String {
    let entities =
        [("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&#38;", "&"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, meant)| text.replace(entity, meant))
}

#[test]
fn reads_a_form_like_a_browser() {
    let page = r#"<form method="get" action="/search"><input name=q></form>
        <form method="post" action="/auth/approve"><input type="hidden" name="csrf" value="a&amp;b">
        <button type="submit" name="go" value="1">Approve</button><button formaction='/auth/deny'>Deny</button></form>"#;
    let button = |label: &str, field: Option<(&str, &str)>, action: Option<&str>| Button {
        label: label.to_owned(),
        field: field.map(|(name, value)| (name.to_owned(), value.to_owned())),
        action: action.map(str::to_owned),
    };
    let forms = forms(page);
    assert_eq!(forms.len(), 2);
    assert_eq!(forms[0].fields, [("q".to_owned(), String::new())]);
    assert_eq!(forms[1].action, "/auth/approve");
    assert_eq!(forms[1].fields, [("csrf".to_owned(), "a&b".to_owned())]);
    assert_eq!(forms[1].buttons, [button("Approve", Some(("go", "1")), None), button("Deny", None, Some("/auth/deny"))]);
}
