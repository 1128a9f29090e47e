using System.Management.Automation;

namespace SecureAppModel.Connect
{
    /// <summary>A service and its Connect cmdlet as it is installed here.</summary>
    internal sealed class ConnectTarget
    {
        /// <param name="service">The service.</param>
        /// <param name="command">Its cmdlet; null where it is not installed, and is not going to be called.</param>
        /// <param name="proof">What it shall sign in with; null for tokens.</param>
        /// <exception cref="SecureAppException">The installed cmdlet does not take what it would be passed.</exception>
        internal ConnectTarget(ConnectService service, CommandInfo? command, CertificateProof? proof)
        {
            Service = service;
            Command = command;
            Shape = command is null ? CommandShape.Documented : CommandShape.Of(command, service.Anchor(proof));
            service.Check(Shape, proof);
        }

        internal ConnectService Service { get; }

        internal CommandInfo? Command { get; }

        internal CommandShape Shape { get; }
    }
}
