//! What a tenant's policies say to a sign-in or a redemption: multi-factor authentication and the outcomes of Conditional
//! Access (Microsoft Entra documentation, "Microsoft Entra authentication and authorization error codes"; "OAuth 2.0
//! On-Behalf-Of flow" for the claims).
//!
//! Which outcomes come with a `suberror` and with `claims` is documented for a few; the others follow those of their kind.

use crate::estate::Health;
use crate::resource::Resource;
use crate::world::World;

use super::error::Refusal;
use super::Version;

/// A claims challenge: what the next sign-in has to satisfy.
const CLAIMS: &str =
    r#"{"access_token":{"polids":{"essential":true,"values":["5e6d6b3a-7f0e-4f6c-9d5b-1c5f0b1b2a77"]}}}"#;

const MFA_REQUIRED: u32 = 50076;
/// The outcome where a tenant only says that it has a policy.
pub(crate) const BLOCKED: u32 = 53003;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A sign-in of the user with a second factor meets the policy.
    SignIn,
    /// The same, and a refresh token's age is what is wrong.
    Fresh,
    /// Nothing that this user can do on this machine meets it.
    Blocked,
}

struct Outcome {
    code: u32,
    way: Way,
    text: &'static str,
}

const fn outcome(code: u32, way: Way, text: &'static str) -> Outcome {
    Outcome { code, way, text }
}

/// `{api}` stands for the application id of what was asked for.
#[rustfmt::skip]
const OUTCOMES: [Outcome; 17] = [
    outcome(50072, Way::SignIn, "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '{api}'."),
    outcome(50074, Way::SignIn, "Strong Authentication is required."),
    outcome(MFA_REQUIRED, Way::SignIn, "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '{api}'."),
    outcome(50078, Way::SignIn, "Presented multi-factor authentication has expired due to policies configured by your administrator, you must refresh your multi-factor authentication to access '{api}'."),
    outcome(50079, Way::SignIn, "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '{api}'."),
    outcome(50097, Way::Blocked, "Device authentication is required."),
    outcome(50131, Way::Blocked, "Device is not in required device state. Or the request was blocked due to suspicious activity, access policy, or security policy decisions."),
    outcome(50158, Way::SignIn, "External security challenge was not satisfied. User will be redirected to another page or authentication provider to satisfy additional authentication challenges."),
    outcome(53000, Way::Blocked, "Your device is required to be compliant to access this resource."),
    outcome(53001, Way::Blocked, "Your device is required to be domain joined to access this resource."),
    outcome(53002, Way::Blocked, "The app used is not an approved app for Conditional Access."),
    outcome(BLOCKED, Way::Blocked, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."),
    outcome(70043, Way::Fresh, "The refresh token has expired or is invalid due to sign-in frequency checks by Conditional Access."),
    outcome(530003, Way::Blocked, "Your device is required to be managed to access this resource."),
    outcome(530032, Way::Blocked, "Access has been blocked by a security policy of the organization."),
    outcome(530034, Way::Blocked, "A delegated administrator was blocked from accessing the tenant due to account risk in their home tenant."),
    outcome(530035, Way::Blocked, "Access has been blocked by security defaults."),
];

/// Whether the sandbox can give that outcome.
pub(crate) fn is_known(code: u32) -> bool {
    find(code).is_some()
}

fn find(code: u32) -> Option<&'static Outcome> {
    OUTCOMES.iter().find(|outcome| outcome.code == code)
}

/// What stands in the way; `met` says whether the user has signed in with a second factor just now, `protects` whether
/// Conditional Access protects what is asked for.
fn refused(health: &Health, met: bool, protects: bool) -> Option<&'static Outcome> {
    let mfa = health.mfa_required.then_some(MFA_REQUIRED);
    mfa.into_iter()
        .chain(health.conditional_access.filter(|_| protects))
        .filter_map(find)
        .find(|outcome| outcome.way == Way::Blocked || !met)
}

/// Judges a redemption; `met` says that the sign-in behind it had a second factor.
pub(super) fn redeems(
    world: &World,
    health: &Health,
    met: bool,
    version: Version,
    resource: Resource,
) -> Result<(), Refusal> {
    let protected = &health.conditional_access_resources;
    let protects = protected.is_empty() || protected.iter().any(|name| world.resource(name) == Some(resource));
    let Some(outcome) = refused(health, met, protects) else {
        return Ok(());
    };
    let error = match (outcome.way, version) {
        (Way::Fresh, _) | (_, Version::V2) => "invalid_grant",
        (_, Version::V1) => "interaction_required",
    };
    let text = outcome.text.replace("{api}", resource.application_id());
    let refusal = Refusal::new(outcome.code, error, text);
    Err(match outcome.way {
        Way::SignIn => refusal.suberror("basic_action").claims(CLAIMS),
        Way::Fresh => refusal.suberror("token_expired"),
        Way::Blocked if outcome.code == BLOCKED => refusal.suberror("message_only").claims(CLAIMS),
        Way::Blocked => refusal.suberror("message_only"),
    })
}

/// Judges a sign-in at a page. What protects certain APIs only is judged when a token for one is asked for.
pub(super) fn lets_in(health: &Health, mfa: bool) -> Result<(), Refusal> {
    match refused(health, mfa, health.conditional_access_resources.is_empty()) {
        // A new sign-in is always fresh.
        None | Some(Outcome { way: Way::Fresh, .. }) => Ok(()),
        Some(outcome) => {
            let text = outcome.text.replace(" to access '{api}'", "");
            Err(Refusal::new(outcome.code, "invalid_grant", text))
        }
    }
}

/// Whether a page can only tell the user so: they cannot try again there.
pub(super) fn blocks(refusal: &Refusal) -> bool {
    find(refusal.code).is_some_and(|outcome| outcome.way == Way::Blocked)
}
