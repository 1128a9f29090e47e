//! A running sandbox.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::certificate;
use crate::control::Control;
use crate::facts::{Endpoints, Facts, ManagedIdentityFacts, PartnerFacts, TenantFacts, WorkloadFacts};
use crate::federation::{self, Mint};
use crate::managed_identity::{self, Folder, SERVICES};
use crate::options::Options;
use crate::own_certificate::OwnCertificate;
use crate::route::Service;
use crate::secrets::Secrets;
use crate::server;
use crate::users;
use crate::world::World;

/// A sandbox that serves until it is dropped. It runs on threads of its own, so it can be used from any runtime, from
/// none, and from several threads.
pub struct Sandbox {
    facts: Facts,
    ca_pem: String,
    control: Control,
    folder: Arc<Folder>,
    own_certificate: OnceLock<OwnCertificate>,
    runtime: Option<Runtime>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sandbox({})", self.facts.endpoints.login)
    }
}

impl Sandbox {
    /// Starts a sandbox. It answers once this returns.
    pub async fn start(options: Options) -> Result<Sandbox, StartError> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        // Making keys and binding ports blocks; the caller's runtime may have one thread only.
        std::thread::spawn(move || {
            // Nobody to receive it: the caller stopped waiting, and the sandbox stops with this thread.
            let _ = sender.send(Sandbox::start_blocking(options));
        });
        receiver
            .await
            .unwrap_or_else(|_| Err(StartError("the sandbox's start ended early; try again".to_owned())))
    }

    /// [`Sandbox::start`] for code without an async runtime. Must not be called on an async runtime's thread.
    pub fn start_blocking(options: Options) -> Result<Sandbox, StartError> {
        if options.tenants > 20_000 {
            return Err(StartError(format!(
                "{} tenants are too many; ask for 20,000 or fewer",
                options.tenants
            )));
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("sandbox")
            .enable_all()
            .build()
            .map_err(|e| StartError(format!("cannot start threads: {e}")))?;
        let tls = |e| StartError(format!("OpenSSL cannot make the sandbox's keys: {e}"));
        let certificates = certificate::create().map_err(tls)?;
        let services = Service::ALL.into_iter().chain(SERVICES).chain([Service::Issuer]);
        let mut listeners = Vec::new();
        let mut ports = Vec::new();
        for (at, service) in (0u16..).zip(services) {
            let port = if options.port == 0 {
                0
            } else {
                options.port.saturating_add(at)
            };
            let (bound, own) = runtime.block_on(bind(port)).map_err(|e| {
                StartError(format!(
                    "port {port} on localhost cannot be opened: {e}; choose another port, or 0"
                ))
            })?;
            ports.push(own);
            listeners.extend(bound.into_iter().map(|listener| (service, listener)));
        }
        let address = |at: usize| format!("https://localhost:{}", ports.get(at).copied().unwrap_or_default());
        let endpoints = Endpoints {
            login: address(0),
            graph: address(1),
            partner_center: address(2),
            manage: address(3),
            aad_graph: address(4),
            outlook: address(5),
            key_vault: address(6),
        };
        let machine = Service::ALL.len();
        let addresses = std::array::from_fn(|at| {
            let scheme = if is_plain(SERVICES[at]) { "http" } else { "https" };
            format!(
                "{scheme}://localhost:{}",
                ports.get(machine + at).copied().unwrap_or_default()
            )
        });
        let issuer = address(machine + SERVICES.len());
        let folder = Folder::create().map_err(|e| {
            StartError(format!(
                "a folder in {} cannot be made: {e}",
                std::env::temp_dir().display()
            ))
        })?;
        let folder = Arc::new(folder);
        let secrets = Secrets::new(options.secrets_folder.as_deref())
            .map_err(|e| StartError(format!("the folder for secrets cannot be written to: {e}")))?;
        let world = World::new(options, endpoints.clone(), issuer, folder.clone(), secrets).map_err(tls)?;
        let world = Arc::new(world);
        for (service, listener) in listeners {
            runtime.spawn(server::run(
                world.clone(),
                service,
                listener,
                (!is_plain(service)).then(|| certificates.acceptor.clone()),
            ));
        }
        federation::mint(&world, &Mint::default()).map_err(StartError)?;
        let own = |text: &String| match world.application.is_absent() {
            true => String::new(),
            false => text.clone(),
        };
        let facts = Facts {
            environment: format!("Sandbox-{}", ports.first().copied().unwrap_or_default()),
            endpoints,
            certificate_path: String::new(),
            partner_tenant_id: world.estate.partner.id.clone(),
            application_id: own(&world.application.id),
            secret: own(&world.application.secret),
            certificate_pfx_path: String::new(),
            certificate_pfx_password: String::new(),
            refresh_token: world.first_refresh_token.clone(),
            user_principal_name: world.user.name.clone(),
            users: users::named(&world.estate, world.options.seed),
            redirect_uris: match world.application.is_absent() {
                true => Vec::new(),
                false => world.application.state.redirect_uris(),
            },
            managed_identity: managed_identity_facts(&world, &addresses, &certificates.thumbprint),
            workload_identity: workload_facts(&world),
            tenants: world
                .estate
                .customers
                .iter()
                .map(|customer| TenantFacts {
                    tenant_id: customer.id.clone(),
                    default_domain_name: customer.default_domain.clone(),
                    display_name: customer.display_name.clone(),
                    audit_record_count: customer.records,
                })
                .collect(),
            second_partner: second_partner_facts(&world),
            process_id: std::process::id(),
        };
        world.secrets.see_facts(&facts);
        Ok(Sandbox {
            facts,
            ca_pem: certificates.ca_pem,
            control: Control::new(world),
            folder,
            own_certificate: OnceLock::new(),
            runtime: Some(runtime),
        })
    }

    /// What a client has to know.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The certificate authority's certificate, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A certificate of the application with its key, registered when it is first asked for. Making the key takes a moment.
    pub fn own_certificate(&self) -> Result<&OwnCertificate, StartError> {
        if let Some(own) = self.own_certificate.get() {
            return Ok(own);
        }
        let failed = |e| StartError(format!("OpenSSL cannot make the application's certificate: {e}"));
        let own = OwnCertificate::create().map_err(failed)?;
        let own = self.own_certificate.get_or_init(|| own);
        let upload = serde_json::json!({"certificate": own.certificate_pem().map_err(failed)?});
        self.control.add_certificate(upload).map_err(StartError)?;
        Ok(own)
    }

    /// What the control endpoints offer, without HTTP.
    pub fn control(&self) -> &Control {
        &self.control
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not a plain drop: that would wait for tasks, and panics on another runtime's thread.
            runtime.shutdown_background();
        }
        // Requests may still hold the world for a moment; the disk is put in order at once.
        self.folder.remove();
    }
}

