using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>Keeps PowerShell from asking for a password where a text was given, and says what was wanted instead.</summary>
    public sealed class ApplicationCredentialTransformationAttribute : ArgumentTransformationAttribute
    {
        /// <summary>What else can be given instead; empty for nothing.</summary>
        public string Otherwise { get; set; } = ", or use -ApplicationId with -Secret or -RefreshToken";

        public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
        {
            object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
            return value is null or PSCredential
                ? value
                : throw new ArgumentTransformationMetadataException(
                    "A " + value.GetType().Name + " was given where a PSCredential belongs. Make one with the application id as user name and the client secret as password" + Otherwise + ".");
        }
    }
}
