//! The listener that the browser comes back to: this machine's loopback addresses, one answer, then it is gone (RFC 8252,
//! section 7.3).
//!
//! Nothing here is a task of its own: the sockets and connections belong to the future of [`Hall::serve`], so that the port
//! is free as soon as that is dropped.

use super::outcome::SignedIn;
use super::page::{self, Page, HEADERS};
use super::response::{self, Response};
use crate::error::{Error, Kind, Result};
use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue, CONNECTION, HOST, LOCATION};
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io::ErrorKind;
use std::iter::repeat_n;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{watch, Notify};

/// Connections at a time; a browser needs two or three.
const CONNECTIONS: usize = 16;
/// An answer is a few kilobytes.
const LARGEST_BODY: usize = 64 << 10;
const HEADER_TIME: Duration = Duration::from_secs(10);
/// Free ports are looked for this often where the other address family has them in use.
const TRIES: usize = 20;

/// The clean address that the browser is left at.
const LAST_PATH: &str = "/signed-in";

pub(super) struct Listener {
    sockets: Vec<TcpListener>,
    port: u16,
}

impl Listener {
    /// Binds 127.0.0.1 and ::1, which `localhost` may mean either of, on one port; 0 for any free one. Where a `last` is
    /// given, the first free one up to it. A machine without IPv6 is served on 127.0.0.1 alone.
    pub(super) async fn bind(port: u16, last: Option<u16>) -> Result<Self> {
        let last = last.unwrap_or(port).max(port);
        let mut trouble = std::io::Error::from(ErrorKind::AddrInUse);
        for candidate in (port..=last).flat_map(|port| repeat_n(port, if port == 0 { TRIES } else { 1 })) {
            match Listener::bind_both(candidate).await {
                Ok(listener) => return Ok(listener),
                Err(cause) => trouble = cause,
            }
        }
        let which = match port == last {
            true => format!("port {port} of this machine cannot be listened at"),
            false => format!("none of the ports {port} to {last} of this machine can be listened at"),
        };
        Err(Error::new(Kind::InvalidInput, format!("{which}: {trouble}"))
            .advise("Choose another port with -Port, leave -Port out for any free one, or use -UseDeviceCode."))
    }

