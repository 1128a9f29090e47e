using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>The requests of Graph's batches, as they come through the pipeline.</summary>
    public sealed partial class InvokeSecureAppRequestCommand
    {
        private const string BatchUri = "/v1.0/$batch";

        private void OnRequest(SecureAppBatchRequest request)
        {
            string[] headers;
            string? body;
            try
            {
                if (request.Refusal is SecureAppException refusal)
                {
                    throw refusal;
                }

                headers = HeaderInput.Texts(request.Headers);
                body = request.Body is object content ? Text(content) : null;
            }
            catch (SecureAppException refusal)
            {
                FailItem(refusal, null);
                return;
            }

            foreach (string? tenant in IsForOwnTenant ? new string?[] { null } : TenantId!)
            {
                if (!Confirmed(tenant, null, request.Method, request.Url))
                {
                    continue;
                }

                StartOnce("rest_batch", Uri ?? BatchUri);
                using RequestBuilder item = Item("request", tenant)
                    .Text("id", request.Id)
                    .Text("method", request.Method)
                    .Text("url", request.Url)
                    .Texts("headers", headers)
                    .Text("body", body)
                    .Texts("dependsOn", request.DependsOn);
                Submit(item);
            }
        }
    }
}
