//! The names of applications in one tenant, each looked up once.

use super::{first_party, Directory};
use crate::engine::Engine;
use crate::error::Error;
use crate::token::TokenRequest;
use std::collections::HashMap;
use std::sync::Arc;

/// Ids whose names are kept; with more, the names begin anew.
const MOST_KEPT: usize = 100_000;

pub(crate) struct Names {
    engine: Arc<Engine>,
    token: TokenRequest,
    /// Signed in to when the first id is not in the table.
    directory: Option<Directory>,
    /// `None` for what has no name here.
    known: HashMap<String, Option<Arc<str>>>,
    /// Why not every id could be looked up.
    trouble: Option<Error>,
}

impl Names {
    /// `token` is for the tenant's Microsoft Graph.
    pub(crate) fn new(engine: &Arc<Engine>, token: TokenRequest) -> Self {
        Names {
            engine: Arc::clone(engine),
            token,
            directory: None,
            known: HashMap::new(),
            trouble: None,
        }
    }

    /// Looks up those of the ids (GUIDs in lower case) that are not known yet.
    pub(crate) async fn learn(&mut self, ids: Vec<String>) {
        if self.known.len() > MOST_KEPT {
            self.known.clear();
        }
        let mut new: Vec<String> = ids.into_iter().filter(|id| !self.known.contains_key(id)).collect();
        new.sort_unstable();
        new.dedup();
        new.retain(|id| match first_party::find(id) {
            Some(application) => {
                self.known.insert(id.clone(), Some(application.name.into()));
                false
            }
            None => true,
        });
        if new.is_empty() {
            return;
        }
        let found = match self.ask(&new).await {
            Ok(found) => found,
            Err(error) => {
                self.trouble.get_or_insert(error);
                HashMap::new()
            }
        };
        for id in new {
            let name = found.get(&id).cloned();
            self.known.insert(id, name);
        }
    }

    /// The name of an id that was learnt.
    pub(crate) fn of(&self, id: &str) -> Option<&str> {
        self.known.get(id)?.as_deref()
    }

    /// Why names may be missing; said once.
    pub(crate) fn trouble(&mut self) -> Option<Error> {
        self.trouble.take()
    }

    /// The names of applications; what users and groups are called is not asked for here.
    async fn ask(&mut self, ids: &[String]) -> Result<HashMap<String, Arc<str>>, Error> {
        let directory = match self.directory.take() {
            Some(directory) => directory,
            None => Directory::open(&self.engine, self.token.clone()).await?,
        };
        let found = directory.find(ids).await;
        self.directory = Some(directory);
        if self.trouble.is_none() {
            self.trouble = found.trouble;
        }
        let names = found.entities.into_iter().filter(|(_, entity)| entity.is_application());
        Ok(names
            .filter_map(|(id, entity)| Some((id, entity.display_name?.into())))
            .collect())
    }
}
