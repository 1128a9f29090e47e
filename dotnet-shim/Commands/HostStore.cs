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
                SecureString text = Utf8.TakeSecret((byte[])due.Get("document")!);
                string vault = due.Text("store");
                string name = due.Text("name");
                Write(cmdlet, due.Int("id"), () => SecretManagement.Write(cmdlet, vault, name, text), failure => cmdlet.WriteWarning(
                    "The newest refresh token could not be stored; the one in use works on, and the stored one stays good until it ends. " + failure.Message));
            }
        }

        /// <summary>Makes one write and tells the native side how it went, also when the pipeline is stopped in it.</summary>
        internal static void Write(PSCmdlet cmdlet, long id, Action write, Action<SecureAppException> failed)
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
