//! The media type of a file, by its name alone, so that a bucket and our own read path cannot disagree.

/// The media type for a file name. Code and data have the types JSR gives them; what a page may embed has its registered type;
/// everything else is bytes. No charset: JSR sends none, and the text types mean UTF-8 to every client.
pub(super) fn of(file_name: &str) -> &'static str {
    let extension = file_name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    match extension.as_str() {
        "js" | "mjs" | "cjs" => "text/javascript",
        "jsx" => "text/jsx",
        "ts" | "mts" | "cts" => "text/typescript",
        "tsx" => "text/tsx",
        "json" | "map" => "application/json",
        "jsonc" => "application/jsonc",
        "json5" => "application/json5",
        "css" => "text/css",
        "html" | "htm" => "text/html",
        "md" | "markdown" => "text/markdown",
        "sql" => "application/sql",
        "wasm" => "application/wasm",
        "txt" => "text/plain",
        "xml" => "application/xml",
        "yaml" | "yml" => "application/yaml",
        "toml" => "application/toml",
        "csv" => "text/csv",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/vnd.microsoft.icon",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mp3" => "audio/mpeg",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}
