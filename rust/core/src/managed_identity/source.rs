//! Which hosting platform this is, from its variables, in the order of Microsoft's own libraries.

use super::variables::Variables;
use super::{arc, imds};
use crate::secret::Secret;
use std::path::PathBuf;

/// A platform with what it says about its endpoint.
#[derive(Clone)]
pub(super) enum Source {
    ServiceFabric(Fabric),
    AppService(Guarded),
    AzureArc(Arc),
    MachineLearning(Workspace),
    CloudShell(String),
    Imds(String),
}

/// An endpoint, and the header's value that shows that the caller is one of the platform's own processes.
#[derive(Clone)]
pub(super) struct Guarded {
    pub(super) endpoint: String,
    pub(super) header: Secret,
}

#[derive(Clone)]
pub(super) struct Fabric {
    pub(super) host: Guarded,
    /// SHA-1 of the endpoint's certificate, in hexadecimal digits.
    pub(super) thumbprint: String,
}

#[derive(Clone)]
pub(super) struct Arc {
    pub(super) endpoint: String,
    /// Where the agent of this machine writes its key files.
    pub(super) keys: PathBuf,
}

/// Azure Machine Learning, and App Service's first version, which has the same form.
#[derive(Clone)]
pub(super) struct Workspace {
    pub(super) host: Guarded,
    /// The identity that a compute cluster has, where a script names none.
    pub(super) usual_client_id: Option<String>,
}

impl Source {
    /// The platform, as the variables have it. Without any it is a virtual machine, or none: that shows when it is asked.
    pub(super) fn detect(variables: &Variables) -> Self {
        let secret = |name: &str| variables.read(name).map(|value| Secret::from(value.trim()));
        let identity_endpoint = variables.text("IDENTITY_ENDPOINT");
        if let (Some(endpoint), Some(header)) = (identity_endpoint.clone(), secret("IDENTITY_HEADER")) {
            let host = Guarded { endpoint, header };
            return match variables.text("IDENTITY_SERVER_THUMBPRINT") {
                Some(thumbprint) => Source::ServiceFabric(Fabric { host, thumbprint }),
                None => Source::AppService(host),
            };
        }
        let keys = || arc::key_folder(variables);
        if let (Some(endpoint), Some(_)) = (identity_endpoint, variables.read("IMDS_ENDPOINT")) {
            return Source::AzureArc(Arc { endpoint, keys: keys() });
        }
        match (variables.text("MSI_ENDPOINT"), secret("MSI_SECRET")) {
            (Some(endpoint), Some(header)) => {
                return Source::MachineLearning(Workspace {
                    host: Guarded { endpoint, header },
                    usual_client_id: variables.text("DEFAULT_IDENTITY_CLIENT_ID"),
                })
            }
            (Some(endpoint), None) => return Source::CloudShell(endpoint),
            _ => {}
        }
        let host = variables.text("AZURE_POD_IDENTITY_AUTHORITY_HOST");
        // The agent does not set its variables for processes that were started before it was installed.
        if host.is_none() && arc::is_installed(variables) {
            return Source::AzureArc(Arc {
                endpoint: arc::ENDPOINT.to_owned(),
                keys: keys(),
            });
        }
        let host = host.unwrap_or_else(|| imds::HOST.to_owned());
        Source::Imds(host.trim_end_matches('/').to_owned())
    }

    /// What a person calls it.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Source::ServiceFabric(_) => "Service Fabric",
            Source::AppService(_) => "App Service",
            Source::AzureArc(_) => "Azure Arc",
            Source::MachineLearning(_) => "Azure Machine Learning",
            Source::CloudShell(_) => "Cloud Shell",
            Source::Imds(_) => "an Azure virtual machine",
        }
    }

    pub(super) fn endpoint(&self) -> &str {
        match self {
            Source::ServiceFabric(Fabric { host, .. })
            | Source::AppService(host)
            | Source::MachineLearning(Workspace { host, .. }) => &host.endpoint,
            Source::AzureArc(host) => &host.endpoint,
            Source::CloudShell(endpoint) | Source::Imds(endpoint) => endpoint,
        }
    }

    /// The value of the header that guards the endpoint.
    pub(super) fn header(&self) -> Option<&Secret> {
        match self {
            Source::ServiceFabric(Fabric { host, .. })
            | Source::AppService(host)
            | Source::MachineLearning(Workspace { host, .. }) => Some(&host.header),
            _ => None,
        }
    }

    /// Whether one of several identities can be named.
    pub(super) fn has_user_assigned(&self) -> bool {
        matches!(
            self,
            Source::AppService(_) | Source::MachineLearning(_) | Source::Imds(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Field, Request};

    fn detected(lines: &str) -> Source {
        let request = Request::new("credential").with("variables", Field::Secret(lines.into()));
        Source::detect(&Variables::from_request(&request).unwrap())
    }

    #[test]
    fn the_order_is_that_of_microsofts_libraries() {
        let all =
            "IDENTITY_ENDPOINT=http://a\nIDENTITY_HEADER=h\nIDENTITY_SERVER_THUMBPRINT=t\nIMDS_ENDPOINT=http://b\n\
                   MSI_ENDPOINT=http://c\nMSI_SECRET=s\nAZURE_POD_IDENTITY_AUTHORITY_HOST=http://d/\n";
        let without = |names: &[&str]| {
            let kept = all
                .lines()
                .filter(|line| !names.iter().any(|name| line.starts_with(&format!("{name}="))));
            kept.collect::<Vec<_>>().join("\n")
        };
        for (gone, title, endpoint) in [
            (&[][..], "Service Fabric", "http://a"),
            (&["IDENTITY_SERVER_THUMBPRINT"], "App Service", "http://a"),
            (&["IDENTITY_HEADER"], "Azure Arc", "http://a"),
            (&["IDENTITY_ENDPOINT"], "Azure Machine Learning", "http://c"),
            (&["IDENTITY_ENDPOINT", "MSI_SECRET"], "Cloud Shell", "http://c"),
            (
                &["IDENTITY_ENDPOINT", "MSI_ENDPOINT"],
                "an Azure virtual machine",
                "http://d",
            ),
        ] {
            let source = detected(&without(gone));
            assert_eq!((source.title(), source.endpoint()), (title, endpoint), "{gone:?}");
        }
        assert_eq!(
            detected("IDENTITY_ENDPOINT= \nMSI_ENDPOINT=\nAZURE_POD_IDENTITY_AUTHORITY_HOST=http://d").title(),
            "an Azure virtual machine"
        );
    }

    #[test]
    fn the_metadata_service_has_a_fixed_address() {
        // A machine of the tests may have Azure Arc's agent.
        let source = detected("X=y");
        assert!(matches!(source.endpoint(), imds::HOST | arc::ENDPOINT));
    }
}
