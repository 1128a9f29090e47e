//! What a client has to know to use a sandbox: printed by the executable as one line of JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::managed_identity::Identity;
use crate::users::UserFacts;

/// Where the services listen and what signs in to them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// A name for the environment, unique among sandboxes that run at the same time.
    pub environment: String,
    /// Base addresses of the services.
    pub endpoints: Endpoints,
    /// Absolute path of the certificate authority's certificate (PEM). Empty when the library keeps it in memory only.
    pub certificate_path: String,
    /// The partner's own tenant.
    pub partner_tenant_id: String,
    /// The partner's application; empty, as all that belongs to it, where there is none yet.
    pub application_id: String,
    /// The application's secret.
    pub secret: String,
    /// Absolute path of a PFX file with a certificate of the application and its key. Empty when the library keeps it.
    pub certificate_pfx_path: String,
    /// What that file is encrypted with.
    pub certificate_pfx_password: String,
    /// A refresh token of the partner's user for that application.
    pub refresh_token: String,
    /// The partner's user.
    pub user_principal_name: String,
    /// Who can sign in at the sandbox's pages. The administrator of any other customer can as well: `admin@` its domain.
    pub users: Vec<UserFacts>,
    /// The application's reply URLs.
    pub redirect_uris: Vec<String>,
    /// The machine's managed identities, and what each hosting platform tells its processes about them.
    pub managed_identity: ManagedIdentityFacts,
    /// A workload whose tokens prove the application.
    pub workload_identity: WorkloadFacts,
    /// The customers, of both partners where there are two.
    pub tenants: Vec<TenantFacts>,
    /// The second partner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_partner: Option<PartnerFacts>,
    /// The process that serves.
    pub process_id: u32,
}

/// Base addresses, without a trailing slash.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoints {
    /// The identity platform (login.microsoftonline.com).
    pub login: String,
    /// Microsoft Graph (graph.microsoft.com).
    pub graph: String,
    /// Partner Center (api.partnercenter.microsoft.com).
    pub partner_center: String,
    /// The Management Activity API (manage.office.com).
    pub manage: String,
    /// The retired Azure AD Graph (graph.windows.net).
    pub aad_graph: String,
    /// Exchange Online (outlook.office365.com).
    pub outlook: String,
    /// The partner's key vault (<name>.vault.azure.net).
    pub key_vault: String,
}

/// Another partner, for which the same application works.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PartnerFacts {
    /// Its own tenant.
    pub tenant_id: String,
    /// Its user.
    pub user_principal_name: String,
    /// A refresh token of that user for the application.
    pub refresh_token: String,
    /// Its customers' tenants.
    pub customer_ids: Vec<String>,
}

/// One customer.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantFacts {
    /// The tenant's GUID.
    pub tenant_id: String,
    /// Its `*.onmicrosoft.com` domain.
    pub default_domain_name: String,
    /// Its name.
    pub display_name: String,
    /// Distinct audit records that the feed holds for it.
    pub audit_record_count: u64,
}

/// The managed identities of the machine, which belong to the partner's tenant.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagedIdentityFacts {
    /// The machine's own.
    pub system_assigned: Identity,
    /// One that is assigned to the machine, and that the application has as a federated credential.
    pub user_assigned: Identity,
    /// One that is not assigned to the machine.
    pub unassigned: Identity,
    /// The environment variables to set, by hosting platform: `imds`, `appService`, `appService2017`, `azureArc`,
    /// `machineLearning`, `cloudShell`, `serviceFabric`.
    pub variables: BTreeMap<String, BTreeMap<String, String>>,
    /// Where Azure Arc's agent writes its key files.
    pub arc_key_folder: String,
}

/// A workload outside of Azure with a token of its own issuer in a file.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadFacts {
    /// The token's issuer.
    pub issuer: String,
    /// Whom it is for.
    pub subject: String,
    /// The environment variables to set.
    pub variables: BTreeMap<String, String>,
}
