//! HTTP as clients speak it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer, whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    pub status: u16,
    /// Header names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Sends bytes as they are on a connection of their own, and reads the answer to its end.
pub fn exchange(address: SocketAddr, request: &[u8]) -> Reply {
    try_exchange(address, request).expect("an answer")
}

/// Sends any request with these headers on a connection of its own.
pub fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let mut out = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method == "POST" {
        out.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend(body);
    exchange(address, &out)
}

/// As [`exchange`]; `None` if the connection ends without a complete answer.
pub fn try_exchange(address: SocketAddr, request: &[u8]) -> Option<Reply> {
    exchange_on(TcpStream::connect(address).ok()?, request)
}

/// As [`try_exchange`], on a connection that is open.
pub fn exchange_on(mut stream: TcpStream, request: &[u8]) -> Option<Reply> {
    stream
        .set_read_timeout(Some(Duration::from_secs(120)))
        .unwrap();
    // A server may answer, and close, before it has read everything.
    let _early = stream.write_all(request);
    let mut bytes = Vec::new();
    let _end = stream.read_to_end(&mut bytes);
    parse(&bytes)
}

/// Reads an answer; `None` unless it is complete.
pub fn parse(bytes: &[u8]) -> Option<Reply> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = bytes[end + 4..].to_vec();
    if headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked")
    {
        body = chunks(&body)?;
    }
    let body = String::from_utf8(body).ok()?;
    let length: Option<usize> = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map(|(_, value)| value.parse().unwrap());
    if length.is_some_and(|length| length != body.len()) {
        return None;
    }
    Some(Reply {
        status,
        headers,
        body,
    })
}

/// Puts chunks together; `None` without the one that says that it is the last.
fn chunks(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let end = bytes.windows(2).position(|window| window == b"\r\n")?;
        let length = std::str::from_utf8(&bytes[..end]).ok()?;
        let length = usize::from_str_radix(length, 16).ok()?;
        let chunk = bytes.get(end + 2..end + 2 + length)?;
        bytes = bytes.get(end + 2 + length..)?.strip_prefix(b"\r\n")?;
        if length == 0 {
            return bytes.is_empty().then_some(out);
        }
        out.extend_from_slice(chunk);
    }
}

/// How a form travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    Urlencoded,
    Multipart,
    Query,
}

/// The bytes of a form request.
pub fn request(
    path: &str,
    encoding: Encoding,
    headers: &[(String, String)],
    fields: &[(String, String)],
) -> Vec<u8> {
    let urlencoded = || serde_urlencoded::to_string(fields).unwrap();
    let (line, content_type, body) = match encoding {
        Encoding::Query => (format!("GET {path}?{}", urlencoded()), None, Vec::new()),
        Encoding::Urlencoded => (
            format!("POST {path}"),
            Some("application/x-www-form-urlencoded".to_owned()),
            urlencoded().into_bytes(),
        ),
        Encoding::Multipart => {
            let boundary = "------------------------d74496d66958873e";
            return multipart(path, boundary, headers, fields);
        }
    };
    bytes(&line, headers, content_type, body)
}

/// The bytes of a form request with this boundary.
pub fn multipart(
    path: &str,
    boundary: &str,
    headers: &[(String, String)],
    fields: &[(String, String)],
) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        write!(
            body,
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
        .unwrap();
    }
    write!(body, "--{boundary}--\r\n").unwrap();
    let content_type = format!("multipart/form-data; boundary={boundary}");
    bytes(&format!("POST {path}"), headers, Some(content_type), body)
}

fn bytes(
    line: &str,
    headers: &[(String, String)],
    content_type: Option<String>,
    body: Vec<u8>,
) -> Vec<u8> {
    let mut out = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(content_type) = content_type {
        out.push_str(&format!(
            "Content-Type: {content_type}\r\nContent-Length: {}\r\n",
            body.len()
        ));
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend(body);
    out
}
