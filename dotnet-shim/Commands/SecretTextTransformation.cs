using System;
using System.Management.Automation;
using System.Runtime.InteropServices;
using System.Security;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Lets a parameter that is text for compatibility's sake take a SecureString too: PowerShell would make the name of its type
    /// of it. Everything else is refused, and its text not repeated.
    /// </summary>
    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    public sealed class SecretTextTransformationAttribute : ArgumentTransformationAttribute
    {
        public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
        {
            object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
            return value switch
            {
                null or string => value,
                SecureString secret => Text(secret),
                _ => throw new ArgumentTransformationMetadataException(
                    "An input of type " + value.GetType().Name + " was given where a text or a SecureString belongs."),
            };
        }

        private static string Text(SecureString secret)
        {
            IntPtr copy = Marshal.SecureStringToGlobalAllocUnicode(secret);
            try
            {
                return Marshal.PtrToStringUni(copy, secret.Length);
            }
            finally
            {
                Marshal.ZeroFreeGlobalAllocUnicode(copy);
            }
        }
    }
}
