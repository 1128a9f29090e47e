using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>Keeps PowerShell from asking for a password where a text was given, and says what was wanted instead.</summary>
    internal sealed class ApplicationCredentialTransformationAttribute : ArgumentTransformationAttribute
    {
        public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
        {
            object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
            return value is null or PSCredential
                ? value
                : throw new ArgumentTransformationMetadataException(
                    "A " + value.GetType().Name + " was given where a PSCredential belongs. Make one with the application id as user name and the client secret as password, or use -ApplicationId with -Secret or -RefreshToken.");
        }
    }
}
