//! HTTPS, and HTTP where a machine talks to itself: accepts connections, reads requests, applies faults and sends replies.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderValue, DATE};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use openssl::ssl::{Ssl, SslAcceptor};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_openssl::SslStream;

use crate::control;
use crate::fault::{Action, Stage};
use crate::reply::{self, Call, Reply, ReplyBody};
use crate::route::{self, Service};
use crate::world::World;

const LARGEST_REQUEST: usize = 4 << 20;
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// Serves one service until its task is dropped; without an acceptor over plain HTTP.
pub(crate) async fn run(world: Arc<World>, service: Service, listener: TcpListener, acceptor: Option<SslAcceptor>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(world.clone(), service, stream, acceptor.clone()));
            }
            // Out of descriptors, most likely: those in use will come back.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(world: Arc<World>, service: Service, stream: TcpStream, acceptor: Option<SslAcceptor>) {
    let _counted = world.stats.connection();
    // Failing to switch Nagle's algorithm off costs time, not correctness.
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = acceptor else {
        return exchange(&world, service, stream).await;
    };
    let Ok(mut stream) = Ssl::new(acceptor.context()).and_then(|ssl| SslStream::new(ssl, stream)) else {
        return;
    };
    if let Ok(Ok(())) = tokio::time::timeout(HANDSHAKE_TIME, Pin::new(&mut stream).accept()).await {
        exchange(&world, service, stream).await;
    }
}

/// Answers a connection's requests until it ends.
async fn exchange<S>(world: &Arc<World>, service: Service, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let abort = Arc::new(Notify::new());
    let handler = {
        let (world, abort) = (world.clone(), abort.clone());
        service_fn(move |request| handle(world.clone(), service, request, abort.clone()))
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(1000);
    // Header names have no fixed case on HTTP/1.1: 'nextpageuri' on one connection, 'Nextpageuri' on the next.
    builder.http1().title_case_headers(world.random().below(2) == 0);
    let serving = builder.serve_connection(TokioIo::new(stream), handler);
    tokio::select! {
        // A client that goes away is its own business.
        _ = serving => {}
        () = abort.notified() => {}
    }
}

async fn handle(
    world: Arc<World>,
    service: Service,
    request: Request<Incoming>,
    abort: Arc<Notify>,
) -> Result<Response<ReplyBody>, Infallible> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST_REQUEST).collect().await else {
        return Ok(finish(
            &world,
            reply::reply(413, "text/plain", "The request is too large.\r\n"),
            ReplyBody::whole,
        ));
    };
    let call = Call {
        service,
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: body.to_bytes(),
    };
    if call.path.starts_with("/sandbox/") {
        let reply = control::serve(&world, &call).await;
        world.secrets.see_reply(&call, &reply);
        return Ok(finish(&world, reply, ReplyBody::whole));
    }
    world.secrets.see_call(&call);
    let label = route::label(&world, &call);
    let _counted = world.stats.request(label.route.clone());
    let fault = world.faults.take(&call, &label);
    if !world.options.latency.is_zero() {
        tokio::time::sleep(world.options.latency).await;
    }
    let Some((id, action)) = fault else {
        return Ok(finish(&world, serve(&world, &call), ReplyBody::whole));
    };
    if let Some(instead) = action.instead(&call) {
        return Ok(finish(&world, instead, ReplyBody::whole));
    }
    match action {
        Action::Reset => {
            abort.notify_one();
            std::future::pending::<()>().await;
        }
        Action::Delay { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
        Action::Hold {
            stage: Stage::BeforeHeaders,
        } => world.holds.join(&id).released().await,
        Action::Hold { stage } => {
            let gate: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(world.holds.join(&id).released());
            return Ok(finish(&world, serve(&world, &call), |body| {
                let at = if stage == Stage::MidBody { body.len() / 2 } else { 0 };
                ReplyBody::gated(body, at, gate)
            }));
        }
        Action::Truncate { bytes, close } => {
            return Ok(finish(&world, serve(&world, &call), |body| {
                ReplyBody::cut(body, bytes, close)
            }));
        }
        Action::Status { .. } | Action::Html { .. } | Action::Garbage { .. } | Action::FeedError { .. } => {}
    }
    Ok(finish(&world, serve(&world, &call), ReplyBody::whole))
}

fn serve(world: &World, call: &Call) -> Reply {
    let reply = route::serve(world, call);
    world.secrets.see_reply(call, &reply);
    reply
}

fn finish(world: &World, reply: Reply, body: impl FnOnce(bytes::Bytes) -> ReplyBody) -> Response<ReplyBody> {
    let (mut parts, bytes) = reply.into_parts();
    if let Ok(date) = HeaderValue::from_str(&crate::clock::http_date(world.clock.now())) {
        parts.headers.insert(DATE, date);
    }
    if parts.status == StatusCode::NO_CONTENT {
        parts.headers.remove(http::header::CONTENT_TYPE);
    }
    Response::from_parts(parts, body(bytes))
}
