using System;
using System.Collections.Generic;
using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>What every cmdlet of the module needs: the runspace's defaults and one way to fail.</summary>
    public abstract class SecureAppCmdlet : PSCmdlet
    {
        /// <summary>What the native work uses must not be collected while the command runs: its key may be served from here.</summary>
        private readonly List<SecureAppCredential> _taken = new List<SecureAppCredential>();
        private SecureAppCredential? _asking;

        internal static RunspaceState State => RunspaceState.Current;

        /// <summary>The credential of the command or the session's default; neither is a terminating error.</summary>
        /// <param name="given">The parameter's value.</param>
        /// <param name="parameter">Its name: what was given, even as an empty variable, never silently becomes another.</param>
        internal SecureAppCredential ResolveCredential(object? given, string parameter = "Credential")
        {
            Check(given is null && IsGiven(parameter) ? CredentialInput.Empty(parameter) : null, null);
            SecureAppCredential resolved = given is null && State.Credential is SecureAppCredential standing ? standing : Take(given);
            if (parameter == "Credential")
            {
                _asking = resolved;
            }

            return resolved;
        }

        /// <summary>
        /// The environment of the command or the session's default. An unknown one is a terminating error, and so is an empty variable
        /// or a default that is not there any more: neither silently becomes another cloud.
        /// </summary>
        internal string ResolveEnvironment(string? given)
        {
            if (!string.IsNullOrWhiteSpace(given))
            {
                return Guarded(() => EnvironmentStore.Checked(given!), given);
            }

            if (MyInvocation.BoundParameters.ContainsKey("Environment"))
            {
                FailInput("-Environment is empty.", "Check that the variable it comes from has a value in this session, or leave it out for the session's default.", null);
            }

            if (State.RemovedEnvironment is string removed)
            {
                FailInput(
                    "This session's default environment (" + Shown.ObjectText(removed) + ") was removed.",
                    "Use -Environment, or set another default with Set-SecureAppDefault -Environment. Clear-SecureAppDefault -Environment goes back to Public.",
                    null);
            }

            return State.Environment ?? RunspaceState.PublicEnvironment;
        }

        /// <summary>What was given as a credential, as one that lives as long as the command; otherwise a terminating error.</summary>
        internal SecureAppCredential Take(object? given) => Guarded(() => Opened(given), null);

        /// <summary>The same for one of several.</summary>
        /// <exception cref="SecureAppException">It cannot be used.</exception>
        internal SecureAppCredential Opened(object? given)
        {
            SecureAppCredential credential = CredentialInput.Resolve(given, GetUnresolvedProviderPathFromPSPath);
            _taken.Add(credential);
            if (!ReferenceEquals(credential, (given as PSObject)?.BaseObject ?? given))
            {
                Warn(credential);
            }

            return credential;
        }

        /// <summary>Says what the maker of a credential should know.</summary>
        internal void Warn(SecureAppCredential credential)
        {
            foreach (string warning in credential.Warnings)
            {
                WriteWarning(warning);
            }
        }

        /// <summary>Runs a call and ends the command with its failure.</summary>
        internal T Guarded<T>(Func<T> call, object? target)
        {
            try
            {
                return call();
            }
            catch (SecureAppException failure)
            {
                Fail(failure, target);
                throw;
            }
        }

        internal void Guarded(Action call, object? target) => Guarded<object?>(() => { call(); return null; }, target);

        /// <summary>Ends the command with an error; does not return.</summary>
        internal void Fail(SecureAppException failure, object? target) => ThrowTerminatingError(ErrorRecords.From(failure, target));

        /// <summary>Writes one item's failure and goes on; a defect here, which would fail every item, ends the command.</summary>
        internal void FailItem(SecureAppException failure, object? target)
        {
            if (failure.Kind == SecureAppErrorKind.Internal)
            {
                Fail(failure, target);
            }

            WriteError(ErrorRecords.From(failure, target));
        }

        /// <summary>Does one item's work. Its failure ends a command that stands alone, and leaves the other items of a pipeline.</summary>
        internal void Each(Action work, object? target)
        {
            try
            {
                work();
            }
            catch (SecureAppException failure) when (MyInvocation.ExpectingInput)
            {
                FailItem(failure, target);
            }
            catch (SecureAppException failure)
            {
                Fail(failure, target);
            }
        }

        /// <summary>Null where the tenant can be one, and the credential of the command may be of use there; otherwise why not.</summary>
        internal SecureAppException? TenantRefusal(string tenant, bool appOnly) =>
            TenantInput.Refusal(tenant) ?? TenantOrigin.Refusal(tenant, _asking, appOnly);

        /// <summary>Ends the command where there is a refusal.</summary>
        internal void Check(SecureAppException? refusal, object? target)
        {
            if (refusal is not null)
            {
                Fail(refusal, target);
            }
        }

        /// <summary>True where the command line or the pipeline binds the parameter, with whatever value.</summary>
        internal bool IsGiven(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);

        /// <summary>Ends the command where one of these is given and says nothing: an empty filter never silently becomes everything.</summary>
        internal void CheckNotEmpty(params string[] parameters)
        {
            foreach (string name in parameters)
            {
                if (IsGiven(name) && InputShape.IsEmpty(MyInvocation.BoundParameters[name]))
                {
                    FailInput("-" + name + " is empty.", "Check the variable that it comes from, or leave -" + name + " out.", null);
                }
            }
        }

        internal void FailInput(string message, string advice, object? target) =>
            ThrowTerminatingError(ErrorRecords.InvalidInput(message, advice, target));
    }
}
