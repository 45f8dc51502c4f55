//! HTTP: every route in one table, limits of a connection, starting and stopping.
//!
//! Belongs here: what is between a socket and a dialect. Does not belong here: what a request means. The program and
//! the tests run this same server.

mod json;
mod receive;

use crate::api15::{self, Answer, Incoming, Rest, Service};
use crate::config::Settings;
use crate::error::{Code, Problem};
use crate::outbox::{Outbox, Outside};
use crate::posting::Poster;
use crate::posting::directory::Directory;
use crate::secrets::ServerKey;
use crate::store::connect::Readers;
use crate::{sales_v4, sync_data};
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::ServerHandle;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use actix_web::http::{Method, StatusCode, Version};
use actix_web::rt::signal::unix::{SignalKind, signal};
use actix_web::web::{self, Bytes, Data, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpResponseBuilder, HttpServer};
use receive::{Held, Room, TOO_LARGE_PATIENCE, declared_length, receive};
#[cfg(target_os = "linux")]
use socket2::SockRef;
use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Whether API 1.5 is served at a path: at the root, and wherever a path ends in `/api.php`, as vanity domains have it.
/// Compared by hand: a pattern costs as much as the reading of the request.
fn is_api15(path: &str) -> bool {
    path == "/" || path.ends_with("/api.php")
}

fn routes(config: &mut web::ServiceConfig) {
    config.default_service(web::to(by_path));
}

async fn by_path(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    if !is_api15(request.path()) {
        let answer = json::answer(&request, payload, &state).await;
        answer.unwrap_or_else(|| HttpResponse::NotFound().finish())
    } else if matches!(*request.method(), Method::GET | Method::POST) {
        api15_request(request, payload, state).await
    } else {
        HttpResponse::MethodNotAllowed()
            .insert_header((ALLOW, "GET, POST"))
            .finish()
    }
}

/// What is served, and how much time bodies and answers may take.
struct State {
    service: Service,
    sync_data: sync_data::Service,
    sales_v4: sales_v4::Service,
    max_json_body_bytes: usize,
    body_timeout: Duration,
    reply_timeout: Duration,
    room: Arc<Room>,
}

/// A server that takes requests.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    handle: ServerHandle,
    thread: JoinHandle<std::io::Result<()>>,
    poster: Arc<Poster>,
    outbox: Outbox,
}

/// Starts a server and returns once it takes requests. It ends by SIGTERM or SIGINT, or by [`Running::stop`].
pub fn start(settings: &Settings, key: ServerKey) -> Result<Running, Box<dyn Error + Send + Sync>> {
    start_with(settings, key, Outside::system())
}

