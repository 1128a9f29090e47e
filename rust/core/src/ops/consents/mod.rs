//! `consents`: grants, shows and revokes many customers' consent to the application.

mod grant;
mod replace;
mod row;

use super::audit::each::{each, Ended, Task};
use super::audit::item::Item;
use super::audit::wanted::Caller;
use crate::consent::look::look;
use crate::consent::{Api, PartnerCenter, Seen, Wanted};
use crate::delegated::partner_tenant;
use crate::engine::{Engine, Session};
use crate::environment::Service;
use crate::error::{Error, Result};
use crate::operation::{or_cancelled, Context, Operation, Sink, Unread};
use crate::request::Request;
use crate::tenant::TenantId;
use crate::token::{Filter, SharedRefusals, Target, TokenRequest};
use crate::value::Value;
use futures_util::future::try_join_all;
use row::{Outcome, Row};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Tenants at a time where nothing else is said.
const THROTTLE: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Grant,
    Show,
    Revoke,
}

/// Who asks, and for what.
struct Asking {
    engine: Arc<Engine>,
    action: Action,
    partner_center: PartnerCenter,
    /// In the partner's tenant; the customers' are asked in the same way.
    question: TokenRequest,
    wanted: Vec<Wanted>,
    /// What is granted is seen in a token before it counts.
    verify: bool,
    refusals: SharedRefusals,
    sink: Sink,
    unread: Arc<Unread>,
    cancel: CancellationToken,
    /// The customers of this run: each is worked on once, however often and by whatever name it is given.
    seen: Mutex<HashSet<TenantId>>,
}

/// A customer that is being worked on.
struct Customer {
    id: TenantId,
    question: TokenRequest,
}

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let own = ["action", "credential", "environment", "throttle", "unverified"];
    request.only(&[&own[..], &Wanted::FIELDS].concat())?;
    let action = match request.text("action")? {
        "grant" => Action::Grant,
        "show" => Action::Show,
        "revoke" => Action::Revoke,
        other => return Err(Error::invalid(format!("there is no action '{other}'"))),
    };
    let mut caller = Caller::read(session, request)?;
    if request.opt_int("throttle")?.unwrap_or_default() == 0 {
        caller.throttle = THROTTLE;
    }
    if !caller.credential.has_refresh_token() {
        return Err(Error::invalid(
            "consent for customers is given and seen on behalf of a user, and the credential has none",
        )
        .advise(
            "Use a credential with the refresh token of a user of the partner: New-SecureAppRefreshToken signs one in.",
        ));
    }
    let engine = session.engine();
    let partner = partner_tenant(&caller.credential)?;
    let target = Target::resource(caller.environment.resource(Service::Graph))?;
    let wanted = Wanted::read(&caller.environment, request)?;
    let verify = !request.flag("unverified")?;
    let question = TokenRequest::new(caller.environment, caller.credential, partner, target);
    let partner_center = PartnerCenter::new(Arc::clone(engine), &question)?;
    let throttle = caller.throttle;
    Ok(Operation::spawn(session, move |context| {
        let asking = Asking {
            engine: Arc::clone(&context.engine),
            action,
            partner_center,
            question,
            wanted,
            verify,
            refusals: SharedRefusals::default(),
            sink: context.sink.clone(),
            unread: Arc::clone(&context.unread),
            cancel: context.cancel.clone(),
            seen: Mutex::default(),
        };
        run(context, asking, throttle)
    }))
}

async fn run(context: Context, asking: Asking, throttle: usize) -> Result<()> {
    let activity = match asking.action {
        Action::Grant => "Granting consent",
        Action::Show => "Reading consents",
        Action::Revoke => "Revoking consent",
    };
    let asking = Arc::new(asking);
    each(context, activity, throttle, |task| {
        let asking = Arc::clone(&asking);
        async move {
            let result = asking.tenant(&task).await;
            Answer {
                unread: Arc::clone(&asking.unread),
                item: task.item,
                result,
            }
        }
    })
    .await
}

/// What came of one tenant: its records, or why there are none.
struct Answer {
    unread: Arc<Unread>,
    item: Item,
    result: Result<Found>,
}

#[derive(Default)]
struct Found {
    records: Vec<Value>,
    /// What must be read by somebody, if not as a record.
    lost: Vec<String>,
}

