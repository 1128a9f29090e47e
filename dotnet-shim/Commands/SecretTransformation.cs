using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>Lets a SecureString parameter take a plain string too, which is what a CSV file or a variable gives.</summary>
    internal sealed class SecretTransformationAttribute : ArgumentTransformationAttribute
    {
        public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
        {
            object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
            return value is string text ? CredentialInput.Secure(text.Trim()) : inputData;
        }
    }
}
