using System.Collections;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Commands;

namespace SecureAppModel.Connect
{
    /// <summary>Other modules' commands: found, and called so that their errors are the caller's.</summary>
    internal static class ModuleCommand
    {
        /// <summary>The command, from a module that is loaded by that where it can be; null where it is not installed.</summary>
        internal static CommandInfo? Find(PSCmdlet caller, string name) =>
            caller.InvokeCommand.GetCommand(name, CommandTypes.Function | CommandTypes.Cmdlet | CommandTypes.Alias);

        /// <summary>That a service's module is not installed.</summary>
        internal static ErrorRecord Missing(ConnectService service, string command, object? target) => ErrorRecords.From(
            new SecureAppException(
                SecureAppErrorKind.NotFound,
                command + " was not found: the module " + service.Module + " is not installed here.",
                "Install it: Install-Module " + service.Module + " -Scope CurrentUser"),
            target,
            "ModuleNotFound",
            ErrorCategory.NotInstalled);

        /// <summary>Calls a command and leaves its output; true where it reported no error, whatever the caller wants to see of errors.</summary>
        internal static bool Call(PSCmdlet caller, ConnectService service, CommandInfo command, Hashtable parameters)
        {
            caller.WriteVerbose("Calling " + command.Name + " with " + string.Join(", ", parameters.Keys.Cast<string>().OrderBy(name => name).Select(name => "-" + name)) + ".");

            // A silent preference would drop an error before it is seen here, or go on behind it. A module's functions do not see this
            // scope's preference, so they are told theirs.
            if (CommandShape.Of(command, null).Takes("ErrorAction"))
            {
                parameters["ErrorAction"] = ActionPreference.Continue;
            }

            Collection<PSObject> output;
            try
            {
                // Its errors come back with its output, so that they are the caller's, and its success is known.
                output = caller.InvokeCommand.InvokeScript(
                    true, ScriptBlock.Create("param($command, $parameters) $ErrorActionPreference = 'Continue'; & $command @parameters 2>&1"), null, command, parameters);
            }
            catch (RuntimeException failure) when (failure is not PipelineStoppedException)
            {
                caller.WriteError(Own(failure.ErrorRecord, service, command));
                return false;
            }

            List<ErrorRecord> errors = output.Where(item => item is not null).Select(item => item.BaseObject).OfType<ErrorRecord>().ToList();
            foreach (ErrorRecord error in errors)
            {
                caller.WriteError(Own(error, service, command));
            }

            return errors.Count == 0;
        }

        /// <summary>A command's error with its own words, and which command's it is.</summary>
        private static ErrorRecord Own(ErrorRecord error, ConnectService service, CommandInfo command)
        {
            string message = error.ErrorDetails?.Message ?? error.Exception.Message;
            string? advice = service.Advice(message) ?? error.ErrorDetails?.RecommendedAction;
            ErrorDetails details = new ErrorDetails(command.Name + ": " + message);
            if (!string.IsNullOrEmpty(advice))
            {
                details.RecommendedAction = advice;
            }

            return new ErrorRecord(error, null) { ErrorDetails = details };
        }
    }
}