impl Ended for Answer {
    fn records(&self) -> u64 {
        self.result.as_ref().map_or(0, |found| found.records.len() as u64)
    }

    fn is_fresh(&self) -> bool {
        false
    }

    async fn send(self, sink: &Sink) -> Result<()> {
        match self.result {
            Ok(Found { records, lost }) => {
                let sent = async {
                    for record in records {
                        let record = record
                            .with("item", self.item.number)
                            .with("displayName", self.item.display_name.as_str());
                        sink.record(record).await?;
                    }
                    match lost.is_empty() {
                        true => Ok(None),
                        false => sink.reading().await.map(Some),
                    }
                }
                .await;
                let leave = move || lost.into_iter().for_each(|text| self.unread.leave(text));
                match sent {
                    Ok(None) => Ok(()),
                    // Other tenants' work goes on while the reader takes its time.
                    Ok(Some(read)) => {
                        tokio::spawn(async move {
                            if read.await.is_err() {
                                leave();
                            }
                        });
                        Ok(())
                    }
                    Err(error) => {
                        leave();
                        Err(error)
                    }
                }
            }
            Err(error) => {
                sink.failed(self.item.target(), error.for_tenant(self.item.tenant.as_str()))
                    .await
            }
        }
    }
}

impl Asking {
    async fn tenant(&self, task: &Task) -> Result<Found> {
        let customer = self.customer(&task.request).await?;
        let is_new = self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(customer.id.clone());
        if !is_new {
            return Ok(Found::default());
        }
        let rows = match self.action {
            Action::Grant => grant::grant(self, &customer).await,
            Action::Show => self.show(&customer).await,
            Action::Revoke => self.revoke(&customer).await,
        }?;
        let page = self.partner_center.page(&customer.id);
        let lost = rows.iter().filter(|row| row.is_lost());
        Ok(Found {
            records: rows.iter().map(|row| row.to_value(&customer, &page)).collect(),
            lost: lost.filter_map(|row| Some(row.error.as_ref()?.told())).collect(),
        })
    }

    /// Partner Center knows customers by their tenants' ids alone.
    async fn customer(&self, item: &Request) -> Result<Customer> {
        let tenant = Item::tenant_of(item)?;
        let tokens = self.engine.tokens();
        let id = or_cancelled(&self.cancel, tokens.resolve(self.question.environment(), &tenant)).await?;
        if id.guid().is_none() {
            return Err(Error::invalid(format!("'{id}' is no customer's tenant"))
                .advise("Give the customer's tenant id or one of its domains."));
        }
        let question = self.question.clone().for_tenant(id.clone());
        Ok(Customer { id, question })
    }

    /// What the tenant has consented to on each of the APIs.
    async fn look(&self, customer: &Customer, apis: impl IntoIterator<Item = &Api>) -> Result<Vec<Seen>> {
        let looks = apis
            .into_iter()
            .map(|api| look(self.engine.tokens(), &self.refusals, &customer.question, api));
        or_cancelled(&self.cancel, try_join_all(looks)).await
    }

    async fn show(&self, customer: &Customer) -> Result<Vec<Row>> {
        let seen = self
            .look(customer, self.wanted.iter().map(|wanted| &wanted.api))
            .await?;
        Ok(self
            .wanted
            .iter()
            .zip(seen)
            .map(|(wanted, seen)| Row::shown(wanted, seen))
            .collect())
    }

    async fn revoke(&self, customer: &Customer) -> Result<Vec<Row>> {
        let revoked = or_cancelled(&self.cancel, self.partner_center.revoke(&customer.id)).await;
        Ok(vec![match revoked {
            Ok(there_was) => {
                self.forget(customer)?;
                Row::of_tenant(if there_was {
                    Outcome::Revoked
                } else {
                    Outcome::NotGranted
                })
            }
            Err(error) if error.is_cancelled() => return Err(error),
            Err(error) => Row::of_tenant(Outcome::Failed).because(error),
        }])
    }

    /// Tokens of the tenant hold the permissions of before.
    fn forget(&self, customer: &Customer) -> Result<()> {
        let tokens = self.engine.tokens();
        tokens.forget(&Filter {
            number: None,
            environment: Some(self.question.environment().instance()),
            application_id: Some(self.partner_center.application_id().to_ascii_lowercase()),
            tenants: vec![customer.id.clone()],
        })?;
        Ok(())
    }
}
