using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Base of the commands on consent to certain permissions.</summary>
    public abstract class ConsentScopeCmdlet : ConsentCmdlet
    {
        /// <summary>The APIs, by name or application id; where none is given, those that the module works with.</summary>
        [Parameter]
        [ArgumentCompleter(typeof(ResourceCompleter))]
        public string[]? Resource { get; set; }

        /// <summary>Delegated permissions of the one API that is named; where none is given, those that the module needs.</summary>
        [Parameter]
        [Alias("Scopes")]
        public string[]? Scope { get; set; }

        /// <summary>The permissions in a sentence: each API with its own.</summary>
        internal string Wanted { get; private set; } = string.Empty;

        protected override void BeginProcessing()
        {
            CheckNotEmpty(nameof(Resource), nameof(Scope));
            base.BeginProcessing();
            Wanted = Guarded(Read, null);
        }

        internal override void Ask(RequestBuilder request) => AskScopes(request);

        private void AskScopes(RequestBuilder request) =>
            request.Texts("resources", Resource?.Select(text => text.Trim())).Texts("scopes", Scope?.Select(text => text.Trim()));

        private string Read()
        {
            using RequestBuilder request = new RequestBuilder("consent.wanted").Text("environment", ResolveEnvironment(Environment));
            AskScopes(request);
            IEnumerable<ValueMap> wanted = (Native.Call(request) as IReadOnlyList<object?> ?? Array.Empty<object?>()).OfType<ValueMap>();
            return string.Join("; ", wanted.Select(api => api.Text("resource") + ": " + string.Join(", ", api.Texts("scopes"))));
        }
    }
}