/// As [`start`], with an outside of one's own.
pub fn start_with(
    settings: &Settings,
    key: ServerKey,
    outside: Outside,
) -> Result<Running, Box<dyn Error + Send + Sync>> {
    let readers = u32::try_from(settings.reader_connections).unwrap_or(u32::MAX);
    let readers = Readers::new(
        &settings.database_url,
        readers,
        Duration::from_millis(settings.queue_timeout_ms),
    )?;
    let directory = Arc::new(Directory::load(readers)?);
    let poster = Arc::new(Poster::start(settings, &directory)?);
    keep(&directory, &poster, settings)?;
    let listener = TcpListener::bind(settings.listen).map_err(|error| {
        format!(
            "listening on {} failed: {error}. Choose another address with --listen.",
            settings.listen
        )
    })?;
    let address = listener.local_addr()?;
    let reply_timeout = Duration::from_millis(settings.reply_timeout_ms);
    // Connections inherit it: the kernel cuts off a client that takes nothing of what was sent to it for so long.
    #[cfg(target_os = "linux")]
    if let Err(error) = SockRef::from(&listener).set_tcp_user_timeout(Some(reply_timeout)) {
        tracing::warn!(
            "clients that stop reading are kept: TCP_USER_TIMEOUT could not be set: {error}"
        );
    }
    let state = Data::new(State {
        sync_data: sync_data::Service::new(
            settings,
            key.clone(),
            Arc::clone(&directory),
            Arc::clone(&poster),
            Arc::clone(&outside.names),
        ),
        sales_v4: sales_v4::Service::new(
            settings,
            key.clone(),
            Arc::clone(&directory),
            Arc::clone(&poster),
        ),
        max_json_body_bytes: settings.max_json_body_bytes,
        service: Service::new(
            settings,
            key.clone(),
            Arc::clone(&directory),
            Arc::clone(&poster),
        ),
        body_timeout: Duration::from_millis(settings.body_timeout_ms),
        reply_timeout,
        room: Room::new(settings.queue_bytes),
    });
    let limits = settings.clone();
    let (ready, started) = std::sync::mpsc::channel();
    // The server is made on its own thread, because it cannot be moved between threads.
    let thread = std::thread::Builder::new()
        .name("http".to_owned())
        .spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                // Listened to before anybody is told that the server is ready: a signal must never find nobody.
                let mut terminate = signal(SignalKind::terminate())?;
                let mut interrupt = signal(SignalKind::interrupt())?;
                let server =
                    HttpServer::new(move || App::new().app_data(state.clone()).configure(routes))
                        .workers(limits.http_workers)
                        .keep_alive(Duration::from_secs(limits.keep_alive_s))
                        .client_request_timeout(Duration::from_millis(limits.client_timeout_ms))
                        .max_connections(
                            limits.max_connections.div_ceil(limits.http_workers.max(1)),
                        )
                        .shutdown_timeout(limits.shutdown_timeout_s)
                        // A client that hangs up while its request waits is noticed, and the request dropped.
                        .h1_allow_half_closed(false)
                        .disable_signals()
                        .listen(listener)?
                        .run();
                let handle = server.handle();
                let _gone = ready.send(handle.clone());
                actix_web::rt::spawn(async move {
                    tokio::select! {
                        _ = terminate.recv() => {}
                        _ = interrupt.recv() => {}
                    }
                    tracing::info!("stopping: requests that were accepted are finished");
                    handle.stop(true).await;
                });
                server.await
            })
        })?;
    let Ok(handle) = started.recv() else {
        // The thread ended before it listened: it knows why.
        let ended = thread
            .join()
            .unwrap_or_else(|_| Err(std::io::Error::other("it met a defect")));
        poster.stop();
        return Err(ended
            .err()
            .map_or_else(|| "the server ended at once".into(), Into::into));
    };
    let outbox = match Outbox::start(settings, key, directory, Arc::clone(&poster), outside) {
        Ok(outbox) => outbox,
        Err(error) => {
            drop(handle.stop(false));
            let _ended = thread.join();
            poster.stop();
            return Err(error.into());
        }
    };
    Ok(Running {
        address,
        handle,
        thread,
        poster,
        outbox,
    })
}

impl Running {
    /// Waits until the server has ended: by a signal, or because [`Running::stop`] was called. Requests that were
    /// accepted have been answered by then, and everything that was taken is written.
    pub fn wait(self) -> std::io::Result<()> {
        let ended = self
            .thread
            .join()
            .unwrap_or_else(|_| Err(std::io::Error::other("the server ended with a panic")));
        // The worker writes too: it ends before the writers do.
        self.outbox.stop();
        self.poster.stop();
        ended
    }

    /// Stops taking requests, finishes those that were accepted, and ends.
    pub fn stop(self) -> std::io::Result<()> {
        // The future only sends the order; the server's own thread carries it out.
        drop(self.handle.stop(true));
        self.wait()
    }
}

/// Keeps the directory no older than `max_age`, and watches that the database file is still the one that was opened,
/// as long as somebody uses the directory.
fn keep(
    directory: &Arc<Directory>,
    poster: &Arc<Poster>,
    settings: &Settings,
) -> std::io::Result<()> {
    let watched: (Weak<Directory>, Weak<Poster>) =
        (Arc::downgrade(directory), Arc::downgrade(poster));
    // Reading takes a little; half the age leaves room for it.
    let pause =
        (Duration::from_millis(settings.config_max_age_ms) / 2).max(Duration::from_millis(5));
    let file = settings
        .database_url
        .sqlite_path()
        .map(|path| (path.to_owned(), identity(path)));
    std::thread::Builder::new().name("keeper".to_owned()).spawn(move || {
        let mut failing = false;
        loop {
            std::thread::sleep(pause);
            let (Some(directory), Some(poster)) = (watched.0.upgrade(), watched.1.upgrade()) else { return };
            let gone = file.as_ref().is_some_and(|(path, opened)| identity(path) != *opened);
            poster.halt(gone);
            let problem = if gone {
                // What is posted into a file without a name is lost at the end of the process.
                Some("the database file was deleted or replaced: stop the server and put it back".to_owned())
            } else {
                directory.refresh().err().map(|cause| format!("the configuration could not be read again: {cause}"))
            };
            // Once for each time it begins, not twice a second.
            if let Some(problem) = &problem
                && !failing
            {
                tracing::error!("{problem}");
            }
            failing = problem.is_some();
        }
    })?;
    Ok(())
}

