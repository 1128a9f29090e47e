//! `audit/{contentId}`: the records of a blob.

use std::io::Write;

use flate2::write::GzEncoder;
use flate2::Compression;

use crate::estate::Tenant;
use crate::reply::{self, Call, Reply};
use crate::world::{lock, World};

use super::error::FeedError;
use super::plan::{ContentType, Plan};

pub(super) fn serve(world: &World, call: &Call, tenant: &Tenant, id: &str) -> Result<Reply, FeedError> {
    // Clients may escape the '$' or not.
    let id = url::form_urlencoded::parse(format!("id={}", id.replace('+', "%2B")).as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    let invalid = || FeedError::new("AF20052", format!("Content ID {id} in the URL is invalid."));
    if !id.contains("$audit_") || !id.is_ascii() || id.len() < 60 {
        return Err(invalid());
    }
    let plans = world.feed.plans(world, tenant);
    let named = |plan: &&Plan| {
        let name = plan.content.name().replace('.', "_");
        plan.content != ContentType::Dlp && id.contains(&format!("${name}"))
    };
    let plan = plans.iter().find(named).ok_or_else(invalid)?;
    let blob = plan
        .find_blob(&id)
        .filter(|blob| plan.created(*blob) <= world.clock.now_ms())
        .ok_or_else(|| FeedError::new("AF20050", format!("The specified content ({id}) does not exist.")))?;
    let options = world.feed.options();
    if plan.expiration(blob, options.expiration_days).0 <= world.clock.now_ms() {
        return Err(FeedError::new(
            "AF20051",
            format!(
                "Content requested with the key {id} has already expired. Content older than 7 days cannot be retrieved."
            ),
        ));
    }
    let mut entries = plan.entries(blob);
    if plan.grows(blob) {
        let fetches = {
            let mut fetches = lock(&world.feed.fetches);
            let count = fetches.entry((tenant.id.clone(), id)).or_default();
            *count += 1;
            *count
        };
        let age_ms = world.clock.now_ms() - plan.created(blob);
        if fetches == 1 || age_ms < i64::from(options.grow_seconds) * 1000 {
            entries.truncate(entries.len() * 3 / 5);
        }
    }
    let writer = world.feed.writer(plan, tenant);
    let mut body = Vec::with_capacity(entries.len() * 1700 + 16);
    body.push(b'[');
    for (at, entry) in entries.into_iter().enumerate() {
        if at > 0 {
            // Some blobs come with a line per record, most without any white space.
            body.extend_from_slice(if plan.key % 4 == 1 { b",\r\n" } else { b"," });
        }
        writer.write(entry, &mut body);
    }
    body.push(b']');
    Ok(compressed(
        world,
        call,
        reply::reply(200, "application/json; charset=utf-8", body),
    ))
}

/// Compresses a reply when the client accepts gzip.
pub(super) fn compressed(world: &World, call: &Call, reply: Reply) -> Reply {
    let accepted = call
        .header("accept-encoding")
        .is_some_and(|value| value.to_ascii_lowercase().contains("gzip"));
    if !accepted || !world.feed.options().gzip || reply.body().len() < 1024 {
        return reply;
    }
    let (parts, body) = reply.into_parts();
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 6), Compression::fast());
    let whole = encoder.write_all(&body).and_then(|()| encoder.finish());
    // Writing to memory does not fail; if it did, the reply goes out as it is.
    let Ok(whole) = whole else {
        return Reply::from_parts(parts, body);
    };
    let mut reply = Reply::from_parts(parts, whole.into());
    reply::set(&mut reply, http::header::CONTENT_ENCODING, "gzip");
    reply::set(&mut reply, http::header::VARY, "Accept-Encoding");
    reply
}
