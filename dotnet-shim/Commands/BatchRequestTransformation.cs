using System.Collections;
using System.Linq;
using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Takes a url, a hashtable or an object as a request of a batch. What is piped is of no such type by itself, so without -Batch
    /// PowerShell takes it for what names a tenant.
    /// </summary>
    internal sealed class BatchRequestTransformationAttribute : ArgumentTransformationAttribute
    {
        public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
        {
            object? bare = (inputData as PSObject)?.BaseObject ?? inputData;
            return bare is IList many and not byte[]
                ? many.Cast<object?>().Select(SecureAppBatchRequest.Read).ToArray()
                : new[] { SecureAppBatchRequest.Read(inputData) };
        }
    }
}
