//! Service Fabric ("How to leverage a Service Fabric application's managed identity to access Azure services"): the only
//! platform whose endpoint speaks TLS. Its certificate is the node's own, which no authority vouches for; the platform says
//! which one it is by its SHA-1 thumbprint. The secret is sent only once that has been seen.

use super::answer::Answer;
use super::client::{address, Platform};
use super::patience::Manners;
use super::source::Fabric;
use crate::error::{Error, Kind, Result};
use crate::http;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper::header::{HeaderValue, ACCEPT, DATE, HOST};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use openssl::hash::MessageDigest;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode, SslVersion};
use std::pin::Pin;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;
use url::Url;
use zeroize::Zeroizing;

/// Bytes that an answer may have.
const LIMIT: usize = 1 << 20;

pub(super) async fn ask(platform: &Platform, fabric: &Fabric, resource: &str) -> Result<Answer> {
    let url = address(
        &fabric.host.endpoint,
        &[("api-version", "2020-05-01"), ("resource", resource)],
    )?;
    if url.scheme() != "https" {
        return Err(
            Error::invalid("Service Fabric's managed identity endpoint is not an https address")
                .advise("Check the variable IDENTITY_ENDPOINT: the cluster sets it."),
        );
    }
    let once = || async {
        tokio::time::timeout(platform.read_timeout(), exchange(platform, fabric, &url))
            .await
            .unwrap_or_else(|_| Err(silent(&url, "did not answer in time")))
    };
    platform.patiently(Manners::Other, once).await
}

async fn exchange(platform: &Platform, fabric: &Fabric, url: &Url) -> Result<Answer> {
    let stream = connect(platform, url).await?;
    let stream = handshake(stream, fabric, url).await?;
    let failed = |cause: hyper::Error| {
        Error::new(
            Kind::Network,
            format!("the connection to {} broke before it answered: {cause}", authority(url)),
        )
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let request = request(fabric, url)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(failed)?;
        read(response, url).await
    };
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        ended = connection => match ended {
            Ok(()) => answer.await,
            Err(cause) => Err(failed(cause)),
        },
    }
}

async fn connect(platform: &Platform, url: &Url) -> Result<TcpStream> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(443);
    match tokio::time::timeout(platform.connect_timeout(), TcpStream::connect((host, port))).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(cause)) => Err(Error::new(
            Kind::Network,
            format!("no connection to {}: {cause}", authority(url)),
        )),
        Err(_) => Err(silent(url, "could not be reached in time")),
    }
}

/// TLS with the certificate that the platform named, and with no other.
async fn handshake(stream: TcpStream, fabric: &Fabric, url: &Url) -> Result<SslStream<TcpStream>> {
    let failed = |cause: &dyn std::fmt::Display| {
        Error::new(
            Kind::Network,
            format!("no TLS connection to {}: {cause}", authority(url)),
        )
    };
    let mut context = SslContext::builder(SslMethod::tls_client()).map_err(|cause| failed(&cause))?;
    // What OpenSSL checks is the way to an authority; here the certificate itself is known.
    context.set_verify(SslVerifyMode::NONE);
    context
        .set_min_proto_version(Some(SslVersion::TLS1_2))
        .map_err(|cause| failed(&cause))?;
    let ssl = Ssl::new(&context.build()).map_err(|cause| failed(&cause))?;
    let mut stream = SslStream::new(ssl, stream).map_err(|cause| failed(&cause))?;
    Pin::new(&mut stream).connect().await.map_err(|cause| failed(&cause))?;
    let shown = stream
        .ssl()
        .peer_certificate()
        .and_then(|certificate| certificate.digest(MessageDigest::sha1()).ok())
        .map(|digest| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        .unwrap_or_default();
    let wanted: String = fabric
        .thumbprint
        .chars()
        .filter(char::is_ascii_hexdigit)
        .map(|digit| digit.to_ascii_lowercase())
        .collect();
    if shown.is_empty() || shown != wanted {
        return Err(Error::new(
            Kind::Network,
            format!("{} shows another certificate than the cluster named", authority(url)),
        )
        .advise("Nothing was sent. Check that the variables IDENTITY_ENDPOINT and IDENTITY_SERVER_THUMBPRINT are the cluster's own.")
        .permanent());
    }
    Ok(stream)
}

fn request(fabric: &Fabric, url: &Url) -> Result<Request<Empty<Bytes>>> {
    let mut secret = HeaderValue::from_str(fabric.host.header.expose())
        .map_err(|_| Error::invalid("the variable IDENTITY_HEADER holds characters that no header can hold"))?;
    secret.set_sensitive(true);
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    Request::get(path)
        .header(HOST, authority(url))
        .header(ACCEPT, "application/json")
        .header("secret", secret)
        .body(Empty::new())
        .map_err(|cause| Error::internal(format!("the request could not be made: {cause}")))
}

async fn read(response: Response<hyper::body::Incoming>, url: &Url) -> Result<Answer> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, LIMIT).collect().await.map_err(|cause| {
        Error::new(
            Kind::Network,
            format!("the answer of {} did not come whole: {cause}", authority(url)),
        )
    })?;
    Ok(Answer {
        status: parts.status.as_u16(),
        body: Zeroizing::new(body.to_bytes().to_vec()),
        retry_after: http::retry_after(&parts.headers),
        server_time: parts
            .headers
            .get(DATE)
            .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok()),
        challenge: None,
        authority: authority(url).to_owned(),
    })
}

fn authority(url: &Url) -> &str {
    &url[url::Position::BeforeHost..url::Position::AfterPort]
}

#[cold]
fn silent(url: &Url, what: &str) -> Error {
    Error::new(Kind::Timeout, format!("{} {what}", authority(url)))
}
