//! The `delegated_tenants` operation: a partner's customers from every list that names them, and whether each can be worked in.

use crate::delegated::filter::Filter;
use crate::delegated::merge::{self, Customer};
use crate::delegated::{access, explain, partner_tenant, read, Source};
use crate::engine::{Engine, Session};
use crate::environment::{Environment, Service};
use crate::error::{Error, Result};
use crate::event::Progress;
use crate::operation::{log, Context, Operation};
use crate::request::Request;
use crate::tenant::TenantId;
use crate::token::{Target, TokenRequest};
use crate::value::Value;
use futures_util::{stream, StreamExt, TryStreamExt};
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
    throttle: usize,
}

impl Plan {
    fn read(engine: &Engine, request: &Request) -> Result<Self> {
        let own = ["credential", "environment", "checkAccess", "resource", "throttle"];
        request.only(&[&own[..], &Filter::FIELDS].concat())?;
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
        let mut customers = list(&context, &plan.partner).await?;
        customers.retain(|customer| plan.filter.wants(customer));
        match plan.access {
            None => {
                for customer in customers {
                    context.sink.record(customer.into_value(Value::Null)).await?;
                }
                Ok(())
            }
            Some(target) => try_each(&context, customers, &plan.partner.for_target(target), plan.throttle).await,
        }
    };
    let result = context.or_cancelled(work).await;
    progress(&context, "", None, true);
    result
}

/// Reads every list at the same time. One that fails is a warning; none at all is an error.
async fn list(context: &Context, partner: &TokenRequest) -> Result<Vec<Customer>> {
    progress(context, "Asking Partner Center and Microsoft Graph", None, false);
    let one = |source| read::read(&context.engine, source, partner);
    let [first, second, third] = Source::ALL;
    let (a, b, c) = tokio::join!(one(first), one(second), one(third));
    let mut lists = Vec::new();
    let mut failures = Vec::new();
    for (source, result) in [(first, a), (second, b), (third, c)] {
        match result {
            Ok(listing) => lists.push((source, listing)),
            Err(error) if error.is_cancelled() => return Err(error),
            Err(error) => failures.push((source, error)),
        }
    }
    if lists.is_empty() {
        return Err(explain::nothing_read(&failures));
    }
    for (source, error) in &failures {
        context.sink.warning(explain::warning(*source, error)).await?;
    }
    for (source, listing) in &lists {
        if listing.invalid > 0 {
            context
                .sink
                .warning(explain::left_out(*source, listing.invalid))
                .await?;
        }
        log::verbose(|| format!("{}: {} customers", source.title(), listing.rows.len()));
    }
    Ok(merge::merge(
        lists.into_iter().map(|(source, listing)| (source, listing.rows)),
    ))
}

/// Gives each customer's record as soon as it is known whether a token can be had there.
async fn try_each(context: &Context, customers: Vec<Customer>, token: &TokenRequest, throttle: usize) -> Result<()> {
    let all = customers.len();
    let tried = stream::iter(customers).map(|customer| async move {
        let tenant = TenantId::parse(&customer.tenant_id)?;
        let access = access::try_token(&context.engine, &token.clone().for_tenant(tenant)).await?;
        Ok::<_, Error>(customer.into_value(access))
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
