//! The `delegated_tenants` operation: a partner's customers from every list that names them, and whether each can be worked in.

mod listed;
mod relations;

use crate::delegated::filter::Filter;
use crate::delegated::kept::Listed;
use crate::delegated::merge::Customer;
use crate::delegated::{access, partner_tenant};
use crate::engine::{Engine, Session};
use crate::environment::{Environment, Service};
use crate::error::{Error, Result};
use crate::event::Progress;
use crate::operation::{Context, Operation};
use crate::request::Request;
use crate::tenant::TenantId;
use crate::token::{Target, TokenRequest};
use crate::value::Value;
use futures_util::{stream, StreamExt, TryStreamExt};
use relations::{Known, Relations};
use std::sync::Arc;

const ACTIVITY: &str = "Reading the partner's customers";
/// Customers that are tried at the same time where nothing else is said, and at most.
const THROTTLE: i64 = 64;

/// What the request asks for, checked before anything is sent.
struct Plan {
    /// For a token in the partner's own tenant.
    partner: TokenRequest,
    /// What is asked for in each customer's tenant.
    access: Option<Target>,
    filter: Filter,
    relations: Relations,
    /// Only these, also where no list has them.
    tenants: Vec<TenantId>,
    /// A list of customers that was read before will do if it is no older.
    maximum_age_ms: Option<i64>,
    throttle: usize,
}

impl Plan {
    fn read(engine: &Engine, request: &Request) -> Result<Self> {
        let own = [
            "credential",
            "environment",
            "checkAccess",
            "resource",
            "throttle",
            "tenants",
            "maximumAgeSeconds",
        ];
        request.only(&[&own[..], &Filter::FIELDS, &Relations::FIELDS].concat())?;
        let credential = Arc::clone(request.credential("credential")?);
        let environment = engine
            .environments()
            .find(request.opt_text("environment")?.unwrap_or_default())?;
        let partner = partner_tenant(&credential)?;
        let access = match request.flag("checkAccess")? {
            true => Some(Target::resource(access_resource(&environment, request)?)?),
            false => None,
        };
        let throttle = request
            .opt_int("throttle")?
            .filter(|throttle| *throttle != 0)
            .unwrap_or(THROTTLE);
        if throttle < 0 {
            return Err(Error::invalid("the throttle limit is negative").advise("Give a number from 1 to 64."));
        }
        let throttle = usize::try_from(throttle.min(THROTTLE)).unwrap_or(1);
        let target = Target::resource(environment.resource(Service::Graph))?;
        let partner = TokenRequest::new(environment, credential, partner, target);
        Ok(Plan {
            partner,
            access,
            filter: Filter::read(request)?,
            relations: Relations::read(request)?,
            tenants: request
                .texts("tenants")?
                .iter()
                .map(|tenant| TenantId::parse(tenant))
                .collect::<Result<_>>()?,
            maximum_age_ms: request
                .opt_int("maximumAgeSeconds")?
                .map(|seconds| seconds.saturating_mul(1000)),
            throttle,
        })
    }
}

fn access_resource<'a>(environment: &'a Environment, request: &'a Request) -> Result<&'a str> {
    Ok(request
        .opt_text("resource")?
        .unwrap_or(environment.resource(Service::Graph)))
}

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let plan = Plan::read(session.engine(), request)?;
    Ok(Operation::spawn(session, |context| run(context, plan)))
}

async fn run(context: Context, plan: Plan) -> Result<()> {
    let work = async {
        let relations = &plan.relations;
        let (customers, known) = tokio::join!(listed::list(&context, &plan), relations.fetch(&context, &plan.partner));
        let (Listed { mut customers, partner }, mut known) = (customers?, known?);
        if !plan.tenants.is_empty() {
            customers = listed::only(&context, &plan, customers).await?;
        }
        let now = context.engine.clock().now_ms();
        customers.retain(|customer| plan.filter.wants(customer) && relations.wants(customer, known.as_ref(), now));
        if let Some(known) = &mut known {
            relations
                .complete(&context, &plan.partner, &customers, known, plan.throttle)
                .await?;
            if let Some(warning) = relations.ending(&customers, known, now) {
                context.sink.warning(warning).await?;
            }
        }
        let known = Told {
            partner,
            relationships: known,
        };
        match plan.access {
            None => {
                for customer in customers {
                    context.sink.record(known.of(customer, Value::Null)).await?;
                }
                Ok(())
            }
            Some(target) => {
                let token = plan.partner.for_target(target);
                try_each(&context, customers, &known, &token, plan.throttle).await
            }
        }
    };
    let result = context.or_cancelled(work).await;
    progress(&context, "", None, true);
    result
}

/// What a record says beside what the lists do.
struct Told {
    /// The id of the partner's own tenant.
    partner: Option<String>,
    relationships: Option<Known>,
}

impl Told {
    fn of(&self, customer: Customer, access: Value) -> Value {
        let id = customer.tenant_id.clone();
        let record = customer
            .into_value(access)
            .with("partnerTenantId", self.partner.as_deref());
        match &self.relationships {
            Some(known) => known.add_to(&id, record),
            None => record,
        }
    }
}

/// Gives each customer's record as soon as it is known whether a token can be had there.
async fn try_each(
    context: &Context,
    customers: Vec<Customer>,
    known: &Told,
    token: &TokenRequest,
    throttle: usize,
) -> Result<()> {
    let all = customers.len();
    let tried = stream::iter(customers).map(|customer| async move {
        let tenant = TenantId::parse(&customer.tenant_id)?;
        let access = access::try_token(&context.engine, &token.clone().for_tenant(tenant)).await?;
        Ok::<_, Error>(known.of(customer, access))
    });
    let mut tried = tried.buffer_unordered(throttle);
    let mut done = 0;
    while let Some(record) = tried.try_next().await? {
        context.sink.record(record).await?;
        done += 1;
        progress(
            context,
            &format!("Trying each customer: {done} of {all}"),
            percent(done, all),
            false,
        );
    }
    Ok(())
}

fn percent(done: usize, all: usize) -> Option<i64> {
    i64::try_from(done * 100 / all.max(1)).ok()
}

fn progress(context: &Context, status: &str, percent: Option<i64>, completed: bool) {
    context.sink.progress(Progress {
        id: 0,
        parent: -1,
        activity: ACTIVITY.to_owned(),
        status: status.to_owned(),
        percent,
        completed,
    });
}