/// What tells a file from another of the same name; `None` if there is none.
fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path)
        .ok()
        .map(|file| (file.dev(), file.ino()))
}

async fn api15_request(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let service = &state.service;
    let mut held = Held::new(&state.room);
    let mut body = Vec::new();
    let max = service.limits.max_body_bytes;
    let declared = declared_length(&request);
    // Of a body that is too large by its own word not much has to come.
    let (patience, otherwise) = if declared > max {
        let too_large = Problem::new(Code::BodyTooLarge).detail(max);
        (state.body_timeout.min(TOO_LARGE_PATIENCE), too_large)
    } else {
        (state.body_timeout, Problem::new(Code::BodyCutShort))
    };
    let receive = receive(declared, payload, max, &mut held, &mut body);
    let arrived = tokio::time::timeout(patience, receive)
        .await
        .unwrap_or(Err(otherwise));
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    // One that is no text is still the one that counts.
    let text = |name: &str| {
        let value = request.headers().get(name)?;
        Some(value.to_str().unwrap_or(""))
    };
    // Some proxies add a line of their own instead of adding to the one that is there.
    let forwarded: Vec<&str> = request
        .headers()
        .get_all("x-forwarded-for")
        .map(|value| value.to_str().unwrap_or(""))
        .collect();
    let incoming = Incoming {
        query: request.query_string(),
        content_type: header(CONTENT_TYPE.as_str()),
        // Some proxies drop names with an underscore, so the other spelling is taken as well.
        header_key: text("api_access_key").or_else(|| text("api-access-key")),
        idempotency_key: text("idempotency-key"),
        address: request.peer_addr().map(|peer| peer.ip()),
        forwarded: &forwarded,
        body,
    };
    let (answer, close) = match arrived {
        Ok(()) => (api15::answer(service, incoming).await, false),
        Err(problem) => (api15::refuse(&incoming, problem), true),
    };
    let mut response = respond(&answer);
    if close {
        // What is left of the body would be taken for the next request.
        response.force_close();
    }
    let Some(rest) = answer.rest else {
        return response.body(answer.body);
    };
    // Before HTTP 1.1 there are no chunks: the end of the connection is the end of the answer.
    let chunks = request.version() >= Version::HTTP_11;
    if !chunks {
        response.force_close();
    }
    let mut response = response.body(Sending {
        first: Some(answer.body),
        rest,
        paused: true,
        until: Instant::now() + state.reply_timeout,
        _held: held,
    });
    response.head_mut().no_chunking(!chunks);
    response.map_into_boxed_body()
}

fn respond(answer: &Answer) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    response
        .insert_header((CONTENT_TYPE, answer.content_type))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Content-Type-Options", "nosniff"));
    if let Some(seconds) = answer.retry {
        response.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    if answer.repeated {
        response.insert_header(("Idempotent-Replayed", "true"));
    }
    response
}

/// A long answer on its way: each piece is rendered when the one before it has gone to the kernel.
struct Sending {
    first: Option<Vec<u8>>,
    rest: Rest,
    /// Whether others had their turn since the last piece.
    paused: bool,
    until: Instant,
    _held: Held,
}

impl MessageBody for Sending {
    type Error = &'static str;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    /// An error ends the connection at once, without the mark of the last chunk: what came looks cut off, never whole.
    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        if Instant::now() > this.until {
            return Poll::Ready(Some(Err("the client takes its answer too slowly")));
        }
        this.paused = !this.paused;
        if this.paused {
            // A client that is quick must not keep this thread from the others.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(Bytes::from(first))));
        }
        match &mut this.rest {
            Rest::Pieces(pieces) => Poll::Ready(pieces.next().map(|piece| Ok(Bytes::from(piece)))),
            Rest::Feeding(feeding) => feeding.poll(context).map(|piece| {
                piece.map(|piece| {
                    piece.map(Bytes::from).map_err(|problem| {
                        tracing::error!("a long answer was cut off: {}", problem.text());
                        "what was left of the answer could not be read"
                    })
                })
            }),
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if self.rest.is_left() {
            tracing::info!("a long answer was cut off: its client was gone or too slow");
        }
    }
}
