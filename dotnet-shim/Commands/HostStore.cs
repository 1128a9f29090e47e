using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Security;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// The writes that only PowerShell can make: stored credentials in SecretManagement vaults, whose newest refresh token is
    /// written on the pipeline thread at the end of a command that got one, once a day at most.
    /// </summary>
    internal static class HostStore
    {
        private static int s_used;

        /// <summary>From now on there may be something to write.</summary>
        internal static void Use() => System.Threading.Volatile.Write(ref s_used, 1);

        /// <summary>Writes what is due. A failure is a warning: the token in use goes on working.</summary>
        internal static void Settle(PSCmdlet cmdlet)
        {
            if (System.Threading.Volatile.Read(ref s_used) == 0)
            {
                return;
            }

            using RequestBuilder request = new RequestBuilder("store.due");
            foreach (ValueMap due in (Native.Call(request) as List<object?> ?? new List<object?>()).OfType<ValueMap>())
            {
                long id = due.Int("id");
                string vault = due.Text("store");
                string name = due.Text("name");
                Write(id, () => Renew(cmdlet, id, vault, name), failure => cmdlet.WriteWarning(
                    "The newest refresh token could not be stored; the one in use works on. " + failure.Message));
            }
        }

        /// <summary>Writes the newest refresh token, unless the vault holds something else by now: that stays.</summary>
        private static void Renew(PSCmdlet cmdlet, long id, string vault, string name)
        {
            using RequestBuilder request = new RequestBuilder("store.document")
                .Int("id", id)
                .Secret("stored", SecretManagement.Find(cmdlet, vault, name));
            if (Native.Call(request) is byte[] document)
            {
                SecretManagement.Write(cmdlet, vault, name, Utf8.TakeSecret(document));
            }
        }

        /// <summary>Makes one write and tells the native side how it went, also when the pipeline is stopped in it.</summary>
        internal static void Write(long id, Action write, Action<SecureAppException> failed)
        {
            bool well = false;
            SecureAppException? problem = null;
            try
            {
                write();
                well = true;
            }
            catch (SecureAppException failure)
            {
                problem = failure;
            }
            finally
            {
                using RequestBuilder told = new RequestBuilder("store.written").Int("id", id).Flag("well", well);
                Native.Call(told);
            }

            if (problem is not null)
            {
                failed(problem);
            }
        }
    }
}
