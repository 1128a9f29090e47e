//! Everything that the services share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use openssl::error::ErrorStack;

use crate::access::{RefreshToken, Tokens, User};
use crate::application::Application;
use crate::clock::Clock;
use crate::estate::Estate;
use crate::exchange::Exchange;
use crate::facts::Endpoints;
use crate::fault::Faults;
use crate::federation::{Federation, Trusted};
use crate::feed::Feed;
use crate::graph::Graph;
use crate::hold::Holds;
use crate::identity::{Codes, Devices};
use crate::managed_identity::{Folder, Platform};
use crate::options::Options;
use crate::random::Random;
use crate::registry::Registry;
use crate::resource::Resource;
use crate::secrets::Secrets;
use crate::signer::Signer;
use crate::stats::Stats;
use crate::users;
use crate::vault::Vault;

/// The state behind all services of one sandbox.
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) endpoints: Endpoints,
    pub(crate) estate: Estate,
    pub(crate) application: Application,
    pub(crate) registry: Registry,
    pub(crate) user: Arc<User>,
    pub(crate) first_refresh_token: String,
    /// That of the second partner's user; empty where there is none.
    pub(crate) second_refresh_token: String,
    pub(crate) tokens: Tokens,
    pub(crate) codes: Codes,
    pub(crate) devices: Devices,
    pub(crate) signer: Signer,
    pub(crate) clock: Clock,
    pub(crate) stats: Stats,
    pub(crate) faults: Faults,
    pub(crate) holds: Holds,
    pub(crate) feed: Feed,
    pub(crate) exchange: Exchange,
    pub(crate) graph: Graph,
    pub(crate) platform: Platform,
    pub(crate) federation: Federation,
    /// The address of the OpenID issuer that is not the identity platform.
    pub(crate) issuer: String,
    pub(crate) vault: Vault,
    pub(crate) secrets: Secrets,
    random: Mutex<Random>,
}

impl World {
    pub(crate) fn new(
        options: Options,
        endpoints: Endpoints,
        issuer: String,
        folder: Arc<Folder>,
        secrets: Secrets,
    ) -> Result<Self, ErrorStack> {
        let estate = Estate::new(&options);
        let platform = Platform::new(&options, folder.clone());
        let managed = Trusted::managed_identity(
            &endpoints.login,
            &estate.partner.id,
            &platform.identities.user.object_id,
        );
        let application = Application::new(&options);
        let signer = Signer::new(options.signature)?;
        let user = Arc::new(new_user(
            &options,
            format!("sam@{}", estate.partner.custom_domain),
            true,
        ));
        let clock = Clock::default();
        let tokens = Tokens::default();
        let mut random = Random::at(options.seed, "tokens", 0);
        let mut begin = |user: &Arc<User>| {
            let text = refresh_token_text(&mut random);
            let refresh = RefreshToken {
                user: user.clone(),
                application_id: application.id.clone(),
                resource: "https://api.partnercenter.microsoft.com".to_owned(),
                last_used: clock.now(),
                revoked: false,
                redeemed: false,
                interactive_mfa: false,
                of_public_client: false,
            };
            if application.is_absent() {
                return String::new();
            }
            tokens.add_refresh(&text, refresh);
            text
        };
        let first_refresh_token = begin(&user);
        let second_refresh_token = estate.second_partner.as_ref().map_or_else(String::new, |partner| {
            let name = users::administrator(partner, options.seed).user_principal_name;
            begin(&Arc::new(new_user(&options, name, true)))
        });
        Ok(World {
            endpoints,
            estate,
            application,
            registry: Registry::default(),
            user,
            first_refresh_token,
            second_refresh_token,
            tokens,
            codes: Codes::default(),
            devices: Devices::default(),
            signer,
            clock,
            stats: Stats::default(),
            faults: Faults::default(),
            holds: Holds::default(),
            feed: Feed::new(options.audit.clone()),
            exchange: Exchange::default(),
            graph: Graph::default(),
            platform,
            federation: Federation::new(&issuer, managed, folder),
            issuer,
            vault: Vault::default(),
            secrets,
            random: Mutex::new(random),
            options,
        })
    }

    /// A generator of its own for one request.
    pub(crate) fn random(&self) -> Random {
        Random::new(lock(&self.random).next())
    }

    /// The API that a name means.
    pub(crate) fn resource(&self, name: &str) -> Option<Resource> {
        Resource::find(name, &self.application.id, &self.endpoints)
    }

    /// A user as one sign-in shows them.
    pub(crate) fn user_of(&self, user_principal_name: &str, mfa: bool) -> User {
        new_user(&self.options, user_principal_name.to_owned(), mfa)
    }

    /// A refresh token of one more user of the partner: for the partner's application, or for one of Microsoft's public clients.
    pub(crate) fn new_refresh_token(
        &self,
        user_principal_name: &str,
        mfa: bool,
        public_client: Option<&str>,
    ) -> String {
        let text = refresh_token_text(&mut self.random());
        let user = Arc::new(new_user(&self.options, user_principal_name.to_owned(), mfa));
        let refresh = RefreshToken {
            user,
            application_id: public_client.unwrap_or(&self.application.id).to_owned(),
            resource: match public_client {
                Some(_) => crate::resource::GRAPH.to_owned(),
                None => "https://api.partnercenter.microsoft.com".to_owned(),
            },
            last_used: self.clock.now(),
            revoked: false,
            redeemed: false,
            interactive_mfa: mfa && public_client.is_some(),
            of_public_client: public_client.is_some(),
        };
        self.tokens.add_refresh(&text, refresh);
        text
    }
}

fn new_user(options: &Options, name: String, mfa: bool) -> User {
    let mut random = Random::at(options.seed, &name, 0);
    User {
        object_id: random.guid(),
        puid: format!("1003{:012X}", random.next() >> 16),
        name,
        mfa,
    }
}

/// The text of a refresh token: opaque to clients, with the version prefix and the length of real ones.
pub(crate) fn refresh_token_text(random: &mut Random) -> String {
    format!("1.{}.{}", random.secret(60), random.secret(900))
}

/// Takes a lock. A panic elsewhere does not make counters and tables unusable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a lock for reading; see [`lock`].
pub(crate) fn read<T>(guarded: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    guarded.read().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a lock for writing; see [`lock`].
pub(crate) fn write<T>(guarded: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    guarded.write().unwrap_or_else(PoisonError::into_inner)
}