    async fn bind_both(port: u16) -> std::io::Result<Self> {
        let first = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        let port = first.local_addr()?.port();
        match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await {
            Ok(second) => Ok(Listener {
                sockets: vec![first, second],
                port,
            }),
            Err(cause) if cause.kind() == ErrorKind::AddrInUse => Err(cause),
            Err(_) => Ok(Listener {
                sockets: vec![first],
                port,
            }),
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

/// Where one sign-in's answer is waited for.
pub(super) struct Hall {
    listener: Listener,
    path: String,
    state: String,
    stage: watch::Sender<Stage>,
    strays: watch::Sender<u64>,
    seen: Notify,
}

enum Stage {
    Waiting,
    Answered(Response),
    /// The last page, as its status and its bytes.
    Over(StatusCode, Bytes),
}

/// What came.
pub(super) enum Arrival {
    /// The answer of this sign-in.
    Response(Response),
    /// So many answers of other sign-ins by now.
    Stray(u64),
}

type Answer = hyper::Response<Full<Bytes>>;

impl Hall {
    pub(super) fn new(listener: Listener, path: &str, state: &str) -> Self {
        Hall {
            listener,
            path: path.to_owned(),
            state: state.to_owned(),
            stage: watch::Sender::new(Stage::Waiting),
            strays: watch::Sender::new(0),
            seen: Notify::new(),
        }
    }

    /// Serves until it is dropped.
    pub(super) async fn serve(&self) {
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                stream = self.accept(), if connections.len() < CONNECTIONS => {
                    if let Some(stream) = stream {
                        connections.push(self.connection(stream));
                    }
                }
                Some(()) = connections.next() => {}
            }
        }
    }

    /// The next answer, of this sign-in or, beyond `strays`, of another.
    pub(super) async fn next(&self, strays: u64) -> Arrival {
        let mut stage = self.stage.subscribe();
        let mut count = self.strays.subscribe();
        tokio::select! {
            biased;
            Ok(answered) = stage.wait_for(|stage| matches!(stage, Stage::Answered(_))) => match &*answered {
                Stage::Answered(response) => Arrival::Response(response.clone()),
                _ => Arrival::Stray(strays),
            },
            Ok(now) = count.wait_for(|now| *now > strays) => Arrival::Stray(*now),
            else => Arrival::Stray(strays),
        }
    }

    /// Lets the browser know how it ended.
    pub(super) fn show(&self, result: &Result<SignedIn>) {
        let page = match result {
            Ok(signed_in) => page::signed_in(signed_in.account.as_deref()),
            Err(error) => page::failed(error),
        };
        self.stage
            .send_replace(Stage::Over(status(page.status), Bytes::from(page.html)));
    }

    /// Waits until the browser has fetched the last page.
    pub(super) async fn seen(&self) {
        self.seen.notified().await;
    }

    async fn accept(&self) -> Option<TcpStream> {
        let mut sockets = self.listener.sockets.iter();
        let accepted = match (sockets.next(), sockets.next()) {
            (Some(first), Some(second)) => tokio::select! {
                accepted = first.accept() => accepted,
                accepted = second.accept() => accepted,
            },
            (Some(only), None) => only.accept().await,
            _ => std::future::pending().await,
        };
        match accepted {
            Ok((stream, _)) => Some(stream),
            Err(_) => {
                // Out of descriptors, most likely: those in use will come back.
                tokio::time::sleep(Duration::from_millis(50)).await;
                None
            }
        }
    }

    async fn connection(&self, stream: TcpStream) {
        let last = std::sync::atomic::AtomicBool::new(false);
        let served = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .keep_alive(false)
            .serve_connection(
                TokioIo::new(stream),
                service_fn(|request| async {
                    let (answer, is_last) = self.answer(request).await;
                    last.fetch_or(is_last, std::sync::atomic::Ordering::Relaxed);
                    Ok::<_, Infallible>(answer)
                }),
            )
            .await;
        // Only once it is on its way: whoever waits for this closes the port.
        if served.is_ok() && last.into_inner() {
            self.seen.notify_one();
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> (Answer, bool) {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        if !host.is_some_and(|host| self.is_own(host)) {
            return (answer(page::nothing()), false);
        }
        let (parts, body) = request.into_parts();
        if parts.method == Method::GET && parts.uri.path() == LAST_PATH && parts.uri.query().is_none() {
            return match &*self.stage.borrow() {
                Stage::Over(status, html) => (reply(*status, html.clone()), true),
                _ => (answer(page::nothing()), false),
            };
        }
        if parts.uri.path() != self.path {
            return (answer(page::nothing()), false);
        }
        let parameters = match parts.method {
            Method::GET => parts.uri.query().map(str::to_owned),
            Method::POST => match Limited::new(body, LARGEST_BODY).collect().await {
                Ok(body) => String::from_utf8(body.to_bytes().to_vec()).ok(),
                Err(_) => None,
            },
            _ => None,
        };
        let Some((state, response)) = parameters.as_deref().and_then(response::read) else {
            return (answer(page::nothing()), false);
        };
        if !same(&state, &self.state) {
            self.strays.send_modify(|strays| *strays += 1);
            return (answer(page::foreign()), false);
        }
        self.stage.send_if_modified(|stage| {
            let first = matches!(stage, Stage::Waiting);
            if first {
                *stage = Stage::Answered(response);
            }
            first
        });
        let mut stage = self.stage.subscribe();
        // The sender lives as long as this.
        let _ = stage.wait_for(|stage| matches!(stage, Stage::Over(..))).await;
        // A clean address: what the answer held is in neither the history nor a reload.
        let mut redirect = reply(StatusCode::SEE_OTHER, Bytes::new());
        redirect
            .headers_mut()
            .insert(LOCATION, HeaderValue::from_static(LAST_PATH));
        (redirect, false)
    }

    /// A page elsewhere can make a browser ask a name of its own choice here.
    fn is_own(&self, host: &str) -> bool {
        let port = self.listener.port;
        ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| {
            host.eq_ignore_ascii_case(&format!("{name}:{port}")) || (port == 80 && host.eq_ignore_ascii_case(name))
        })
    }
}

/// Compares without telling by its time where the texts differ.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && openssl::memcmp::eq(a.as_bytes(), b.as_bytes())
}

fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::OK)
}

fn answer(page: Page) -> Answer {
    reply(status(page.status), Bytes::from(page.html))
}

fn reply(status: StatusCode, body: Bytes) -> Answer {
    let mut reply = hyper::Response::new(Full::new(body));
    *reply.status_mut() = status;
    for (name, value) in HEADERS {
        reply
            .headers_mut()
            .insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    reply
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}
