//! Azure Arc-enabled servers: a caller proves that it may read a file which only the machine's administrators can read.
//! The first request is refused with the file's path; the second one carries what is in it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;

use http::header::WWW_AUTHENTICATE;

use crate::reply::{self, Call, Reply};
use crate::world::{lock, World};

use super::identity::Named;
use super::imds;

const VERSIONS: [&str; 3] = ["2019-11-01", "2020-06-01", "2021-02-01"];

/// Key files by what is in them; each is good for one request.
#[derive(Default)]
pub(super) struct Keys(Mutex<HashMap<String, PathBuf>>);

pub(super) fn serve(world: &World, call: &Call) -> Reply {
    let resource = match imds::checked(call, &VERSIONS) {
        Ok(resource) => resource,
        Err(refused) => return refused.reply(),
    };
    // Servers outside of Azure have a system-assigned identity and no other.
    if ["client_id", "object_id", "msi_res_id", "mi_res_id"]
        .iter()
        .any(|name| call.parameter(name).is_some())
    {
        return imds::refused(
            400,
            "invalid_request",
            "Only the system-assigned identity is supported.",
        );
    }
    let Some(sent) = call.header("authorization") else {
        return challenge(world);
    };
    let key = sent.strip_prefix("Basic ").unwrap_or_default();
    let file = lock(&world.platform.keys.0).remove(key);
    match file {
        Some(file) => {
            // The agent removes them some time later.
            let _ = std::fs::remove_file(file);
            imds::answer(world, &resource, &Named::default())
        }
        None => imds::refused(401, "unauthorized_client", "The authorization key is invalid."),
    }
}

fn challenge(world: &World) -> Reply {
    let (name, key) = (world.random().guid(), world.random().secret(64));
    let path = world.platform.key_folder().join(format!("{name}.key"));
    if let Err(cause) = std::fs::write(&path, &key) {
        return imds::refused(500, "unknown", &format!("The key file cannot be written: {cause}"));
    }
    lock(&world.platform.keys.0).insert(key, path.clone());
    let named = world.platform.settings.realm().unwrap_or(path);
    let mut reply = imds::refused(401, "unauthorized_client", "Missing Basic Authorization header");
    reply::set(
        &mut reply,
        WWW_AUTHENTICATE,
        &format!("Basic realm={}", named.display()),
    );
    reply
}
