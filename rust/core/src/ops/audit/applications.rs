//! The applications that an audit record names, and their names beside it.
//!
//! Where real records have them: `ApplicationId` (the client of a sign-in), `AppId` and `ClientAppId` (mailbox records), the same in
//! `AppAccessContext`; in records of the directory also `ObjectId` and `Target`, as bare ids or as lists of a service principal's
//! names, and inside `ModifiedProperties`. An id is never looked for as a whole text, but in it.

use crate::directory::{ids_of_field, Names};
use crate::json;
use crate::value::Value;

const CLIENTS: [&str; 3] = ["ApplicationId", "AppId", "ClientAppId"];
/// What stands before ids of other objects in records of the directory.
const OTHER_OBJECTS: [&str; 6] = ["User_", "Group_", "Device_", "Company_", "Policy_", "Role_"];

/// Learns the names of the applications that these records name, and puts them into each as `applications`.
pub(crate) async fn name(records: &mut [Value], names: &mut Names) {
    let found: Vec<Vec<String>> = records
        .iter()
        .map(|record| record.get("fields").map(ids).unwrap_or_default())
        .collect();
    names.learn(found.iter().flatten().cloned().collect()).await;
    for (record, ids) in records.iter_mut().zip(found) {
        let named: Vec<Value> = ids
            .iter()
            .filter_map(|id| Some(Value::map().with("Id", id.as_str()).with("DisplayName", names.of(id)?)))
            .collect();
        let whole = std::mem::replace(record, Value::Null);
        *record = whole.with("applications", Value::List(named));
    }
}

/// The ids of applications in a record, each once.
fn ids(fields: &Value) -> Vec<String> {
    let mut found = Found::default();
    // Graph's queries have the record inside of theirs.
    let record = fields.get("auditData").unwrap_or(fields);
    for place in [Some(record), record.get("AppAccessContext")].into_iter().flatten() {
        for field in CLIENTS {
            found.in_text(place.get(field));
        }
    }
    let workload = record.get("Workload").and_then(Value::as_text);
    if workload == Some("AzureActiveDirectory") {
        found.in_text(record.get("ObjectId"));
        for target in list(record.get("Target")) {
            found.in_text(target.get("ID"));
        }
        for property in list(record.get("ModifiedProperties")) {
            found.in_property(property);
        }
    }
    found.0
}

#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn in_text(&mut self, text: Option<&Value>) {
        let text = text.and_then(Value::as_text).unwrap_or_default();
        if OTHER_OBJECTS.iter().any(|other| text.starts_with(other)) {
            return;
        }
        for id in ids_of_field(text) {
            if !self.0.contains(&id) {
                self.0.push(id);
            }
        }
    }

    /// A name list, or JSON inside a text that names an API by its id.
    fn in_property(&mut self, property: &Value) {
        let name = property.get("Name").and_then(Value::as_text).unwrap_or_default();
        for value in [property.get("NewValue"), property.get("OldValue")]
            .into_iter()
            .flatten()
        {
            if name.ends_with("ServicePrincipalNames") {
                self.in_text(Some(value));
            }
            if name == "RequiredResourceAccess" {
                if let Some(inner) = value.as_text().and_then(|text| json::parse(text).ok()) {
                    self.in_required_access(&inner);
                }
            }
        }
    }

    fn in_required_access(&mut self, value: &Value) {
        match value {
            Value::List(values) => values.iter().for_each(|value| self.in_required_access(value)),
            Value::Map(entries) => {
                self.in_text(value.get("ResourceAppId"));
                entries.iter().for_each(|(_, value)| self.in_required_access(value));
            }
            _ => {}
        }
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::List(values)) => values,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AAD_GRAPH: &str = "00000002-0000-0000-c000-000000000000";
    const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
    const CLIENT: &str = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c";

    fn read(text: &str) -> Vec<String> {
        ids(&json::parse(text).unwrap())
    }

    #[test]
    fn a_sign_in_names_its_client_and_its_resource() {
        let text = format!(
            r#"{{"Workload":"AzureActiveDirectory","ObjectId":"{GRAPH}","ApplicationId":"{CLIENT}","Target":[{{"ID":"{GRAPH}","Type":0}},{{"ID":"User_{AAD_GRAPH}","Type":2}}]}}"#
        );
        assert_eq!(read(&text), [CLIENT, GRAPH]);
        assert_eq!(read(&format!(r#"{{"id":"x","auditData":{text}}}"#)), [CLIENT, GRAPH]);
        assert!(read(r#"{"Workload":"AzureActiveDirectory","ObjectId":"Unknown"}"#).is_empty());
    }

    #[test]
    fn a_grant_names_its_resource_in_lists() {
        let names =
            format!("https://graph.windows.net;{AAD_GRAPH}/graph.microsoftazure.us;{AAD_GRAPH}/directory.windows.net");
        let text = format!(
            r#"{{"Workload":"AzureActiveDirectory","ObjectId":"{names}","ModifiedProperties":[{{"Name":"TargetId.ServicePrincipalNames","NewValue":"{GRAPH};x","OldValue":""}},{{"Name":"RequiredResourceAccess","NewValue":"[\r\n {{\"ResourceAppId\": \"{CLIENT}\", \"RequiredAppPermissions\": [{{\"EntitlementId\": \"{GRAPH}\"}}]}}]","OldValue":"[]"}},{{"Name":"Role.ObjectID","NewValue":"11111111-2222-4333-8444-555555555555"}}]}}"#
        );
        assert_eq!(read(&text), [AAD_GRAPH, GRAPH, CLIENT]);
    }

    #[test]
    fn an_object_of_another_workload_is_no_application() {
        let text = format!(
            r#"{{"Workload":"SecurityComplianceCenter","ObjectId":"{GRAPH}","AppAccessContext":{{"ClientAppId":"{CLIENT}"}}}}"#
        );
        assert_eq!(read(&text), [CLIENT]);
    }
}