/// The platforms whose endpoint is reached within the machine only, and without TLS.
fn is_plain(service: Service) -> bool {
    SERVICES.contains(&service) && service != Service::Fabric
}

fn managed_identity_facts(world: &World, addresses: &[String; 6], thumbprint: &str) -> ManagedIdentityFacts {
    let platform = &world.platform;
    ManagedIdentityFacts {
        system_assigned: platform.identities.system.clone(),
        user_assigned: platform.identities.user.clone(),
        unassigned: platform.identities.unassigned.clone(),
        variables: managed_identity::variables(platform, addresses, thumbprint),
        arc_key_folder: platform.key_folder().to_string_lossy().into_owned(),
    }
}

fn second_partner_facts(world: &World) -> Option<PartnerFacts> {
    let partner = world.estate.second_partner.as_ref()?;
    let customers = world.estate.customers_of(&partner.id);
    Some(PartnerFacts {
        tenant_id: partner.id.clone(),
        user_principal_name: users::administrator(partner, world.options.seed).user_principal_name,
        refresh_token: world.second_refresh_token.clone(),
        customer_ids: customers.map(|customer| customer.id.clone()).collect(),
    })
}

fn workload_facts(world: &World) -> WorkloadFacts {
    let file = world.federation.file().to_string_lossy().into_owned();
    let variables = [
        ("AZURE_FEDERATED_TOKEN_FILE", file),
        ("AZURE_CLIENT_ID", world.application.id.clone()),
        ("AZURE_TENANT_ID", world.estate.partner.id.clone()),
        ("AZURE_AUTHORITY_HOST", format!("{}/", world.endpoints.login)),
    ];
    WorkloadFacts {
        issuer: world.issuer.clone(),
        subject: federation::SUBJECT.to_owned(),
        variables: variables.map(|(key, value)| (key.to_owned(), value)).into(),
    }
}

/// Binds a port on both loopback addresses ('localhost' means either); IPv6 may be missing on a machine.
async fn bind(port: u16) -> std::io::Result<(Vec<TcpListener>, u16)> {
    const TRIES: usize = 20;
    let mut last = None;
    for _ in 0..if port == 0 { TRIES } else { 1 } {
        let first = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        let own = first.local_addr()?.port();
        match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, own))).await {
            Ok(second) => return Ok((vec![first, second], own)),
            Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => last = Some(e),
            Err(_) => return Ok((vec![first], own)),
        }
    }
    Err(last.unwrap_or_else(|| std::io::ErrorKind::AddrInUse.into()))
}

/// Why a sandbox did not start; the text ends with what to do.
#[derive(Debug)]
pub struct StartError(pub(crate) String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}
