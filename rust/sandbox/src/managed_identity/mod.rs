//! Managed identities: the token endpoints that Azure's hosting platforms offer on the machine itself.
//!
//! Sources: Microsoft's pages on managed identities for virtual machines ("How to use managed identities on a VM to get an
//! access token"), App Service ("How to use managed identities for App Service"), Azure Arc-enabled servers ("Authenticate
//! against Azure resources with Azure Arc-enabled servers"), Service Fabric and Cloud Shell. Every platform here is hosted
//! by the partner's own tenant and knows the same three identities.

mod app_service;
mod arc;
mod cloud_shell;
mod folder;
mod identity;
mod imds;
mod machine_learning;
mod service_fabric;
mod settings;
mod token;

pub(crate) use folder::Folder;
pub(crate) use identity::Identities;
pub use identity::Identity;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use settings::Settings;

use crate::options::Options;
use crate::random::Random;
use crate::reply::{Call, Reply};
use crate::route::Service;
use crate::world::World;

/// The services of this module in the order of their ports. All but Service Fabric's speak plain HTTP.
pub(crate) const SERVICES: [Service; 6] = [
    Service::Imds,
    Service::AppHost,
    Service::AzureArc,
    Service::MachineLearning,
    Service::CloudShell,
    Service::Fabric,
];

/// What tokens for a federated credential are asked for.
pub(crate) const EXCHANGE_AUDIENCE: &str = "api://AzureADTokenExchange";

/// The platforms' shared state.
pub(crate) struct Platform {
    pub(crate) identities: Identities,
    /// What the platforms that guard their endpoint with a header expect in it.
    pub(crate) header: String,
    pub(crate) settings: Settings,
    /// Azure Arc's keys that wait to be read and sent back.
    keys: arc::Keys,
    /// Platforms hand out the same token until it ends.
    issued: Mutex<HashMap<(String, String), token::Issued>>,
    folder: Arc<Folder>,
}

impl Platform {
    pub(crate) fn new(options: &Options, folder: Arc<Folder>) -> Self {
        let mut random = Random::at(options.seed, "managed identity", 0);
        Platform {
            identities: Identities::new(&mut random),
            header: random.guid().to_uppercase(),
            settings: Settings::default(),
            keys: arc::Keys::default(),
            issued: Mutex::default(),
            folder,
        }
    }

    /// Where Azure Arc's key files are written.
    pub(crate) fn key_folder(&self) -> &Path {
        self.folder.keys()
    }
}

/// Serves a request to one of [`SERVICES`].
pub(crate) fn serve(world: &World, call: &Call) -> Reply {
    match call.service {
        Service::AppHost => app_service::serve(world, call),
        Service::AzureArc => arc::serve(world, call),
        Service::MachineLearning => machine_learning::serve(world, call),
        Service::CloudShell => cloud_shell::serve(world, call),
        Service::Fabric => service_fabric::serve(world, call),
        _ => imds::serve(world, call),
    }
}

/// The variables that each platform sets for its processes, by the platform's name.
pub(crate) fn variables(platform: &Platform, addresses: &[String; 6], thumbprint: &str) -> Variables {
    let [imds, app_service, arc, machine_learning, cloud_shell, service_fabric] = addresses;
    let header = platform.header.as_str();
    let with = |address: &str, path: &str| format!("{address}{path}");
    [
        ("imds", vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", imds.clone())]),
        (
            "appService",
            vec![
                ("IDENTITY_ENDPOINT", with(app_service, app_service::PATH)),
                ("IDENTITY_HEADER", header.to_owned()),
            ],
        ),
        (
            "appService2017",
            vec![
                ("MSI_ENDPOINT", with(app_service, app_service::PATH)),
                ("MSI_SECRET", header.to_owned()),
            ],
        ),
        (
            "azureArc",
            vec![
                ("IDENTITY_ENDPOINT", with(arc, imds::PATH)),
                ("IMDS_ENDPOINT", arc.clone()),
            ],
        ),
        (
            "machineLearning",
            vec![
                ("MSI_ENDPOINT", with(machine_learning, machine_learning::PATH)),
                ("MSI_SECRET", header.to_owned()),
            ],
        ),
        (
            "cloudShell",
            vec![("MSI_ENDPOINT", with(cloud_shell, cloud_shell::PATH))],
        ),
        (
            "serviceFabric",
            vec![
                ("IDENTITY_ENDPOINT", with(service_fabric, imds::PATH)),
                ("IDENTITY_HEADER", header.to_owned()),
                ("IDENTITY_SERVER_THUMBPRINT", thumbprint.to_owned()),
            ],
        ),
    ]
    .into_iter()
    .map(|(name, variables)| {
        let variables = variables.into_iter().map(|(key, value)| (key.to_owned(), value));
        (name.to_owned(), variables.collect())
    })
    .collect()
}

/// Variables by platform.
pub(crate) type Variables = std::collections::BTreeMap<String, std::collections::BTreeMap<String, String>>;
