using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Connect;

namespace SecureAppModel.Commands
{
    /// <summary>Ends connections with the services' own Disconnect cmdlets.</summary>
    [Cmdlet(VerbsCommunications.Disconnect, "DelegatedTenant", SupportsShouldProcess = true)]
    public sealed class DisconnectDelegatedTenantCommand : SecureAppCmdlet
    {
        private readonly List<string> _services = new List<string>();

        /// <summary>The services; what this session has connected where none is given.</summary>
        [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
        [ValidateSet("Graph", "ExchangeOnline", "Compliance", "Az", "Teams", "PnP", "SharePoint", "PartnerCenter", "MSOnline", "AzureAD")]
        public string[]? Service { get; set; }

        protected override void BeginProcessing() => CheckNotEmpty(nameof(Service));

        protected override void ProcessRecord() => _services.AddRange(Service ?? Array.Empty<string>());

        protected override void EndProcessing()
        {
            IEnumerable<string> names = MyInvocation.ExpectingInput || IsGiven(nameof(Service)) ? _services : State.Connected.ToList();

            // Exchange Online and Compliance have one command, which ends both.
            foreach (IGrouping<string, ConnectService> same in names.Distinct(StringComparer.OrdinalIgnoreCase).Select(ConnectService.Find).GroupBy(service => service.DisconnectCommand ?? string.Empty))
            {
                Disconnect(same.First(), same.Key, string.Join(", ", same.Select(service => service.Name)));
            }
        }

        private void Disconnect(ConnectService service, string command, string title)
        {
            if (command.Length == 0)
            {
                WriteWarning(title + " has no command that disconnects it: its connection ends with the session.");
                return;
            }

            CommandInfo? found = ModuleCommand.Find(this, command);
            if (found is null)
            {
                WriteError(ModuleCommand.Missing(service, command, title));
                return;
            }

            if (!ShouldProcess(title, command))
            {
                return;
            }

            if (ModuleCommand.Call(this, service, found, service.DisconnectParameters(CommandShape.Of(found, null))))
            {
                State.Connected.RemoveWhere(name => ConnectService.Find(name).DisconnectCommand == command);
            }
        }
    }
}
