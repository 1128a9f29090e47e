using System.Management.Automation;
using System.Security;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Lets a SecureString parameter take a plain string too, which is what a CSV file or a variable gives. Everything else
    /// is refused here: PowerShell's own refusal would repeat its text.
    /// </summary>
    internal sealed class SecretTransformationAttribute : ArgumentTransformationAttribute
    {
        /// <summary>White space around a secret comes from copying; in a password it may be meant.</summary>
        public bool Trim { get; set; } = true;

        public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
        {
            object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
            return value switch
            {
                null or SecureString => value,
                string text => CredentialInput.Secure(Trim ? text.Trim() : text),

                // With a cast error inside, a piped row goes on without its secret and is refused by the command itself, whose
                // error does not carry the row.
                _ => throw new ArgumentTransformationMetadataException(
                    "An input of type " + value.GetType().Name + " was given where a SecureString or a text belongs.", new PSInvalidCastException()),
            };
        }
    }
}
