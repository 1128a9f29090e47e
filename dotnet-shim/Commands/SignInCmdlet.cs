using System;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Base of the commands at which a user signs in: opens the browser, shows the code, asks for the address.</summary>
    public abstract class SignInCmdlet : OperationCmdlet
    {
        /// <summary>False where the address is only printed.</summary>
        internal virtual bool OpensBrowser => true;

        internal override void OnPrompt(ValueMap prompt)
        {
            // As Write-Host does: it is for the person at the screen, whatever becomes of the output.
            WriteInformation(new HostInformationMessage { Message = prompt.Text("message") }, new[] { "PSHOST" });
            string kind = prompt.Text("kind");
            if (kind != "device" && OpensBrowser && !Browser.Open(prompt.Text("url")))
            {
                WriteWarning("No browser could be opened: open the address yourself.");
            }

            if (kind == "paste")
            {
                Answer();
            }
        }

        internal static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text!.Trim();

        /// <summary>Asks the host for the address; where it has nobody to ask, the operation says how to go on.</summary>
        private void Answer()
        {
            string? pasted = null;
            try
            {
                Host.UI.Write("Address that the browser ended at: ");
                pasted = Host.UI.ReadLine();
            }
            catch (Exception failure) when (failure is HostException || failure is NotImplementedException || failure is InvalidOperationException)
            {
                WriteVerbose("The host cannot ask for the address: " + failure.Message);
            }

            if (!string.IsNullOrWhiteSpace(pasted))
            {
                using SecureString secret = CredentialInput.Secure(pasted!.Trim());
                using RequestBuilder item = new RequestBuilder("sign_in.response").Secret("responseUrl", secret);
                Submit(item);
            }

            FinishInput();
        }
    }
}
